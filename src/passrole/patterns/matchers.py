"""Compiles the members of a field's list: a value, or an object that names an operator.

A matcher tests one scalar of an event. An absent field is handled in fields.py; only `exists` matches it. The
error messages are event-ruler's, as PutRule returns them.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from passrole.patterns.numbers import (
    BadRange,
    address,
    compile_cidr,
    compile_numeric,
    is_number,
    within_limits,
)
from passrole.patterns.wildcard import BadWildcard, compile_wildcard

Test = Callable[[Any], bool]
TextTest = Callable[[str], bool]

ONE_KEY = "Only one key allowed in match expression"
NO_MIXTURE = "Inside anything but list, either all values are number or string, mixed type is not supported"
NO_SUCH_TYPE = "Inside anything but list, start|null|boolean is not supported."
NOT_IGNORING = "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
IGNORE_CASE = "equals-ignore-case"


class InvalidPattern(Exception):
    """The pattern is invalid; `reason` follows AWS's `Event pattern is not valid. Reason: `."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Matcher(NamedTuple):
    """A test of one scalar. `exact` is the string that it requires, if any; `absence`: it matches an absent
    field; `wildcards` are the texts that count towards the pattern's complexity.
    """

    test: Test
    exact: str | None = None
    absence: bool = False
    wildcards: tuple[str, ...] = ()


def compile_matcher(value: Any) -> Matcher:
    """Compile a member of a field's list. Raises InvalidPattern."""
    if isinstance(value, dict):
        return _expression(value)
    if isinstance(value, str):
        return _exactly(value)
    if is_number(value):
        return Matcher(lambda found: is_number(found) and found == value)
    if value is None or isinstance(value, bool):
        return Matcher(lambda found: found is value)
    raise InvalidPattern("Match value must be String, number, true, false, or null")


def _expression(value: Mapping[str, Any]) -> Matcher:
    if not value:
        raise InvalidPattern("Match expression name not found")
    name, inner = next(iter(value.items()))
    operator = _OPERATORS.get(name)
    if operator is None:
        raise InvalidPattern(f"Unrecognized match type {name}")
    try:
        matcher = operator(inner)
    except (BadRange, BadWildcard) as error:
        raise InvalidPattern(str(error)) from None
    if len(value) > 1:
        raise InvalidPattern(_TOO_MANY.get(name, ONE_KEY))
    return matcher


def _exactly(text: str) -> Matcher:
    """The same string, or the same IP address in another spelling."""
    wanted = address(text)
    if wanted is None:
        return Matcher(lambda found: isinstance(found, str) and found == text, exact=text)
    return Matcher(lambda found: isinstance(found, str) and (found == text or address(found) == wanted))


def _exact(inner: Any) -> Matcher:
    return _exactly(_text(inner, "exact match pattern must be a string"))


def _prefix(inner: Any) -> Matcher:
    if isinstance(inner, dict):
        head = _ignoring_case(inner, "prefix").lower()
        return _of_text(lambda found: found.lower().startswith(head))
    head = _text(inner, "prefix match pattern must be a string")
    return _of_text(lambda found: found.startswith(head))


def _suffix(inner: Any) -> Matcher:
    if isinstance(inner, dict):
        tail = _ignoring_case(inner, "suffix").lower()
        return _of_text(lambda found: found.lower().endswith(tail))
    tail = _text(inner, "suffix match pattern must be a string")
    return _of_text(lambda found: found.endswith(tail))


def _ignoring_case(inner: Mapping[str, Any], kind: str) -> str:
    if not inner:
        raise InvalidPattern(f"{kind.capitalize()} expression name not found")
    name, text = next(iter(inner.items()))
    if name != IGNORE_CASE:
        raise InvalidPattern(f"Unsupported {kind} pattern: {name}")
    found = _text(text, "equals-ignore-case match pattern must be a string")
    if len(inner) > 1:
        raise InvalidPattern(ONE_KEY)
    return found


def _equals_ignore_case(inner: Any) -> Matcher:
    text = _text(inner, "equals-ignore-case match pattern must be a string").lower()
    return _of_text(lambda found: found.lower() == text)


def _wildcard(inner: Any) -> Matcher:
    text = _text(inner, "wildcard match pattern must be a string")
    return _of_text(compile_wildcard(text))._replace(wildcards=(text,))


def _numeric(inner: Any) -> Matcher:
    if not isinstance(inner, list):
        raise InvalidPattern("Value of numeric must be an array.")
    return Matcher(compile_numeric(inner))


def _cidr(inner: Any) -> Matcher:
    return Matcher(compile_cidr(_text(inner, "prefix match pattern must be a string")))


def _exists(inner: Any) -> Matcher:
    if not isinstance(inner, bool):
        raise InvalidPattern("exists match pattern must be either true or false.")
    return Matcher(lambda _found: inner, absence=not inner)


def _anything_but(inner: Any) -> Matcher:
    """Matches any value except these; a number never equals one of the strings."""
    if isinstance(inner, dict):
        return _anything_but_kind(inner)
    if not (isinstance(inner, str | list) or is_number(inner)):
        raise InvalidPattern("Value of anything-but must be an array or single string/number value.")
    values = inner if isinstance(inner, list) else [inner]
    if any(not isinstance(item, str) and not is_number(item) for item in values):
        raise InvalidPattern(NO_SUCH_TYPE)
    numbers = [item for item in values if is_number(item)]
    if len(numbers) not in (0, len(values)) or not values:
        raise InvalidPattern(NO_MIXTURE)
    for number in numbers:
        within_limits(number)
    unwanted = frozenset(values)
    wanted_type = is_number if numbers else lambda found: isinstance(found, str)
    return Matcher(lambda found: not wanted_type(found) or found not in unwanted)


def _anything_but_kind(inner: Mapping[str, Any]) -> Matcher:
    if not inner:
        raise InvalidPattern("Anything-But expression name not found")
    name, given = next(iter(inner.items()))
    kind = _UNWANTED.get(name)
    if kind is None:
        raise InvalidPattern(f"Unsupported anything-but pattern: {name}")
    if not (isinstance(given, str | list) or is_number(given)):
        raise InvalidPattern("Value of anything-but must be an array or single string/number value.")
    test, refusal, may_be_empty = kind
    texts = [_text(each, refusal) for each in (given if isinstance(given, list) else [given])]
    if not may_be_empty and "" in texts:
        raise InvalidPattern("Null prefix/suffix not allowed")
    if len(inner) > 1:
        raise InvalidPattern("Too many elements in numeric expression")
    tests = [test(each) for each in texts]
    return Matcher(
        lambda found: not isinstance(found, str) or not any(each(found) for each in tests),
        wildcards=tuple(texts) if name == "wildcard" else (),
    )


def _of_text(test: TextTest) -> Matcher:
    return Matcher(lambda found: isinstance(found, str) and test(found))


def _text(value: Any, refusal: str) -> str:
    if not isinstance(value, str):
        raise InvalidPattern(refusal)
    return value


def _begins(head: str) -> TextTest:
    return lambda found: found.startswith(head)


def _ends(tail: str) -> TextTest:
    return lambda found: found.endswith(tail)


def _same_but_case(text: str) -> TextTest:
    lowered = text.lower()
    return lambda found: found.lower() == lowered


_ENDS_REFUSAL = "prefix/suffix match pattern must be a string"

_UNWANTED: Mapping[str, tuple[Callable[[str], TextTest], str, bool]] = {
    "prefix": (_begins, _ENDS_REFUSAL, False),
    "suffix": (_ends, _ENDS_REFUSAL, False),
    IGNORE_CASE: (_same_but_case, NOT_IGNORING, True),
    "wildcard": (compile_wildcard, "wildcard match pattern must be a string", True),
}

_OPERATORS: Mapping[str, Callable[[Any], Matcher]] = {
    "exactly": _exact,
    "prefix": _prefix,
    "suffix": _suffix,
    IGNORE_CASE: _equals_ignore_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
}

_TOO_MANY: Mapping[str, str] = dict.fromkeys(
    ("numeric", "anything-but"), "Too many elements in numeric expression"
)

RESERVED = frozenset(_OPERATORS)
"""Names that may not be fields inside `$or`."""
