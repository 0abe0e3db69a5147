"""The constraints of one value by its description: length, range, enum, pattern.

Patterns come from botocore's descriptions and never from a request. They are Java's, so one that Python
cannot compile is not checked. No pattern is matched against a text longer than PATTERN_CHARS_MAX, and the few
with exponential backtracking are not checked at all.
"""

import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import Shape

PATTERN_CHARS_MAX = 4096

AMBIGUOUS = frozenset(
    {
        r"^[ \t]*[^\x00-\x1F:\x7F]+([ \t]+[^\x00-\x1F:\x7F]+)*[ \t]*$",  # events AuthHeaderParameters
        r"^[ \t]*[\x20-\x7E]+([ \t]+[\x20-\x7E]+)*[ \t]*$",  # events HeaderValue
        r"^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$",  # ecr ScanningRepositoryFilterValue
        r"[a-z0-9]([-a-z0-9]*[a-z0-9]){0,39}?",  # sagemaker ComputeQuotaTargetTeamName
        r"https://([.\-_a-zA-Z0-9]+/?){3,1016}",  # sagemaker RepositoryUrl
    }
)
"""Patterns whose matching time doubles with each character of a text that does not match."""

CHECKED_BY_SERVICE = frozenset({"Runtime"})
"""Shapes whose enum the service checks itself: Lambda returns another code."""

Failing = Callable[[Any], list[str]]
"""Takes a value and returns a message for each violated constraint."""


def limits_of(shape: Shape) -> Failing | None:
    """The check of a scalar shape; None without constraints. The pattern's message is first, as on AWS."""
    of_type: Mapping[str, Callable[[Shape], Failing | None]] = {
        "string": _text_of,
        "blob": length_of,
        "integer": _range_of,
        "long": _range_of,
        "float": _range_of,
        "double": _range_of,
    }
    maker = of_type.get(shape.type_name)
    return maker(shape) if maker else None


def _text_of(shape: Shape) -> Failing | None:
    length = length_of(shape)
    enum = () if shape.name in CHECKED_BY_SERVICE else tuple(shape.metadata.get("enum", ()))
    pattern = _compiled(str(shape.metadata.get("pattern", "")))
    if not (length or enum or pattern):
        return None
    enum_message = f"Member must satisfy enum value set: [{', '.join(enum)}]"
    pattern_message = f"Member must satisfy regular expression pattern: {shape.metadata.get('pattern', '')}"

    def failing(value: str) -> list[str]:
        sizes = length(value) if length else []
        if enum and value not in enum:
            return [enum_message, *sizes]
        if pattern and len(value) <= PATTERN_CHARS_MAX and not pattern.fullmatch(value):
            return [pattern_message, *sizes]
        return sizes

    return failing


def _compiled(pattern: str) -> re.Pattern[str] | None:
    if not pattern or pattern in AMBIGUOUS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # such as for a set that Java reads differently
            return re.compile(pattern, re.ASCII)  # \w and \d of AWS's patterns are ASCII's
    except (re.error, FutureWarning, DeprecationWarning):
        return None


def length_of(shape: Shape) -> Failing | None:
    """The check of a value's length: characters, bytes or items."""
    return _bounds(shape, "length", len)


def _range_of(shape: Shape) -> Failing | None:
    return _bounds(shape, "value", lambda value: value)


def _bounds(shape: Shape, what: str, measure: Callable[[Any], float]) -> Failing | None:
    most, least = shape.metadata.get("max"), shape.metadata.get("min")
    if most is None and not least:
        return None
    too_much = f"Member must have {what} less than or equal to {most}"
    too_little = f"Member must have {what} greater than or equal to {least}"

    def failing(value: Any) -> list[str]:
        size = measure(value)
        if most is not None and size > most:
            return [too_much]
        if least is not None and size < least:
            return [too_little]
        return []

    return failing
