"""Checks Condition blocks as AWS does: existing operators, scalar values, valid dates and tag keys.

It compiles nothing; `syntax` has the messages and knows the kinds of document.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

from passrole.policy.conditions import read_operator, scalars
from passrole.policy.values import timestamp

_TAG_KEYS: Final = frozenset(
    {"requesttag", "resourcetag", "principaltag", "requestobjecttag", "existingobjecttag"}
)
_TAG_LETTERS: Final = frozenset("_.:/=+-@")
_TAG_CATEGORIES: Final = frozenset("LZN")
_TAG_CHARACTERS_MAX: Final = 128


def is_condition(block: object) -> bool:
    """Whether all operators exist and all values are scalars; IAM ignores an operator without keys."""
    if not isinstance(block, Mapping):
        return False
    for operator, keys in block.items():
        if not isinstance(keys, Mapping) or (keys and read_operator(operator) is None):
            return False
        if not all(_is_scalar_list(values) for values in keys.values()):
            return False
    return True


def has_dates_only(block: object) -> bool:
    """Whether all values of Date operators are dates. `block` is a valid condition."""
    for operator, keys in _operators(block):
        use = read_operator(operator)
        if use is None or use.operator is None or not use.operator.name.startswith("Date"):
            continue
        if any(timestamp(value) is None for values in keys.values() for value in scalars(values)):
            return False
    return True


def has_good_tag_keys(block: object) -> bool:
    """Whether the tag keys in `aws:RequestTag/<key>`, `aws:ResourceTag/<key>`, ... are valid.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules
    """
    return all(_is_tag_key(key) for _, keys in _operators(block) for key in keys)


def _operators(block: object) -> Iterator[tuple[str, Mapping[str, object]]]:
    for operator, keys in block.items() if isinstance(block, Mapping) else ():
        if isinstance(keys, Mapping):
            yield operator, keys


def _is_scalar_list(values: object) -> bool:
    listed = values if isinstance(values, list | tuple) else [values]
    return all(isinstance(value, str | int | float) for value in listed)


def _is_tag_key(key: str) -> bool:
    before, slash, tag = key.partition("/")
    if not slash or before.lower().rpartition(":")[2] not in _TAG_KEYS:
        return True
    return 0 < len(tag) <= _TAG_CHARACTERS_MAX and all(map(_is_tag_letter, tag))


def _is_tag_letter(letter: str) -> bool:
    return letter in _TAG_LETTERS or unicodedata.category(letter)[0] in _TAG_CATEGORIES
