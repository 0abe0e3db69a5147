"""Which steps can run by themselves, and what they take from an earlier execution."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from passrole.definition import Pipeline
from passrole.engine import State, begin, decide, facts
from passrole.engine.selection import Unselectable, reused_steps

PipelineOf = Callable[[str], Pipeline]
Started = Callable[..., facts.ExecutionStarted]
Play = Callable[[str, str], State]
STEPS = "l1 l2<l1> q1<l2>?yes{l3|l4} l3 l4 l5<l2> l6"
SCRIPT = """
start    -> l1! l6!
l6 breaks -> -
l1 ok    -> l2!
l2 ok    -> l5! l3!
l3 ok    -> -
l5 ok    -> Failed
"""


@pytest.fixture
def source(play: Play) -> State:
    """An execution of STEPS in which l6 failed and l4 was not reached."""
    return play(STEPS, SCRIPT)


@pytest.mark.parametrize(
    ("selected", "reused"),
    [
        (["l1"], []),
        (["l6"], []),
        (["l1", "l2"], []),
        (["l2"], ["l1"]),
        (["l5", "q1"], ["l2"]),
        (["l3"], ["q1"]),
        (["q1", "l4"], ["l2"]),
        (["l5", "l5", "l1", "l2"], []),
    ],
)
def test_what_selected_steps_wait_for_is_reused(
    pipeline_of: PipelineOf, source: State, selected: list[str], reused: list[str]
) -> None:
    found = reused_steps(pipeline_of(STEPS), selected, source)
    assert found == {name: source.steps[name] for name in reused}


@pytest.mark.parametrize(
    ("selected", "sentence"),
    [
        (["l1", "x", "y"], "no steps [x, y]"),
        (["l1", "l5"], "[l2] lie between"),
        (["l1", "l3"], "[l2, q1] lie between"),
        (["l4"], "in the branch that q1 did not take"),
    ],
)
def test_a_selection_that_cannot_run_by_itself_is_refused(
    pipeline_of: PipelineOf, source: State, selected: list[str], sentence: str
) -> None:
    with pytest.raises(Unselectable) as caught:
        reused_steps(pipeline_of(STEPS), selected, source)
    assert sentence in str(caught.value)


def test_a_source_is_needed_only_by_who_waits_for_something(pipeline_of: PipelineOf) -> None:
    assert reused_steps(pipeline_of(STEPS), ["l1"], None) == {}
    with pytest.raises(Unselectable, match="SourcePipelineExecutionArn: null"):
        reused_steps(pipeline_of(STEPS), ["l2"], None)


def test_a_step_that_did_not_succeed_cannot_be_reused(pipeline_of: PipelineOf, play: Play) -> None:
    failed = play("l1 l2<l1>", "start -> l1!\nl1 breaks -> Failed")
    for source in (failed, play("l1 l2<l1>", "start -> l1!")):
        with pytest.raises(Unselectable, match="have not succeeded"):
            reused_steps(pipeline_of("l1 l2<l1>"), ["l2"], source)


def test_only_selected_steps_run_and_the_journal_gives_their_state(
    pipeline_of: PipelineOf,
    started: Started,
    source: State,
    replay: Callable[[Pipeline, list[facts.Fact]], State],
) -> None:
    pipeline, selected = pipeline_of(STEPS), ("q1", "l3")
    reused = {name: step.metadata for name, step in reused_steps(pipeline, selected, source).items()}
    fact = replace(started(), selected=selected, source="arn:source", reused=reused)
    first = decide(begin(pipeline), fact)
    assert [command.step for command in first.commands] == ["l3"]
    second = decide(first.state, facts.LambdaReturned(at=1, step="l3", attempt=1, payload="{}"))
    assert second.state.status == "Succeeded"
    shown = [(name, step.status, step.source) for name, step in second.state.steps.items()]
    assert shown == [
        ("l2", "Succeeded", "arn:source"),
        ("q1", "Succeeded", None),
        ("l3", "Succeeded", None),
    ]
    assert replay(pipeline, [*first.facts, *second.facts]) == second.state
