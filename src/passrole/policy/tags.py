"""Tags whose keys ignore letter case: those of users, roles and sessions, and condition keys.

It knows no service. For services that store `Team` beside `team`, see `ambiguous_tags`.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_naming
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

RESERVED: Final = "aws:"
RESERVED_MESSAGE: Final = "aws: prefixed tag key names are not allowed for external use."


def merged(present: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """The tags with new ones added; a new tag replaces the same key in any letter case."""
    return {**without(present, new), **new}


def without(present: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    """The tags without those keys, in any letter case."""
    gone = {key.lower() for key in keys}
    return {key: value for key, value in present.items() if key.lower() not in gone}


def repeats(keys: Collection[str]) -> bool:
    """Whether two keys are equal or differ only in letter case."""
    return len({*map(str.lower, keys)}) < len(keys)


def is_reserved(keys: Iterable[str]) -> bool:
    """Whether a key begins with `aws:` in any letter case."""
    return any(key.lower().startswith(RESERVED) for key in keys)
