"""The condition operators, one record each, in one table.

A record's `read` compiles one value of the policy into a test of one value of the request. It knows no
IfExists, no set operators and no absent keys: those are the same for all operators and live in
`conditions`. Numbers, dates, addresses and binary values are parsed, never compared as text; a value that
does not parse is neither equal nor unequal (None), so that negation does not turn nonsense into a match.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import base64
import binascii
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeVar

from passrole.policy.matching import arn_matcher, glob
from passrole.policy.scope import Scope, split_arn
from passrole.policy.variables import Template, is_fixed, read, resolve

# True, False, or None where either side has no meaning (an unset variable, `abc` as a number).
ValueTest = Callable[[str, Scope], bool | None]
ValueReader = Callable[[str, bool], ValueTest]

_Parsed = TypeVar("_Parsed")


@dataclass(frozen=True, slots=True)
class Operator:
    """One condition operator.

    `read(value, variables)` compiles a value of the policy. A `negated` operator holds when none of the
    policy's values matches, and when the key is absent. `words` stands between key and value in sentences.
    """

    name: str
    words: str
    read: ValueReader
    negated: bool = False


def _equals(value: str, variables: bool) -> ValueTest:
    return _filled(read(value, variables=variables, wildcards=False), str)


def _equals_ignoring_case(value: str, variables: bool) -> ValueTest:
    return _filled(read(value, variables=variables, wildcards=False), str.lower)


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
    """Equality after `fold`, with the policy's variables filled in."""
    if is_fixed(template):
        wanted = fold("".join(str(token) for token in template))
        return lambda actual, _scope: fold(actual) == wanted

    def equal_when_filled(actual: str, scope: Scope) -> bool | None:
        text = resolve(template, scope)
        return None if text is None else fold(actual) == fold("".join(str(token) for token in text))

    return equal_when_filled


def _parsed(
    parse: Callable[[str], _Parsed | None], compare: Callable[[_Parsed, _Parsed], bool]
) -> ValueReader:
    """A reader for values that are parsed on both sides before they are compared."""

    def read_value(value: str, _variables: bool) -> ValueTest:
        wanted = parse(value)

        def test(actual: str, _scope: Scope) -> bool | None:
            found = parse(actual)
            return None if wanted is None or found is None else compare(found, wanted)

        return test

    return read_value


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
    Operator("StringEquals", "is", _equals),
    Operator("StringNotEquals", "is not", _equals, negated=True),
    Operator("StringEqualsIgnoreCase", "is (in any letter case)", _equals_ignoring_case),
    Operator("StringNotEqualsIgnoreCase", "is not (in any letter case)", _equals_ignoring_case, negated=True),
    Operator("StringLike", "is like", _like),
    Operator("StringNotLike", "is not like", _like, negated=True),
    *_ordered("Numeric", _number, _NUMERIC_WORDS),
    *_ordered("Date", _moment, _DATE_WORDS),
    Operator("Bool", "is", _parsed(_truth, operator.eq)),
    Operator("BinaryEquals", "is", _parsed(_bytes, operator.eq)),
    Operator("IpAddress", "is in", _in_network),
    Operator("NotIpAddress", "is not in", _in_network, negated=True),
    # "ArnEquals and ArnLike behave identically."
    Operator("ArnEquals", "is like", _arn_like),
    Operator("ArnLike", "is like", _arn_like),
    Operator("ArnNotEquals", "is not like", _arn_like, negated=True),
    Operator("ArnNotLike", "is not like", _arn_like, negated=True),
]

# By name in lower case: policies in the wild spell operators as they please.
OPERATORS: Final[Mapping[str, Operator]] = {record.name.lower(): record for record in _ALL}
