from typing import Any

import pytest

from passrole.definition.conditions import COMPARISONS, Comparison, Condition, In, Not, Or, read_condition
from passrole.definition.expressions import Constant
from passrole.definition.node import Node
from passrole.definition.problems import Problem

EQUAL = {"Type": "Equals", "LeftValue": 1, "RightValue": 2}
ONE, TWO = Constant(1), Constant(2)
READ: list[tuple[dict[str, Any], Condition]] = [
    *((EQUAL | {"Type": name}, Comparison(name, ONE, TWO)) for name in COMPARISONS),
    ({"Type": "In", "QueryValue": 1, "Values": [1, 2]}, In(ONE, (ONE, TWO))),
    ({"Type": "In", "Value": 1, "In": [1, 2]}, In(ONE, (ONE, TWO))),
    ({"Type": "Not", "Condition": EQUAL}, Not(Comparison("Equals", ONE, TWO))),
    ({"Type": "Or", "Conditions": [EQUAL]}, Or((Comparison("Equals", ONE, TWO),))),
]

REFUSED: list[dict[str, Any]] = [
    {},
    {"Type": "Like", "LeftValue": 1, "RightValue": 1},
    {"Type": "Equals", "LeftValue": 1},
    EQUAL | {"Extra": 1},
    {"Type": "In", "QueryValue": 1, "Values": 1},
    {"Type": "Not", "Condition": []},
    {"Type": "Or", "Conditions": [1]},
]


@pytest.mark.parametrize(("value", "condition"), READ, ids=[str(value) for value, _ in READ])
def test_spelling_becomes_condition(value: dict[str, Any], condition: Condition) -> None:
    found: list[Problem] = []
    assert read_condition(Node(value, "c", found)) == condition
    assert not found


@pytest.mark.parametrize("value", REFUSED, ids=str)
def test_misspelling_is_one_problem(value: dict[str, Any]) -> None:
    found: list[Problem] = []
    read_condition(Node(value, "c", found))
    assert len(found) == 1
