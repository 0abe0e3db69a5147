from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.definition import parse
from passrole.definition.graph import Branch, Graph

LambdaStep = Callable[..., dict[str, Any]]


def test_an_edge_comes_from_depends_on_from_references_and_from_branches(
    text_of: Callable[..., str], lambda_step: LambdaStep
) -> None:
    get = {"Get": "Steps.a.OutputParameters['o']"}
    a = lambda_step("a", OutputParameters=[{"OutputName": "o", "OutputType": "Integer"}])
    inside = lambda_step("d", FunctionArn={"Std:Join": {"On": "", "Values": [get]}}, DependsOn=["b"])
    condition = {
        "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": get}],
        "IfSteps": [lambda_step("c")],
        "ElseSteps": [inside],
    }
    steps = (a, lambda_step("b", DependsOn=["a"]), {"Name": "q", "Type": "Condition", "Arguments": condition})
    after = lambda_step("e", Arguments={"x": {"Get": "Steps.q.Outcome"}}, DependsOn=["d"])
    graph = parse(text_of(*steps, after)).graph
    assert graph.dependencies == {
        "a": (),
        "b": ("a",),
        "q": ("a",),
        "c": ("q",),
        "d": ("b", "a", "q"),
        "e": ("d", "q"),
    }
    assert graph.branches == {"c": Branch("q", True), "d": Branch("q", False)}
    assert graph.dependents["a"] == ("b", "q", "d")
    assert graph.downstream(["b"]) == {"d", "e"}


@pytest.mark.parametrize(
    ("edges", "cycle"),
    [
        ({"a": "", "b": "a"}, ()),
        ({"a": "a"}, ("a",)),
        ({"a": "b", "b": "a"}, ("a", "b")),
        ({"x": "a", "a": "b", "b": "c", "c": "a"}, ("a", "b", "c")),
        ({"a": "", "b": "ac", "c": "b", "d": "c"}, ("b", "c")),
    ],
)
def test_a_cycle_is_named_without_what_hangs_on_it(edges: dict[str, str], cycle: tuple[str, ...]) -> None:
    assert Graph({name: tuple(needed) for name, needed in edges.items()}, {}).cycle() == cycle


@pytest.mark.parametrize(
    ("edges", "order"),
    [
        ({"a": "", "b": "", "c": ""}, "abc"),
        ({"a": "c", "b": "", "c": ""}, "bca"),
        ({"a": "", "b": "d", "c": "a", "d": ""}, "acdb"),
        ({"d": "", "c": "d", "b": "c", "a": "b"}, "dcba"),
    ],
)
def test_the_order_has_each_step_after_what_it_needs_else_as_in_the_document(
    edges: dict[str, str], order: str
) -> None:
    graph = Graph({name: tuple(needed) for name, needed in edges.items()}, {})
    assert "".join(graph.order()) == order


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25))
def test_a_cycle_is_found_exactly_where_a_step_is_downstream_of_itself(edges: list[tuple[int, int]]) -> None:
    needed: dict[str, list[str]] = {str(n): [] for n in range(10)}
    for waiting, first in dict.fromkeys(edges):
        needed[str(waiting)].append(str(first))
    graph = Graph({name: tuple(each) for name, each in needed.items()}, {})
    cycle = graph.cycle()
    assert bool(cycle) == any(name in graph.downstream([name]) for name in needed)
    for waiting_name, first_name in pairwise((*cycle, *cycle[:1])):
        assert first_name in graph.dependencies[waiting_name]
