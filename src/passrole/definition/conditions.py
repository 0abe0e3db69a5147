"""The conditions of a Condition step.

Knows no values: `engine/conditions.py` evaluates. The SDK writes In with QueryValue and Values, the published
schema with Value and In; both are accepted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from passrole.definition.expressions import Constant, Expression
from passrole.definition.node import Node

COMPARISONS = ("Equals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One of COMPARISONS between two values of like type."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class In:
    """The value is one of the values."""

    value: Expression
    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The inner condition does not hold."""

    condition: "Condition"


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of the conditions holds."""

    conditions: tuple["Condition", ...]


Condition: TypeAlias = Comparison | In | Not | Or


def read_condition(node: Node) -> Condition:
    """The condition in an object such as `{"Type": "Equals", "LeftValue": .., "RightValue": ..}`."""
    type_ = node.choice("Type", tuple(_READERS))
    condition = _READERS[type_](node) if type_ else _NOTHING
    if type_:  # an unknown type is one problem, and its properties are not reported too
        node.close()
    return condition


def expressions_of(condition: Condition) -> Iterator[Expression]:
    """All expressions in a condition."""
    match condition:
        case Comparison(left=left, right=right):
            yield left
            yield right
        case In(value=value, values=values):
            yield value
            yield from values
        case Not(condition=inner):
            yield from expressions_of(inner)
        case Or(conditions=parts):
            for part in parts:
                yield from expressions_of(part)


def _read_comparison(node: Node) -> Condition:
    operator = node.choice("Type", COMPARISONS) or ""
    return Comparison(operator, node.expression("LeftValue"), node.expression("RightValue"))


def _read_in(node: Node) -> Condition:
    by_schema = node.has("Value") or node.has("In")
    value, values = ("Value", "In") if by_schema else ("QueryValue", "Values")
    return In(node.expression(value), node.expressions(values))


def _read_not(node: Node) -> Condition:
    inner = node.object("Condition")
    return Not(read_condition(inner) if inner else _NOTHING)


def _read_or(node: Node) -> Condition:
    return Or(tuple(read_condition(each) for each in node.objects("Conditions")))


_NOTHING = Comparison("Equals", Constant(None), Constant(None))
"""A placeholder for a condition that could not be read; its problem is already in the list."""

_READERS: dict[str, Callable[[Node], Condition]] = {
    **dict.fromkeys(COMPARISONS, _read_comparison),
    "In": _read_in,
    "Not": _read_not,
    "Or": _read_or,
}
