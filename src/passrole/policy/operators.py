"""The condition operators, one record each, in one table.

A record's `read` compiles the values of the policy into tests of one value of the request. It knows no
IfExists, no set operators and no absent keys: those are the same for all operators and live in
`conditions`. Numbers, dates, addresses and binary values are parsed, never compared as text; a value that
does not parse is neither equal nor unequal (None), so that negation does not turn nonsense into a match.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import base64
import binascii
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeVar

from passrole.policy.matching import arn_matcher, glob
from passrole.policy.scope import Scope, split_arn
from passrole.policy.variables import Template, Text, is_fixed, read, resolve

# True, False, or None where either side has no meaning (an unset variable, `abc` as a number).
ValueTest = Callable[[str, Scope], bool | None]
ValueReader = Callable[[str, bool], ValueTest]
ValuesReader = Callable[[Sequence[str], bool], tuple[ValueTest, ...]]

_Parsed = TypeVar("_Parsed")


@dataclass(frozen=True, slots=True)
class Operator:
    """One condition operator.

    `read(values, variables)` compiles the policy's values into tests, one of which must match. A `negated`
    operator holds when none of them does, and when the key is absent. `words` stands between key and value
    in sentences.
    """

    name: str
    words: str
    read: ValuesReader
    negated: bool = False


def _each(read_value: ValueReader) -> ValuesReader:
    """One test for each value."""
    return lambda values, variables: tuple(read_value(value, variables) for value in values)


def _equal(fold: Callable[[str], str]) -> ValuesReader:
    """Equality after `fold`: values without variables are looked up all at once."""

    def read_values(values: Sequence[str], variables: bool) -> tuple[ValueTest, ...]:
        templates = [read(value, variables=variables, wildcards=False) for value in values]
        fixed = frozenset(fold(_letters(template)) for template in templates if is_fixed(template))
        others = tuple(_filled(template, fold) for template in templates if not is_fixed(template))
        return (lambda actual, _scope: fold(actual) in fixed, *others) if fixed else others

    return read_values


def _like(value: str, variables: bool) -> ValueTest:
    template = read(value, variables=variables)
    if is_fixed(template):
        fits = glob(template)
        return lambda actual, _scope: fits(actual)

    def fits_when_filled(actual: str, scope: Scope) -> bool | None:
        text = resolve(template, scope)
        return None if text is None else glob(text)(actual)

    return fits_when_filled


def _arn_like(value: str, variables: bool) -> ValueTest:
    fits = arn_matcher(value, variables=variables)
    return lambda actual, scope: fits(split_arn(actual), scope)


def _filled(template: Template, fold: Callable[[str], str]) -> ValueTest:
    """Equality after `fold` with what the variables of this request make of the template."""

    def equal_when_filled(actual: str, scope: Scope) -> bool | None:
        text = resolve(template, scope)
        return None if text is None else fold(actual) == fold(_letters(text))

    return equal_when_filled


def _letters(text: Text) -> str:
    return "".join(str(token) for token in text)


def _parsed(
    parse: Callable[[str], _Parsed | None], compare: Callable[[_Parsed, _Parsed], bool]
) -> ValuesReader:
    """A reader for values that are parsed on both sides before they are compared."""

    def read_value(value: str, _variables: bool) -> ValueTest:
        wanted = parse(value)

        def test(actual: str, _scope: Scope) -> bool | None:
            found = parse(actual)
            return None if wanted is None or found is None else compare(found, wanted)

        return test

    return _each(read_value)


def _number(text: str) -> Decimal | None:
    # Decimal also takes `NaN`, `Infinity` and `1_0`; IAM numbers are whole or decimal.
    if not text or not set(text) <= _NUMBER_LETTERS:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _moment(text: str) -> Decimal | None:
    """Seconds since the epoch: written so, as aws:EpochTime is, or as ISO 8601 (UTC unless it says)."""
    seconds = _number(text)
    if seconds is not None:
        return seconds
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = aware - _EPOCH
    return Decimal(since.days * 86_400 + since.seconds) + Decimal(since.microseconds).scaleb(-6)


def _truth(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


_Network = IPv4Network | IPv6Network


def _in_network(value: str, _variables: bool) -> ValueTest:
    network = _network(value)

    def test(actual: str, _scope: Scope) -> bool | None:
        address = _address(actual)
        return None if network is None or address is None else address in network

    return test


def _network(text: str) -> _Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


_NUMBER_LETTERS: Final = frozenset("0123456789+-.eE")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _ordered(family: str, parse: Callable[[str], Decimal | None], words: Mapping[str, str]) -> list[Operator]:
    """The six operators of a family whose values have an order."""
    equal = _parsed(parse, operator.eq)
    return [
        Operator(f"{family}Equals", words["Equals"], equal),
        Operator(f"{family}NotEquals", words["NotEquals"], equal, negated=True),
        Operator(f"{family}LessThan", words["LessThan"], _parsed(parse, operator.lt)),
        Operator(f"{family}LessThanEquals", words["LessThanEquals"], _parsed(parse, operator.le)),
        Operator(f"{family}GreaterThan", words["GreaterThan"], _parsed(parse, operator.gt)),
        Operator(f"{family}GreaterThanEquals", words["GreaterThanEquals"], _parsed(parse, operator.ge)),
    ]


_NUMERIC_WORDS: Final = {
    "Equals": "is",
    "NotEquals": "is not",
    "LessThan": "is less than",
    "LessThanEquals": "is at most",
    "GreaterThan": "is more than",
    "GreaterThanEquals": "is at least",
}
_DATE_WORDS: Final = {
    "Equals": "is",
    "NotEquals": "is not",
    "LessThan": "is before",
    "LessThanEquals": "is not after",
    "GreaterThan": "is after",
    "GreaterThanEquals": "is not before",
}

_ALL: Final = [
    Operator("StringEquals", "is", _equal(str)),
    Operator("StringNotEquals", "is not", _equal(str), negated=True),
    Operator("StringEqualsIgnoreCase", "is (in any letter case)", _equal(str.lower)),
    Operator("StringNotEqualsIgnoreCase", "is not (in any letter case)", _equal(str.lower), negated=True),
    Operator("StringLike", "is like", _each(_like)),
    Operator("StringNotLike", "is not like", _each(_like), negated=True),
    *_ordered("Numeric", _number, _NUMERIC_WORDS),
    *_ordered("Date", _moment, _DATE_WORDS),
    Operator("Bool", "is", _parsed(_truth, operator.eq)),
    Operator("BinaryEquals", "is", _parsed(_bytes, operator.eq)),
    Operator("IpAddress", "is in", _each(_in_network)),
    Operator("NotIpAddress", "is not in", _each(_in_network), negated=True),
    # "ArnEquals and ArnLike behave identically."
    Operator("ArnEquals", "is like", _each(_arn_like)),
    Operator("ArnLike", "is like", _each(_arn_like)),
    Operator("ArnNotEquals", "is not like", _each(_arn_like), negated=True),
    Operator("ArnNotLike", "is not like", _each(_arn_like), negated=True),
]

# By name in lower case: policies in the wild spell operators as they please.
OPERATORS: Final[Mapping[str, Operator]] = {record.name.lower(): record for record in _ALL}
