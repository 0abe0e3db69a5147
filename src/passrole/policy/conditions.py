"""Conditions: an operator, a key and the policy's values, asked about one request.

It knows what absent keys, IfExists, ForAllValues and ForAnyValue mean, and leaves single values to
`operators`. Keys of one operator and operators of one block are all ANDed; the values of one key are ORed,
and for a negated operator none may match.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from passrole.policy.operators import OPERATORS, Operator, ValueTest
from passrole.policy.scope import Scope


class Many(Enum):
    """The set operator in front of an operator, for keys with many values."""

    ALL = "forallvalues:"
    ANY = "foranyvalue:"


@dataclass(frozen=True, slots=True)
class OperatorUse:
    """An operator as a policy writes it: `ForAnyValue:StringLikeIfExists`; `operator` is None for Null."""

    operator: Operator | None
    many: Many | None
    if_exists: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of one operator. `key` and `values` keep the policy's spelling, for sentences."""

    use: OperatorUse
    key: str
    values: tuple[str, ...]
    lookup_key: str
    tests: tuple[ValueTest, ...]

    def holds(self, scope: Scope) -> bool:
        """Whether the request satisfies the condition."""
        value = scope.value(self.lookup_key)
        operator = self.use.operator
        # An empty set of values counts as an absent key; an empty text does not.
        is_absent = value is None or value == ()
        if operator is None:
            return ("true" if is_absent else "false") in self.values
        if value is None or is_absent:
            return self._holds_on_nothing(operator)
        if self.use.many is None:
            # A key with many values needs a set operator; AWS forbids the rest and matches nothing.
            return isinstance(value, str) and self._holds_on(value, operator, scope)
        actual = (value,) if isinstance(value, str) else value
        verdicts = (self._holds_on(one, operator, scope) for one in actual)
        return all(verdicts) if self.use.many is Many.ALL else any(verdicts)

    def _holds_on_nothing(self, operator: Operator) -> bool:
        if self.use.if_exists or self.use.many is Many.ALL:
            return True
        return operator.negated and self.use.many is None

    def _holds_on(self, actual: str, operator: Operator, scope: Scope) -> bool:
        if not operator.negated:
            return any(test(actual, scope) for test in self.tests)
        # An unset variable or a value without meaning (None) counts neither as a match nor as a mismatch.
        return all(test(actual, scope) is False for test in self.tests)


_IF_EXISTS: Final = "ifexists"
_NULL: Final = "null"


def read_operator(written: str) -> OperatorUse | None:
    """An operator's name as a policy writes it, or None for one that does not exist."""
    name = written.lower()
    many = next((one for one in Many if name.startswith(one.value)), None)
    name = name.removeprefix(many.value) if many else name
    if name == _NULL:
        return OperatorUse(None, many, False)
    operator = OPERATORS.get(name.removesuffix(_IF_EXISTS))
    return None if operator is None else OperatorUse(operator, many, name.endswith(_IF_EXISTS))


def compile_conditions(block: Mapping[str, object], *, variables: bool) -> tuple[Condition, ...] | None:
    """A Condition block as JSON holds it; None where it names an operator that does not exist."""
    compiled: list[Condition] = []
    for written, keys in block.items():
        use = read_operator(written)
        if use is None or not isinstance(keys, Mapping):
            return None
        compiled.extend(_condition(use, str(key), scalars(value), variables) for key, value in keys.items())
    return tuple(compiled)


def scalars(value: object) -> tuple[str, ...]:
    """The values of one key as text; JSON numbers and booleans are written as JSON writes them."""
    values: Iterable[object] = value if isinstance(value, list | tuple) else (value,)
    return tuple(_scalar(one) for one in values)


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _condition(use: OperatorUse, key: str, values: Sequence[str], variables: bool) -> Condition:
    if use.operator is None:
        return Condition(use, key, tuple(value.lower() for value in values), key.lower(), ())
    read = use.operator.read
    return Condition(use, key, tuple(values), key.lower(), tuple(read(value, variables) for value in values))
