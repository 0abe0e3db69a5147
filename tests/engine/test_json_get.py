"""JsonGet on documents in S3: a step is prepared by reading, then starts with the values."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from passrole.definition import DefinitionError, Pipeline, parse
from passrole.definition.expressions import Constant, JsonGet
from passrole.engine import Decision, State, begin, decide, facts
from passrole.engine.commands import InvokeFunction, ReadJson, SendCallback
from passrole.engine.resolve import resolve, unread
from passrole.engine.scope import Scope

Started = Callable[..., facts.ExecutionStarted]
URI = "s3://reports/r.json"


def get(path: str = "a.b", uri: Any = URI) -> dict[str, Any]:
    return {"Std:JsonGet": {"S3Uri": uri, "Path": path}}


def function(name: str, **arguments: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Lambda", "FunctionArn": f"arn:{name}", "Arguments": arguments}


def condition(name: str, left: Any, *inner: dict[str, Any]) -> dict[str, Any]:
    greater = {"Type": "GreaterThan", "LeftValue": left, "RightValue": 1}
    arguments = {"Conditions": [greater], "IfSteps": list(inner), "ElseSteps": []}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


def pipeline(*steps: dict[str, Any]) -> Pipeline:
    return parse(json.dumps({"Version": "2020-12-01", "Steps": steps}))


def read(*values: tuple[str, str, Any], step: str = "q", at: float = 1) -> facts.JsonRead:
    return facts.JsonRead(at=at, step=step, attempt=1, values=values)


def begun(started: Started, *steps: dict[str, Any], slots: int | None = None) -> Decision:
    return decide(begin(pipeline(*steps)), started(0, slots))


def statuses(state: State) -> dict[str, str]:
    return {name: step.status for name, step in state.steps.items()}


def test_a_condition_is_decided_by_the_value_that_was_read(started: Started) -> None:
    first = begun(started, condition("q", get(), function("yes")))
    assert first.commands == (ReadJson(step="q", attempt=1, wanted=[[URI, "a.b"]]),)
    assert statuses(first.state) == {"q": "Starting"}
    then = decide(first.state, read((URI, "a.b", 2)))
    assert [command.step for command in then.commands] == ["yes"]
    assert statuses(then.state) == {"q": "Succeeded", "yes": "Executing"}
    other = decide(first.state, read((URI, "a.b", 1)))
    assert statuses(other.state) == {"q": "Succeeded"}
    assert other.state.status == "Succeeded"


def test_a_property_file_is_read_below_its_output(started: Started) -> None:
    scope = Scope(begun(started, function("l")).state, 0, {("s3://b/eval/f.json", "a"): 5})
    file = JsonGet(Constant("s3://b/eval/"), "a", file="f.json")
    assert resolve(file, scope) == 5
    assert unread([file, replace(file, path="b")], scope) == [("s3://b/eval/f.json", "b")]


def test_a_value_keeps_its_type_in_arguments_and_is_text_in_a_join(started: Started) -> None:
    step = function("l", x=get("n"), y={"Std:Join": {"On": "-", "Values": ["v", get("n"), get("o")]}})
    first = begun(started, step)
    wanted = [[URI, "n"], [URI, "o"]]
    assert first.commands == (ReadJson(step="l", attempt=1, wanted=wanted),)
    then = decide(first.state, read((URI, "n", 1.5), (URI, "o", {"k": True}), step="l"))
    (command,) = then.commands
    assert isinstance(command, InvokeFunction)
    assert command.payload == {"x": 1.5, "y": 'v-1.5-{"k":true}'}


def test_a_large_integer_stays_one(
    started: Started, replay: Callable[[Pipeline, list[facts.Fact]], State]
) -> None:
    first = begun(started, function("l", x=get("n"), y=2**80))
    then = decide(first.state, read((URI, "n", 2**70), step="l"))
    (command,) = then.commands
    assert isinstance(command, InvokeFunction)
    assert command.payload == {"x": 2**70, "y": 2**80}


def test_a_uri_may_stand_in_a_document(started: Started) -> None:
    first = begun(started, function("l", x=get("n", uri=get("where"))))
    assert first.commands == (ReadJson(step="l", attempt=1, wanted=[[URI, "where"]]),)
    then = decide(first.state, read((URI, "where", "s3://b/2.json"), step="l"))
    assert then.commands == (ReadJson(step="l", attempt=1, wanted=[["s3://b/2.json", "n"]], turn=2),)
    last = decide(then.state, read(("s3://b/2.json", "n", 7), step="l"))
    (command,) = last.commands
    assert isinstance(command, InvokeFunction)
    assert command.payload == {"x": 7}


def test_what_cannot_be_read_fails_the_step_that_asked(started: Started) -> None:
    first = begun(started, condition("q", get()))
    failed = facts.EffectFailed(at=1, step="q", attempt=1, reason="ClientError: no")
    then = decide(first.state, failed)
    assert (then.state.status, then.state.steps["q"].failure_reason) == ("Failed", "ClientError: no")
    assert decide(then.state, read((URI, "a.b", 2))).facts == ()


def test_a_step_that_reads_takes_a_slot_and_a_step_that_was_stopped_does_not_start(started: Started) -> None:
    first = begun(started, function("l", x=get()), function("m"), slots=1)
    assert [type(command) for command in first.commands] == [ReadJson]
    stopped = decide(first.state, facts.StopRequested(at=1))
    assert statuses(stopped.state) == {"l": "Stopped"}
    assert stopped.state.status == "Stopped"
    assert decide(stopped.state, read((URI, "a.b", 2), step="l")).facts == ()


def test_a_retry_reads_again(started: Started) -> None:
    first = begun(started, condition("q", get()))
    failed = decide(first.state, facts.EffectFailed(at=1, step="q", attempt=1, reason="ClientError: no"))
    again = decide(failed.state, facts.ExecutionRetried(at=2))
    assert again.commands == (ReadJson(step="q", attempt=2, wanted=[[URI, "a.b"]]),)


def test_the_message_that_says_stopping_has_the_values_of_the_first(started: Started) -> None:
    step = {"Name": "c", "Type": "Callback", "SqsQueueUrl": "https://q", "Arguments": {"x": get()}}
    state = decide(begun(started, step).state, read((URI, "a.b", 2), step="c")).state
    state = decide(state, facts.CallbackSent(at=2, step="c", attempt=1)).state
    (command,) = decide(state, facts.StopRequested(at=3)).commands
    assert isinstance(command, SendCallback)
    assert (command.status, command.arguments) == ("Stopping", {"x": 2})


def test_a_journal_with_values_folds_to_the_same_state(
    started: Started, replay: Callable[[Pipeline, list[facts.Fact]], State]
) -> None:
    first = begun(started, condition("q", get(), function("yes")))
    then = decide(first.state, read((URI, "a.b", {"k": [1]})))
    folded = replay(first.state.pipeline, [*first.facts, *then.facts])
    assert folded == then.state


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"S3Uri": URI}, "Missing required property 'Path'."),
        ({"Path": "a"}, "Missing required property 'S3Uri'."),
        ({"S3Uri": URI, "Path": "a[*]"}, "Invalid json path 'a[*]'"),
        ({"S3Uri": URI, "Path": 1}, "Invalid json path '1'"),
        ({"S3Uri": {"a": 1}, "Path": "a"}, "Value for 'S3Uri' must be of type String."),
        ({"S3Uri": URI, "Path": "a", "X": 1}, "Cannot parse object, unknown property 'X'."),
        ({"S3Uri": {"Get": "Steps.none.OutputParameters['x']"}, "Path": "a"}, "none"),
        ([], "Value for 'Std:JsonGet' must be of type Object."),
    ],
)
def test_a_bad_json_get_is_a_problem_of_the_definition(asked: Any, sentence: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        pipeline(function("l", x={"Std:JsonGet": asked}))
    assert sentence in caught.value.message
