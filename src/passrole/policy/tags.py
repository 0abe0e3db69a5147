"""Tags where letter case does not tell keys apart: of users, roles and sessions, and as condition keys.

It knows no service: which services keep `Team` beside `team` is theirs to say (see `readings` for those).
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_naming
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

RESERVED: Final = "aws:"
RESERVED_MESSAGE: Final = "aws: prefixed tag key names are not allowed for external use."


def merged(present: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """The tags with new ones in place of those of the same key, in the letter case of the new one."""
    return {**without(present, new), **new}


def without(present: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    """The tags without those keys, whatever their letter case."""
    gone = {key.lower() for key in keys}
    return {key: value for key, value in present.items() if key.lower() not in gone}


def repeats(keys: Collection[str]) -> bool:
    """Whether two keys differ in letter case at most."""
    return len({*map(str.lower, keys)}) < len(keys)


def is_reserved(keys: Iterable[str]) -> bool:
    """Whether a key begins as AWS's own do, in any letter case."""
    return any(key.lower().startswith(RESERVED) for key in keys)
