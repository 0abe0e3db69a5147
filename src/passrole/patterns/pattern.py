"""Compiles a pattern to its branches: one, or one for each combination of its `$or`s.

Errors are found in reading order and the first is reported, as on AWS. AWS's messages end with a position in
the text, which ours leave out.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from passrole.patterns.fields import Branch, Node, Path, fits, tree
from passrole.patterns.matchers import RESERVED, InvalidPattern, Matcher, compile_matcher
from passrole.patterns.wildcard import BadWildcard, check_complexity

BYTES_MAX = 4_096
DEPTH_MAX = 100
COMBINATIONS_MAX = 1_000
_OR = "$or"


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern; `branches` are for the index."""

    branches: tuple[Branch, ...]
    _trees: tuple[Node, ...]

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether the event (parsed JSON) matches."""
        return any(fits(root, event) for root in self._trees)

    def named(self, *path: str) -> tuple[str, ...]:
        """The texts of which the event's member must be one; empty if the pattern accepts others too."""
        texts = {matcher.exact for branch in self.branches for matcher in branch.get(path, ())}
        return () if None in texts else tuple(sorted(text for text in texts if text is not None))


def compile_pattern(text: str) -> Pattern:
    """Compile `text`. Raises InvalidPattern and nothing else."""
    if len(text.encode("utf-8", "surrogatepass")) > BYTES_MAX:
        raise InvalidPattern(f"Event pattern must not be longer than {BYTES_MAX} bytes")
    document = _parsed(text)
    branches = tuple(_object(document, (), [{}], inside_or=False))
    return Pattern(branches, tuple(tree(branch) for branch in branches))


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise InvalidPattern("Invalid JSON") from None
    if not isinstance(document, dict):
        raise InvalidPattern("Filter is not an object")
    return document


def _no_number(name: str) -> NoReturn:
    """NaN and Infinity are not JSON."""
    raise ValueError(name)


def _object(
    value: Mapping[str, Any], path: Path, branches: Sequence[Branch], *, inside_or: bool
) -> list[Branch]:
    """The branches so far, each extended by the object's fields; a repeated field is overridden."""
    if not value:
        raise InvalidPattern("Empty objects are not allowed")
    found = list(branches)
    for name, inner in value.items():
        below = (*path, *name.split("."))
        if len(below) > DEPTH_MAX:
            raise InvalidPattern(f"Event pattern must not be nested deeper than {DEPTH_MAX}")
        if name == _OR:
            found = _alternatives(inner, path, found)
        elif inside_or and name in RESERVED:
            raise InvalidPattern(f"{name} is Ruler reserved fieldName which cannot be used inside {_OR}.")
        elif isinstance(inner, dict):
            found = _object(inner, below, found, inside_or=inside_or)
        elif isinstance(inner, list):
            wanted = tuple(_matchers(inner))
            found = [{**branch, below: wanted} for branch in found]
        else:
            raise InvalidPattern(f'"{name}" must be an object or an array')
    return found


def _alternatives(value: Any, path: Path, branches: Sequence[Branch]) -> list[Branch]:
    if not isinstance(value, list):
        raise InvalidPattern(f"It must be an Array followed with {_OR}.")
    found: list[Branch] = []
    for each in value:
        if not isinstance(each, dict):
            raise InvalidPattern(f"Only JSON object is allowed in array of {_OR} relationship.")
        found += _object(each, path, branches, inside_or=True)
        if len(found) > COMBINATIONS_MAX:
            raise InvalidPattern(f"{_OR} must not have more than {COMBINATIONS_MAX} combinations")
    if len(value) < 2:
        raise InvalidPattern(f"There must have at least 2 Objects in {_OR} relationship.")
    return found


def _matchers(values: Sequence[Any]) -> Iterator[Matcher]:
    if not values:
        raise InvalidPattern("Empty arrays are not allowed")
    return _simple_enough([compile_matcher(value) for value in values])


def _simple_enough(matchers: Sequence[Matcher]) -> Iterator[Matcher]:
    try:
        check_complexity(tuple(text for matcher in matchers for text in matcher.wildcards))
    except BadWildcard as error:
        raise InvalidPattern(str(error)) from None
    return iter(matchers)
