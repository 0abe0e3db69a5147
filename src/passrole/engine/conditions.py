"""Whether a condition holds, given the values of its expressions.

Values of unlike types cannot be compared and make the Condition step fail, as in SageMaker's own
local mode; within In an unlike value is just no match. Numbers are one type, booleans are not numbers.
"""

import operator
from collections.abc import Callable, Iterable
from typing import Any

from passrole.definition.conditions import Comparison, Condition, In, Not, Or
from passrole.definition.expressions import Json
from passrole.engine.resolve import resolve
from passrole.engine.scope import Scope, Unresolvable


def all_hold(conditions: Iterable[Condition], scope: Scope) -> bool:
    """Whether every condition holds: a Condition step's list is an AND."""
    return all(holds(condition, scope) for condition in conditions)


def holds(condition: Condition, scope: Scope) -> bool:
    """Whether one condition holds; Unresolvable where its values cannot be compared."""
    match condition:
        case Comparison(operator=name, left=left, right=right):
            return _compare(name, resolve(left, scope), resolve(right, scope))
        case In(value=value, values=values):
            wanted = resolve(value, scope)
            return any(_same(wanted, resolve(each, scope)) for each in values)
        case Not(condition=inner):
            return not holds(inner, scope)
        case Or(conditions=parts):
            return any(holds(each, scope) for each in parts)


def _compare(name: str, left: Json, right: Json) -> bool:
    kind, compare = _kind(left), _COMPARE[name]
    if kind is None or kind != _kind(right) or (kind == "Boolean" and name != "Equals"):
        sides = f"{_describe(left)} and {_describe(right)}"
        raise Unresolvable(f"Condition {name} cannot compare {sides}.")
    return compare(left, right)


def _same(left: Json, right: Json) -> bool:
    return _kind(left) is not None and _kind(left) == _kind(right) and left == right


def _kind(value: Json) -> str | None:
    return _KINDS.get(type(value))


def _describe(value: Json) -> str:
    return _kind(value) or "a value that is no scalar"


_KINDS: dict[type, str] = {str: "String", bool: "Boolean", int: "Number", float: "Number"}

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
