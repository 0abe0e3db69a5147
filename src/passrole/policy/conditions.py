"""Conditions: an operator, a key and the policy's values, evaluated for one request.

This module handles absent keys, IfExists, ForAllValues and ForAnyValue; `operators` compares single values.
Keys of one operator and operators of one block are ANDed; the values of one key are ORed, and for a negated
operator none may match.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html

A multivalued key needs a set operator. Without one, a single value is compared like any other, as
EventBridge's guide does with `events:source`. AWS does not document several values: here they never satisfy
an Allow, and a Deny applies if one of them matches, so that neither allows too much.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from passrole.policy.operators import OPERATORS, Operator, ValueTest
from passrole.policy.predicates import Predicate
from passrole.policy.request import Values
from passrole.policy.scope import Scope


class Many(Enum):
    """The set operator, a prefix of an operator for multivalued keys."""

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
    """One key of one operator. `key` and `values` keep the policy's spelling, for messages.

    `holds(scope)` is whether the request satisfies the condition.
    """

    use: OperatorUse
    key: str
    values: tuple[str, ...]
    lookup_key: str
    holds: Predicate


_IF_EXISTS: Final = "ifexists"
_NULL: Final = "null"


def read_operator(written: str) -> OperatorUse | None:
    """Parse an operator as a policy writes it; None if it does not exist."""
    name = written.lower()
    many = next((one for one in Many if name.startswith(one.value)), None)
    name = name.removeprefix(many.value) if many else name
    if name == _NULL:
        return OperatorUse(None, many, False)
    operator = OPERATORS.get(name.removesuffix(_IF_EXISTS))
    return None if operator is None else OperatorUse(operator, many, name.endswith(_IF_EXISTS))


def compile_conditions(
    block: Mapping[str, object], *, allows: bool = True, variables: bool
) -> tuple[Condition, ...] | None:
    """Compile the Condition block (parsed JSON) of an Allow or a Deny; None for an unknown operator."""
    compiled: list[Condition] = []
    for written, keys in block.items():
        use = read_operator(written)
        if not isinstance(keys, Mapping) or (keys and use is None):
            return None
        if use is None:  # IAM ignores an operator without keys
            continue
        compiled.extend(
            _condition(use, str(key), scalars(value), allows, variables) for key, value in keys.items()
        )
    return tuple(compiled)


def scalars(value: object) -> tuple[str, ...]:
    """The values of one key as text; numbers and booleans as in JSON."""
    values: Iterable[object] = value if isinstance(value, list | tuple) else (value,)
    return tuple(_scalar(one) for one in values)


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _condition(use: OperatorUse, key: str, values: Sequence[str], allows: bool, variables: bool) -> Condition:
    looked_up = key.lower()
    if use.operator is None:
        lowered = tuple(value.lower() for value in values)
        return Condition(use, key, lowered, looked_up, _presence(looked_up, lowered))
    satisfies = _satisfies(use.operator, use.operator.read(values, variables))
    holds = (
        _many_values(use, looked_up, satisfies)
        if use.many
        else _one_value(use, looked_up, satisfies, allows=allows)
    )
    return Condition(use, key, tuple(values), looked_up, holds)


def _presence(key: str, wanted: Sequence[str]) -> Predicate:
    """The Null operator: `true` requires the key to be absent."""
    return lambda scope: ("true" if _is_absent(scope.value(key)) else "false") in wanted


def _one_value(use: OperatorUse, key: str, satisfies: ValueTest, *, allows: bool) -> Predicate:
    on_nothing = _holds_on_nothing(use)

    def holds(scope: Scope) -> bool:
        value = scope.value(key)
        if isinstance(value, str):
            return satisfies(value, scope) is True
        if value is None or _is_absent(value):
            return on_nothing
        if len(value) > 1 and allows:
            return False
        return any(satisfies(one, scope) is True for one in value)

    return holds


def _many_values(use: OperatorUse, key: str, satisfies: ValueTest) -> Predicate:
    on_nothing = _holds_on_nothing(use)
    combine = all if use.many is Many.ALL else any

    def holds(scope: Scope) -> bool:
        value = scope.value(key)
        if value is None or _is_absent(value):
            return on_nothing
        actual = (value,) if isinstance(value, str) else value
        return combine(satisfies(one, scope) is True for one in actual)

    return holds


def _satisfies(operator: Operator, tests: Sequence[ValueTest]) -> ValueTest:
    """Whether one value of the request satisfies the operator; `tests` are of the policy's values."""
    if operator.negated:
        # None (an unset variable, a value that does not parse) is neither a match nor a mismatch.
        return lambda actual, scope: all(test(actual, scope) is False for test in tests)
    if len(tests) == 1:
        return tests[0]
    return lambda actual, scope: any(test(actual, scope) for test in tests)


def _holds_on_nothing(use: OperatorUse) -> bool:
    if use.if_exists or use.many is Many.ALL:
        return True
    return use.operator is not None and use.operator.negated and use.many is None


def _is_absent(value: Values | None) -> bool:
    """Whether the key is absent; an empty set of values counts as absent, an empty string does not."""
    return value is None or value == ()
