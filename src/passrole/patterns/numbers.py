"""The operators `numeric` and `cidr`: ranges of numbers and of IP addresses."""

import json
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

Number = int | float
Address = IPv4Address | IPv6Address
LIMIT = 5_000_000_000
_INTEGER_DIGITS = 10  # event-ruler reads the mask bits as a Java Integer
_COMPARISONS: dict[str, Callable[[Number, Number], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}
_LOWER, _UPPER = (">", ">="), ("<", "<=")


class BadRange(Exception):
    """The range is invalid; the message is AWS's."""


def is_number(value: object) -> bool:
    """Whether a JSON value is a number (true and false are not)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def compile_numeric(terms: Sequence[Any]) -> Callable[[Any], bool]:
    """Compile terms such as [">", 0, "<=", 5] to a test of a value. Raises BadRange."""
    if not terms or not isinstance(terms[0], str):
        raise BadRange(f"Invalid member in numeric match: {_shown(terms[0]) if terms else ']'}")
    operator = terms[0]
    if operator not in _COMPARISONS:
        raise BadRange(f"Unrecognized numeric range operator: {operator}")
    bound = _bound("equals" if operator == "=" else operator, terms[1:2])
    first = _COMPARISONS[operator]
    if len(terms) == 2:
        return lambda value: is_number(value) and first(value, bound)
    if operator not in _LOWER:
        raise BadRange("Too many elements in numeric expression")
    second, top = _upper_end(terms[2:])
    if bound >= top:
        raise BadRange("Bottom must be less than top")
    return lambda value: is_number(value) and first(value, bound) and second(value, top)


def compile_cidr(text: str) -> Callable[[Any], bool]:
    """Compile a CIDR block to a test of a value. Raises BadRange.

    As in event-ruler, the block begins at the written address and not at the first one of the network.
    """
    parts = text.split("/")
    if len(parts) != 2:
        raise BadRange("Malformed CIDR, one '/' required")
    digits = parts[1].removeprefix("-").lstrip("0") or parts[1][-1:]
    if not digits.isdecimal() or len(digits) > _INTEGER_DIGITS:
        raise BadRange("Malformed CIDR, mask bits must be an integer")
    bits = int(digits)
    if bits and parts[1].startswith("-"):
        raise BadRange("Malformed CIDR, mask bits must not be negative")
    bottom = address(parts[0])
    if bottom is None:
        raise BadRange(f"Nonstandard IP address: {parts[0]}")
    if bits >= bottom.max_prefixlen:
        raise BadRange(f"IPv{bottom.version} mask bits must be < {bottom.max_prefixlen}")
    top = int(bottom) | ((1 << (bottom.max_prefixlen - bits)) - 1)

    def within(value: Any) -> bool:
        found = address(value) if isinstance(value, str) else None
        return found is not None and found.version == bottom.version and int(bottom) <= int(found) <= top

    return within


def address(text: str) -> Address | None:
    """The IP address in a text, or None."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def within_limits(value: Number) -> Number:
    """A number that EventBridge can compare. Raises BadRange."""
    if not -LIMIT <= value <= LIMIT:
        raise BadRange("Value must be between -5.0E9 and 5.0E9, inclusive")
    return value


def _upper_end(terms: Sequence[Any]) -> tuple[Callable[[Number, Number], bool], Number]:
    operator = terms[0]
    if not isinstance(operator, str):
        raise BadRange(f"Bad value in numeric range: {_shown(operator)}")
    if operator not in _UPPER:
        raise BadRange(f"Bad numeric range operator: {operator}")
    top = _bound(operator, terms[1:2])
    if len(terms) > 2:
        raise BadRange("Too many terms in numeric range expression")
    return _COMPARISONS[operator], top


def _bound(name: str, given: Sequence[Any]) -> Number:
    if not given or not is_number(given[0]):
        raise BadRange(f"Value of {name} must be numeric")
    return within_limits(given[0])


def _shown(value: object) -> str:
    """A value as AWS's message quotes the offending token."""
    if isinstance(value, list | dict):
        return "[" if isinstance(value, list) else "{"
    return str(value) if isinstance(value, str) or is_number(value) else json.dumps(value)
