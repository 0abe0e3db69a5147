"""Tags where letter case does not tell keys apart: as condition keys, and of users, roles and sessions.

It knows no service: which services keep `Team` beside `team` is theirs to say. A condition key names a tag in
any letter case, so two such tags of one thing are two values of one key. AWS's guide says that a policy sees
only one of them and not which, so a request is decided under each (`readings`).
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_naming
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, product
from typing import Final, TypeVar

V = TypeVar("V")

READINGS_MAX: Final = 64
RESERVED: Final = "aws:"


def merged(present: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """The tags with new ones in place of those of the same key, which keep the new one's letter case."""
    replaced = {key.lower() for key in new}
    return {**{key: value for key, value in present.items() if key.lower() not in replaced}, **new}


def repeats(keys: Sequence[str]) -> bool:
    """Whether two keys differ in letter case at most."""
    return len({key.lower() for key in keys}) < len(keys)


def reserved(keys: Iterable[str]) -> str | None:
    """The first key that begins as AWS's own do, in any letter case."""
    return next((key for key in keys if key.lower().startswith(RESERVED)), None)


def readings(keys: Mapping[str, V]) -> list[Mapping[str, V]] | None:
    """The keys with one spelling each, in every way to choose them; one way where no key has two.

    None where there are more than READINGS_MAX ways.
    """
    spelled: dict[str, list[str]] = {}
    for key in keys:
        spelled.setdefault(key.lower(), []).append(key)
    if len(spelled) == len(keys):
        return [keys]
    ways = list(islice(product(*spelled.values()), READINGS_MAX + 1))
    return [{key: keys[key] for key in way} for way in ways] if len(ways) <= READINGS_MAX else None
