"""ForEach steps: what starts when, how a loop ends, and what comes after it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.engine.loop_runs import ITEM, Json, Run, Started, lambda_step, loop, pipeline_of

from passrole.definition.expressions import Json as Document
from passrole.engine import begin, commands, decide, facts, loops
from passrole.engine.selection import Unselectable, reused_steps


@pytest.fixture
def run(started: Started) -> Callable[..., Run]:
    def start(*steps: Json, slots: int | None = None, **parameters: Json) -> Run:
        names = [(name, "String") for name in parameters]
        return Run(pipeline_of(*steps, parameters=names), started(max_parallel_steps=slots, **parameters))

    return start


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (["a", 1, 2.5, True], ["a", 1, 2.5, True]),
        ([{"Get": "Parameters.P"}, "b"], ['["x", {"n": [7]}]', "b"]),
        ({"Get": "Parameters.P"}, ["x", {"n": [7]}]),
        ({"Std:Join": {"On": ",", "Values": ["[1", "2]"]}}, [1, 2]),
    ],
)
def test_items_are_a_list_or_the_json_text_of_one(
    run: Callable[..., Run], items: Json, expected: list[Json]
) -> None:
    execution = run(loop("F", items, lambda_step("A", {"i": ITEM})), P='["x", {"n": [7]}]')
    assert [execution.payload(f"A-{i}") for i in range(len(expected))] == [{"i": each} for each in expected]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nothing", "The value of IterableItems is not a list, nor the JSON text of one."),
        ('{"a": 1}', "The value of IterableItems is not a list, nor the JSON text of one."),
        (json.dumps(["x" * 12_801]), "Item 0 has more than 12800 characters."),
        (json.dumps([0] * 10_001), "The iterations have 10001 steps together, the maximum is 10000."),
    ],
)
def test_items_that_are_none_fail_the_loop(run: Callable[..., Run], text: str, why: str) -> None:
    execution = run(loop("F", {"Get": "Parameters.P"}, lambda_step("A")), P=text)
    assert execution.status == "Failed"
    assert execution.state.steps["F"].failure_reason == f"ClientError: {why}"


def test_a_loop_over_nothing_succeeds(run: Callable[..., Run]) -> None:
    execution = run(loop("F", {"Get": "Parameters.P"}, lambda_step("A")), P="[]")
    assert execution.status == "Succeeded"
    assert execution.metadata() == {
        "Status": "Succeeded",
        "InputItemCount": 0,
        "TotalStepCount": 0,
    } | dict.fromkeys(("SucceededStepCount", "FailedStepCount", "StoppedStepCount"), 0)


@pytest.mark.parametrize(
    ("item", "path", "value"),
    [
        ('{"name": "n", "a": {"b": [5]}}', ".name", "n"),
        ('{"name": "n", "a": {"b": [5]}}', ".a.b[0]", 5),
        ('{"name": "n"}', "['name']", "n"),
        ('{"name": "n"}', ".other", None),
        ("no json", ".name", None),
        ("7", ".name", None),
    ],
)
def test_members_of_an_item_are_those_of_its_json_text(
    run: Callable[..., Run], item: str, path: str, value: Json
) -> None:
    reference = {"Get": f"ForEach.CurrentItem{path}"}
    execution = run(loop("F", [item], lambda_step("A", {"v": reference, "l": [reference]})))
    if value is not None:
        assert execution.payload("A-0") == {"v": value, "l": [value]}
    else:
        wanted = f"ClientError: The item of the iteration has no value at 'ForEach.CurrentItem{path}'."
        assert execution.state.steps["A-0"].failure_reason == wanted
        assert execution.metadata()["FailedStepCount"] == 1


def test_steps_of_a_body_wait_within_their_iteration_and_go_before_new_iterations(
    run: Callable[..., Run],
) -> None:
    second = lambda_step("B", {"before": {"Get": "Steps.A.OutputParameters['score']"}})
    execution = run(loop("F", ["x", "y", "z"], lambda_step("A"), second, at_once=2))
    assert list(execution.open) == ["A-0", "A-1"]
    execution.returns("A-1", {"score": 5})
    assert list(execution.open) == ["A-0", "B-1"]
    assert execution.payload("B-1") == {"before": 5}
    execution.returns("A-0", {"score": 4})
    execution.returns("B-1")
    assert list(execution.open) == ["B-0", "A-2"]
    for each in ("B-0", "A-2"):
        execution.returns(each, {"score": 1})
    execution.returns("B-2")
    assert execution.status == "Succeeded"
    assert execution.metadata()["SucceededStepCount"] == 6


def test_a_loop_takes_no_slot_and_its_steps_do(run: Callable[..., Run]) -> None:
    execution = run(loop("F", ["x", "y"], lambda_step("A")), lambda_step("L"), slots=1)
    assert list(execution.open) == ["L"]
    execution.returns("L")
    assert list(execution.open) == ["A-0"]
    execution.returns("A-0")
    execution.returns("A-1")
    assert (execution.status, execution.most) == ("Succeeded", 1)


def test_an_iteration_that_fails_ends_neither_the_others_nor_the_loop_before_them(
    run: Callable[..., Run],
) -> None:
    after = lambda_step("Z", DependsOn=["F"])
    caught = lambda_step("C", DependsOn=[{"Step": "F", "Trigger": "Failed"}])
    second = lambda_step("B", DependsOn=["A"])
    execution = run(loop("F", [1, 2, 3], lambda_step("A"), second, at_once=1), after, caught)
    execution.breaks("A-0")
    for each in ("A-1", "B-1", "A-2", "B-2"):
        execution.returns(each)
    assert execution.statuses["F"] == "Failed"
    assert (
        execution.state.steps["F"].failure_reason == "ClientError: 1 of the 6 steps of the iterations failed."
    )
    assert execution.metadata() == {
        "Status": "Failed",
        "InputItemCount": 3,
        "TotalStepCount": 6,
        "SucceededStepCount": 4,
        "FailedStepCount": 1,
        "StoppedStepCount": 0,
    }
    execution.returns("C")
    assert "Z" not in execution.statuses and "B-0" not in execution.statuses
    assert execution.status == "CompletedWithFailures"


def test_what_outputs_and_counts_are_after_a_loop(run: Callable[..., Run]) -> None:
    asked = {
        "zeroth": "Steps.F.IterationOutputs[0].A.OutputParameters['score']",
        "selected": "Steps.F.Selected.OutputParameters['score']",
        "status": "Steps.F.Status",
        "items": "Steps.F.InputItemCount",
    }
    after = lambda_step("Z", {name: {"Get": path} for name, path in asked.items()})
    field = {"Get": "IterationOutput.A.OutputParameters['score']"}
    execution = run(loop("F", [1, 2, 3], lambda_step("A"), Selector={"Pick": "MinBy", "Field": field}), after)
    for each, score in (("A-0", 4), ("A-1", 2), ("A-2", 2)):
        execution.returns(each, {"score": score})
    assert execution.metadata()["Selector"] == {"StepName": "A", "Index": 1}
    assert execution.payload("Z") == {"zeroth": 4, "selected": 2, "status": "Succeeded", "items": 3}


def test_an_iteration_that_is_not_there_has_no_outputs(run: Callable[..., Run]) -> None:
    after = lambda_step("Z", {"x": {"Get": "Steps.F.IterationOutputs[3].A.OutputParameters['score']"}})
    execution = run(loop("F", [1, 2, 3], lambda_step("A")), after)
    for each in ("A-0", "A-1", "A-2"):
        execution.returns(each, {"score": 1})
    wanted = (
        "ClientError: Step 'F' has no value at 'Steps.F.IterationOutputs[3].A.OutputParameters['score']'."
    )
    assert execution.state.steps["Z"].failure_reason == wanted


def test_a_selector_without_a_number_fails_its_loop(run: Callable[..., Run]) -> None:
    field = {"Get": "IterationOutput.A.OutputParameters['score']"}
    execution = run(loop("F", [1], lambda_step("A"), Selector={"Pick": "MaxBy", "Field": field}))
    execution.returns("A-0", {})
    assert execution.state.steps["F"].failure_reason == (
        "ClientError: The selector finds no number at 'A.OutputParameters['score']' of any iteration."
    )


def test_a_stop_ends_the_steps_and_then_the_loop_and_a_retry_runs_only_the_rest(
    run: Callable[..., Run],
) -> None:
    execution = run(loop("F", [1, 2, 3, 4], lambda_step("A"), at_once=2), lambda_step("Z", DependsOn=["F"]))
    execution.returns("A-0")
    execution.tell(facts.StopRequested(at=1))
    assert execution.statuses["F"] == "Stopping"
    execution.returns("A-1")
    assert execution.statuses["F"] == "Stopping"
    execution.open.clear()
    withdrawn = facts.CommandWithdrawn(at=1, step="A-2", attempt=1)
    execution.tell(withdrawn)
    assert (execution.statuses["F"], execution.status) == ("Stopped", "Stopped")
    assert execution.metadata()["Status"] == "Stopped"
    assert (execution.metadata()["SucceededStepCount"], execution.metadata()["StoppedStepCount"]) == (2, 1)
    execution.tell(facts.ExecutionRetried(at=2))
    assert list(execution.open) == ["A-2", "A-3"]
    assert execution.open["A-2"].attempt == 2
    assert not execution.tell(withdrawn), "the attempt before is over"
    for each in ("A-2", "A-3"):
        execution.returns(each)
    execution.returns("Z")
    assert execution.status == "Succeeded"
    assert (execution.metadata()["SucceededStepCount"], execution.metadata()["StoppedStepCount"]) == (4, 0)
    assert execution.state.steps["F"].attempt == 2


def test_after_a_fail_step_a_loop_is_cut_short(run: Callable[..., Run]) -> None:
    fail = {"Name": "X", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}, "DependsOn": ["L"]}
    execution = run(loop("F", [1, 2], lambda_step("A"), at_once=1), lambda_step("L"), fail)
    execution.returns("L")
    execution.returns("A-0")
    assert execution.statuses == {
        "F": "Stopped",
        "L": "Succeeded",
        "A-0": "Succeeded",
        "X": "Failed",
    }
    assert execution.status == "Failed"


def test_a_loop_waits_for_what_its_body_refers_to(run: Callable[..., Run]) -> None:
    body = lambda_step("A", {"from": {"Get": "Steps.L.OutputParameters['score']"}})
    execution = run(loop("F", [1], body), lambda_step("L"))
    assert list(execution.open) == ["L"]
    execution.returns("L", {"score": 3})
    assert execution.payload("A-0") == {"from": 3}


def test_items_in_s3_are_read_once_though_the_execution_is_retried(run: Callable[..., Run]) -> None:
    get = {"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": "items"}}
    execution = run(loop("F", get, lambda_step("A", {"i": ITEM})))
    assert isinstance(execution.open.pop("F"), commands.ReadJson)
    execution.tell(facts.JsonRead(at=1, step="F", attempt=1, values=[("s3://b/k", "items", ["x"])]))
    execution.breaks("A-0")
    execution.tell(facts.ExecutionRetried(at=2))
    assert list(execution.open) == ["A-0"]
    assert execution.payload("A-0") == {"i": "x"}


def test_a_step_of_a_body_reads_what_its_item_names(run: Callable[..., Run]) -> None:
    get = {"Std:JsonGet": {"S3Uri": {"Std:Join": {"On": "", "Values": ["s3://b/", ITEM]}}, "Path": "a"}}
    execution = run(loop("F", ["x", "y"], lambda_step("A", {"v": get})))
    wanted = [execution.open[name] for name in ("A-0", "A-1")]
    read = [list(each.wanted[0]) for each in wanted if isinstance(each, commands.ReadJson)]
    assert read == [["s3://b/x", "a"], ["s3://b/y", "a"]]


def test_a_stub_stands_for_a_step_in_all_iterations_or_in_one(started: Started) -> None:
    pipeline = pipeline_of(loop("F", ["x", "y", "z"], lambda_step("A")))
    stubs: Json = {"A": {"Outputs": {"score": 1}}, "A-1": {"FailureReason": "no"}}
    state = decide(begin(pipeline), _with(started(), stubs=stubs)).state
    assert {name: step.status for name, step in state.steps.items()} == {
        "F": "Failed",
        "A-0": "Succeeded",
        "A-1": "Failed",
        "A-2": "Succeeded",
    }


def test_a_stub_stands_for_a_whole_loop(started: Started) -> None:
    asked = {"Get": "Steps.F.IterationOutputs[0].A.OutputParameters['score']"}
    pipeline = pipeline_of(loop("F", ["x"], lambda_step("A")), lambda_step("Z", {"x": asked}))
    outputs: Json = {"IterationOutputs": [{"A": {"OutputParameters": {"score": 9}}}]}
    stubs = {"F": {"Properties": outputs}}
    decision = decide(begin(pipeline), _with(started(), stubs=stubs))
    (command,) = decision.commands
    assert isinstance(command, commands.InvokeFunction)
    assert command.payload == {"x": 9}


def test_a_loop_that_is_not_selected_is_taken_over_with_its_iterations(
    run: Callable[..., Run], started: Started
) -> None:
    field = {"Get": "IterationOutput.A.OutputParameters['score']"}
    asked = {
        "one": {"Get": "Steps.F.IterationOutputs[1].A.OutputParameters['score']"},
        "most": {"Get": "Steps.F.Selected.OutputParameters['score']"},
    }
    steps = (
        loop("F", ["x", "y"], lambda_step("A"), Selector={"Pick": "MaxBy", "Field": field}),
        lambda_step("Z", asked),
    )
    before = run(*steps)
    for name, score in (("A-0", 8), ("A-1", 6)):
        before.returns(name, {"score": score})
    reused = reused_steps(before.pipeline, ["Z"], before.state)
    assert list(reused) == ["F", "A-0", "A-1"]
    began = _with(
        started(),
        selected=("Z",),
        source="arn:before",
        reused={name: step.metadata for name, step in reused.items()},
        reused_items={"F": before.state.loops["F"].items},
    )
    after = Run(before.pipeline, began)
    assert after.payload("Z") == {"one": 6, "most": 8}
    assert after.state.steps["A-1"].source == "arn:before"
    with pytest.raises(Unselectable):
        reused_steps(before.pipeline, ["A-0"], before.state)


def test_old_journals_know_no_items() -> None:
    row: dict[str, Document] = {"fact": "StepStarted", "at": 1.0, "step": "l1", "attempt": 1}
    assert facts.from_json(row) == facts.StepStarted(at=1.0, step="l1", attempt=1)
    assert facts.to_json(facts.from_json(row)) == row, "and a step that is no loop is written as before"


def _with(fact: facts.ExecutionStarted, **members: Any) -> facts.ExecutionStarted:
    return facts.ExecutionStarted(
        **{name: members.get(name, getattr(fact, name)) for name in fact.__dataclass_fields__}
    )


def test_a_thousand_items_are_as_cheap_each_as_a_hundred(run: Callable[..., Run]) -> None:
    """Counted, not timed: how often the engine looks whether a step of an iteration may start."""

    def looks(count: int) -> int:
        execution = run(
            loop("F", {"Get": "Parameters.P"}, lambda_step("A"), at_once=10), P=str(list(range(count)))
        )
        with pytest.MonkeyPatch.context() as patch:
            seen, real = [0], loops._may_start

            def counted(*arguments: Any) -> bool:
                seen[0] += 1
                return real(*arguments)

            patch.setattr(loops, "_may_start", counted)
            while execution.open:
                execution.returns(next(iter(execution.open)))
        assert execution.status == "Succeeded"
        return seen[0]

    assert looks(1_000) <= 11 * looks(100)
