from collections.abc import Callable
from typing import Any

import pytest

from passrole.definition.conditions import read_condition
from passrole.definition.node import Node
from passrole.engine import begin
from passrole.engine.conditions import all_hold, holds
from passrole.engine.scope import Scope, Unresolvable

NAMES = {
    "==": "Equals",
    ">": "GreaterThan",
    ">=": "GreaterThanOrEqualTo",
    "<": "LessThan",
    "<=": "LessThanOrEqualTo",
}
HOLDS: list[tuple[Any, str, Any, bool]] = [
    (1, "==", 1, True),
    (1, "==", 1.0, True),
    (1, "==", 2, False),
    ("a", "==", "a", True),
    ("a", "==", "A", False),
    (True, "==", True, True),
    (True, "==", False, False),
    (2, ">", 1, True),
    (1, ">", 1, False),
    (1, ">=", 1.0, True),
    (0.5, "<", 1, True),
    (1, "<", 1, False),
    (1, "<=", 1, True),
    ("a", "<", "b", True),
    ("10", "<", "9", True),
    (2, "in", [1, 2], True),
    (2, "in", [1, "2"], False),
    (1, "in", [True], False),
    ("a", "in", [], False),
    (None, "in", [None], False),
]
UNLIKE: list[tuple[Any, str, Any, str]] = [
    (1, "==", "1", "Condition Equals cannot compare Number and String."),
    (True, "==", 1, "Condition Equals cannot compare Boolean and Number."),
    (True, ">", False, "Condition GreaterThan cannot compare Boolean and Boolean."),
    ("a", "<", 1.5, "Condition LessThan cannot compare String and Number."),
    (
        None,
        "==",
        None,
        "Condition Equals cannot compare a value that is no scalar and a value that is no scalar.",
    ),
    (
        [1],
        "==",
        [1],
        "Condition Equals cannot compare a value that is no scalar and a value that is no scalar.",
    ),
]


def spell(left: Any, operator: str, right: Any) -> dict[str, Any]:
    if operator == "in":
        return {"Type": "In", "QueryValue": left, "Values": right}
    return {"Type": NAMES[operator], "LeftValue": left, "RightValue": right}


@pytest.fixture
def decided(pipeline_of: Callable[..., Any]) -> Callable[[dict[str, Any]], bool]:
    scope = Scope(begin(pipeline_of("")), 0)
    return lambda spelled: holds(read_condition(Node(spelled, "c", [])), scope)


@pytest.mark.parametrize(("left", "operator", "right", "outcome"), HOLDS)
def test_like_values_are_compared(
    left: Any, operator: str, right: Any, outcome: bool, decided: Callable[[dict[str, Any]], bool]
) -> None:
    condition = spell(left, operator, right)
    assert decided(condition) is outcome
    assert decided({"Type": "Not", "Condition": condition}) is not outcome


@pytest.mark.parametrize(("left", "operator", "right", "why"), UNLIKE)
def test_unlike_values_cannot_be_compared(
    left: Any, operator: str, right: Any, why: str, decided: Callable[[dict[str, Any]], bool]
) -> None:
    with pytest.raises(Unresolvable, match=why):
        decided(spell(left, operator, right))


@pytest.mark.parametrize(("sides", "outcome"), [((), False), ((0,), False), ((0, 1), True), ((1, 1), True)])
def test_or_needs_one(
    sides: tuple[int, ...], outcome: bool, decided: Callable[[dict[str, Any]], bool]
) -> None:
    assert decided({"Type": "Or", "Conditions": [spell(side, "==", 1) for side in sides]}) is outcome


@pytest.mark.parametrize(("sides", "outcome"), [((), True), ((1,), True), ((0, 1), False), ((1, 1), True)])
def test_a_condition_step_needs_all(
    sides: tuple[int, ...], outcome: bool, pipeline_of: Callable[..., Any]
) -> None:
    conditions = [read_condition(Node(spell(side, "==", 1), "c", [])) for side in sides]
    assert all_hold(conditions, Scope(begin(pipeline_of("")), 0)) is outcome
