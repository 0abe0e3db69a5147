from typing import Any

import pytest

from passrole.definition.expressions import (
    Constant,
    Expression,
    Join,
    ListOf,
    ObjectOf,
    ParameterRef,
    StepRef,
    VariableRef,
    read_expression,
    references,
)
from passrole.definition.problems import Problem

P = {"Get": "Parameters.P"}
READ: list[tuple[Any, Expression]] = [
    (1, Constant(1)),
    (None, Constant(None)),
    ({"a": [1, {"b": None}]}, Constant({"a": [1, {"b": None}]})),
    (P, ParameterRef("P")),
    ({"Get": "Execution.StartDateTime"}, VariableRef("StartDateTime")),
    ({"Get": "Steps.A.Outcome"}, StepRef("A", ("Outcome",), "Steps.A.Outcome")),
    (
        {"Get": "Steps.A-b.OutputParameters['x.y'][3].z"},
        StepRef("A-b", ("OutputParameters", "x.y", 3, "z"), "Steps.A-b.OutputParameters['x.y'][3].z"),
    ),
    ({"Std:Join": {"On": "/", "Values": ["a", P]}}, Join("/", (Constant("a"), ParameterRef("P")))),
    ({"Std:Join": {"Values": []}}, Join("", ())),
    ([1, P], ListOf((Constant(1), ParameterRef("P")))),
    ({"k": P, "l": [1]}, ObjectOf((("k", ParameterRef("P")), ("l", Constant([1]))))),
    ({"Get": "Parameters.P", "and": 1}, Constant({"Get": "Parameters.P", "and": 1})),
]

REFUSED: list[Any] = [
    {"Get": 5},
    {"Get": ""},
    {"Get": "Parameters"},
    {"Get": "Parameters.a.b"},
    {"Get": "Parameters.a b"},
    {"Get": "Execution.Nothing"},
    {"Get": "Steps"},
    {"Get": "Steps.A"},
    {"Get": "Steps.A.['x'"},
    {"Get": "Steps.A.B[-1]"},
    {"Get": "Steps.A..B"},
    {"Std:Join": []},
    {"Std:Join": {"On": 1, "Values": []}},
    {"Std:Join": {"On": ","}},
    {"Std:Join": {"On": ",", "Values": [], "Else": 1}},
    {"Std:Upper": "x"},
]


@pytest.mark.parametrize(("value", "expression"), READ, ids=[str(value) for value, _ in READ])
def test_spelling_becomes_expression(value: Any, expression: Expression) -> None:
    found: list[Problem] = []
    assert read_expression(value, "x", found) == expression
    assert not found


@pytest.mark.parametrize("value", REFUSED, ids=str)
def test_misspelling_is_one_problem(value: Any) -> None:
    found: list[Problem] = []
    read_expression(value, "x", found)
    assert len(found) == 1


def test_references_are_found_wherever_they_are() -> None:
    value: Any = {
        "a": [P, {"b": {"Std:Join": {"On": "", "Values": [{"Get": "Steps.S.Outcome"}, "c"]}}}],
        "d": 1,
    }
    found = list(references(read_expression(value, "x", [])))
    assert found == [ParameterRef("P"), StepRef("S", ("Outcome",), "Steps.S.Outcome")]
