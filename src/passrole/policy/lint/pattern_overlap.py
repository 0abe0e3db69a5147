"""Whether one ARN can match two patterns. A policy variable may be anything."""

import re
from typing import Final

from passrole.policy.scope import split_arn

_VARIABLE: Final = re.compile(r"\$\{[^}]*\}")
_ARN_SEGMENTS: Final = 6
_BUCKET: Final = "arn:*:s3:::*"


def overlap(resource: str, shape: str) -> bool:
    """Whether some ARN matches both a Resource and the pattern of a resource type."""
    one, other = _segments(resource), split_arn(shape)
    if shape == _BUCKET and "/" in one[-1]:
        return False
    return all(_overlap(a, b) for a, b in zip(one, other, strict=True))


def _segments(resource: str) -> list[str]:
    """The six segments, with a wildcard for each variable and each missing segment."""
    segments = split_arn(_VARIABLE.sub("*", resource))
    return [*segments, *["*"] * (_ARN_SEGMENTS - len(segments))]


def _overlap(one: str, other: str) -> bool:
    """Whether some text matches both patterns of letters, `*` and `?`.

    A row of positions in `other` for each letter of `one`, as in edit distance; the cost is the product of
    the lengths.
    """
    row = _after_stars({0}, other)
    for letter in one:
        if letter == "*":
            row = set(range(min(row, default=len(other) + 1), len(other) + 1))
            continue
        stays = {at for at in row if other[at : at + 1] == "*"}
        goes = {at + 1 for at in row if at < len(other) and _same(letter, other[at])}
        row = _after_stars(stays | goes, other)
    return len(other) in row


def _same(letter: str, other: str) -> bool:
    return other != "*" and (letter == other or "?" in (letter, other))


def _after_stars(row: set[int], other: str) -> set[int]:
    """The row with the positions after each star, since a star may match nothing."""
    found = set(row)
    for at in range(len(other)):
        if at in found and other[at] == "*":
            found.add(at + 1)
    return found
