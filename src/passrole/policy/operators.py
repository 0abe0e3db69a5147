"""The condition operators, one record each, in one table.

A record's `read` compiles the values of the policy into tests of one value of the request. IfExists, set
operators and absent keys work the same for all operators and are in `conditions`. Numbers, dates, addresses
and binary values are parsed, never compared as text; a value that does not parse is neither equal nor unequal
(None), so that negation does not turn it into a match.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar

from passrole.policy.matching import arn_matcher, glob
from passrole.policy.scope import Scope, split_arn
from passrole.policy.values import address, network, number, octets, timestamp, truth
from passrole.policy.variables import Template, Text, is_fixed, read, resolve

# True, False, or None if either side is invalid (an unset variable, `abc` as a number).
ValueTest = Callable[[str, Scope], bool | None]
ValueReader = Callable[[str, bool], ValueTest]
ValuesReader = Callable[[Sequence[str], bool], tuple[ValueTest, ...]]

_Parsed = TypeVar("_Parsed")


@dataclass(frozen=True, slots=True)
class Operator:
    """One condition operator.

    `read(values, variables)` compiles the policy's values into tests, one of which must match. A `negated`
    operator holds if none matches, and if the key is absent. `words` is put between key and value in
    messages.
    """

    name: str
    words: str
    read: ValuesReader
    negated: bool = False


def _each(read_value: ValueReader) -> ValuesReader:
    """One test for each value."""
    return lambda values, variables: tuple(read_value(value, variables) for value in values)


def _equal(fold: Callable[[str], str]) -> ValuesReader:
    """Equality after `fold`; values without variables are compared in one look-up."""

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
    """Equality after `fold` with the template, its variables filled from the request."""

    def equal_when_filled(actual: str, scope: Scope) -> bool | None:
        text = resolve(template, scope)
        return None if text is None else fold(actual) == fold(_letters(text))

    return equal_when_filled


def _letters(text: Text) -> str:
    return "".join(str(token) for token in text)


def _bool(value: str, variables: bool) -> ValueTest:
    """The only parsed values that may contain variables, as AWS documents for each family."""
    template = read(value, variables=variables, wildcards=False)
    if is_fixed(template):
        return _compared(_letters(template), truth, operator.eq)

    def equal_when_filled(actual: str, scope: Scope) -> bool | None:
        text = resolve(template, scope)
        return None if text is None else _compared(_letters(text), truth, operator.eq)(actual, scope)

    return equal_when_filled


def _parsed(
    parse: Callable[[str], _Parsed | None], compare: Callable[[_Parsed, _Parsed], bool]
) -> ValuesReader:
    """A reader that parses the values of both sides before comparing them."""
    return _each(lambda value, _variables: _compared(value, parse, compare))


def _compared(
    value: str, parse: Callable[[str], _Parsed | None], compare: Callable[[_Parsed, _Parsed], bool]
) -> ValueTest:
    wanted = parse(value)

    def test(actual: str, _scope: Scope) -> bool | None:
        found = parse(actual)
        return None if wanted is None or found is None else compare(found, wanted)

    return test


def _in_network(value: str, _variables: bool) -> ValueTest:
    wanted = network(value)

    def test(actual: str, _scope: Scope) -> bool | None:
        found = address(actual)
        return None if wanted is None or found is None else found in wanted

    return test


def _ordered(family: str, parse: Callable[[str], Decimal | None], words: Mapping[str, str]) -> list[Operator]:
    """The six operators of a family with ordered values."""
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
    *_ordered("Numeric", number, _NUMERIC_WORDS),
    *_ordered("Date", timestamp, _DATE_WORDS),
    Operator("Bool", "is", _each(_bool)),
    Operator("BinaryEquals", "is", _parsed(octets, operator.eq)),
    Operator("IpAddress", "is in", _each(_in_network)),
    Operator("NotIpAddress", "is not in", _each(_in_network), negated=True),
    # "ArnEquals and ArnLike behave identically."
    Operator("ArnEquals", "is like", _each(_arn_like)),
    Operator("ArnLike", "is like", _each(_arn_like)),
    Operator("ArnNotEquals", "is not like", _each(_arn_like), negated=True),
    Operator("ArnNotLike", "is not like", _each(_arn_like), negated=True),
]

# By name in lower case, since policies use any letter case.
OPERATORS: Final[Mapping[str, Operator]] = {record.name.lower(): record for record in _ALL}
