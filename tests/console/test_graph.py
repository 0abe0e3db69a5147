"""Where steps stand: below what they depend on, never on each other, always the same."""

import itertools
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from passrole.console import graph
from passrole.console.steps import StepLine


@st.composite
def acyclic(draw: st.DrawFn) -> Mapping[str, tuple[str, ...]]:
    names = [f"s{number}" for number in range(draw(st.integers(0, 25)))]
    return {
        name: tuple(draw(st.lists(st.sampled_from(names[:index]), unique=True, max_size=4)) if index else ())
        for index, name in enumerate(names)
    }


@given(acyclic())
def test_each_stands_below_its_dependencies_and_on_nobody(
    dependencies: Mapping[str, tuple[str, ...]],
) -> None:
    picture = graph.layout(dependencies, list(dependencies))
    nodes = {node.name: node for node in picture.nodes}
    assert nodes.keys() == dependencies.keys()
    for name, needed in dependencies.items():
        assert all(nodes[each].y < nodes[name].y for each in needed)
    for one, other in itertools.combinations(picture.nodes, 2):
        assert one.y != other.y or abs(one.x - other.x) >= graph.WIDTH
    assert all(node.x >= 0 and node.x + graph.WIDTH <= picture.width for node in picture.nodes)
    assert picture == graph.layout(dependencies, list(dependencies))


def test_an_edge_that_says_nothing_is_not_drawn() -> None:
    picture = graph.layout({"a": (), "b": ("a",), "c": ("a", "b")}, ["a", "b", "c"])
    assert [(edge.start, edge.end) for edge in picture.edges] == [("a", "b"), ("b", "c")]


def test_two_thousand_steps_in_a_row_and_side_by_side() -> None:
    names = [f"s{number}" for number in range(2000)]
    chain = {name: tuple(names[index - 1 : index]) for index, name in enumerate(names)}
    fan = {name: ("s0",) if index else () for index, name in enumerate(names)}
    for dependencies in (chain, fan):
        assert len(graph.layout(dependencies, names).nodes) == 2000


def test_all_edges_are_two_paths_however_many_there_are() -> None:
    dependencies: dict[str, list[str]] = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
    picture = graph.layout(dependencies, ["a", "b", "c", "d"])
    lines = {name: StepLine(name, "Lambda", "Succeeded") for name in "abd"}
    taken, faint = picture.paths({**lines, "c": StepLine("c", "Lambda", graph.NOT_TAKEN)})
    assert (taken.count("M"), faint.count("M")) == (3, 1)
    assert faint == next(edge.path for edge in picture.edges if edge.end == "c")
