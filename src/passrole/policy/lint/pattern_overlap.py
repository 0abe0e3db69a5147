"""Could one ARN fit two patterns? A variable of a policy may stand for anything."""

import re
from typing import Final

from passrole.policy.scope import split_arn

_VARIABLE: Final = re.compile(r"\$\{[^}]*\}")
_ARN_SEGMENTS: Final = 6
_BUCKET: Final = "arn:*:s3:::*"


def overlap(resource: str, shape: str) -> bool:
    """Whether a Resource and the pattern of a resource type have an ARN in common."""
    one, other = _segments(resource), split_arn(shape)
    if shape == _BUCKET and "/" in one[-1]:
        return False
    return all(_overlap(a, b) for a, b in zip(one, other, strict=True))


def _segments(resource: str) -> list[str]:
    """The six segments, with a wildcard for each variable and for what lacks."""
    segments = split_arn(_VARIABLE.sub("*", resource))
    return [*segments, *["*"] * (_ARN_SEGMENTS - len(segments))]


def _overlap(one: str, other: str) -> bool:
    """Whether a text fits both patterns of letters, `*` and `?`: a row of places in `other` for each letter
    of `one`, as for the distance of two texts, so that the cost is the product of the lengths.
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
    """With the places that lie behind a star, which may stand for nothing."""
    found = set(row)
    for at in range(len(other)):
        if at in found and other[at] == "*":
            found.add(at + 1)
    return found
