"""Expressions by what arrives in a function's event."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from passrole.definition import parse
from passrole.engine import State, begin, decide
from passrole.engine.commands import InvokeFunction
from passrole.engine.facts import ExecutionStarted, LambdaReturned

Started = Callable[..., ExecutionStarted]
PARAMETERS: dict[str, tuple[str, Any]] = {
    "S": ("String", "text"),
    "I": ("Integer", 3),
    "F": ("Float", 1.5),
    "B": ("Boolean", True),
}
RESULT = {"s": "7", "i": 7, "b": False, "f": 2, "nested": {"a": [1]}, "bad": "seven"}
TYPES = {"s": "String", "i": "Integer", "b": "Boolean", "f": "Float", "nested": "String", "bad": "Integer"}


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def join(*values: Any, on: str = "/") -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


RESOLVED: list[tuple[Any, Any]] = [
    ([None, 1, {"a": "b"}], [None, 1, {"a": "b"}]),
    (get("Parameters.S"), "text"),
    (get("Parameters.I"), 3),
    (get("Parameters.F"), 1.5),
    (get("Parameters.B"), True),
    ({"deep": [{"x": get("Parameters.I")}, 2]}, {"deep": [{"x": 3}, 2]}),
    (join("s3:/", get("Parameters.S"), get("Parameters.I")), "s3://text/3"),
    (join(get("Parameters.B"), get("Parameters.F"), on=""), "true1.5"),
    (join(), ""),
    (join(join("a", "b", on="-"), "c"), "a-b/c"),
    (get("Execution.PipelineName"), "P"),
    (get("Execution.PipelineArn"), "arn:pipeline/P"),
    (get("Execution.PipelineExecutionId"), "e1"),
    (get("Execution.PipelineExecutionArn"), "arn:pipeline/P/execution/e1"),
    (get("PipelineExperimentConfig.ExperimentName"), "p"),  # as AWS names an experiment after its pipeline
    (get("PipelineExperimentConfig.TrialName"), "e1"),
    (get("Execution.StartDateTime"), "1970-01-01T00:00:10.000Z"),
    (get("Execution.CurrentDateTime"), "1970-01-01T00:00:11.500Z"),
    (get("Steps.a.OutputParameters['s']"), "7"),
    (get("Steps.a.OutputParameters['i']"), 7),
    (get("Steps.a.OutputParameters['b']"), False),
    (get("Steps.a.OutputParameters['f']"), 2.0),
    (get("Steps.a.OutputParameters['nested']"), '{"a":[1]}'),
    (get("Steps.q.Outcome"), True),
    (join(get("Steps.q.Outcome"), get("Steps.a.OutputParameters['b']")), "true/false"),
]

UNRESOLVABLE: list[tuple[Any, str]] = [
    (
        get("Execution.TrainingJobName"),
        "Execution.TrainingJobName has no value in a step that starts no job.",
    ),
    (
        get("Steps.a.OutputParameters['nested'].a[0]"),
        "'Steps.a.OutputParameters['nested'].a[0]' refers into a value: outputs are strings, not structures.",
    ),
    (get("Steps.a.OutputParameters['bad']"), "Output 'bad' of step 'a' is not of type Integer: 'seven'."),
]


def run(value: Any, started: Started, **members: Any) -> tuple[State, tuple[object, ...]]:
    """A pipeline a -> q -> b where b has `value` as its argument, up to the start of b."""
    function = {"Type": "Lambda", "FunctionArn": "arn:f"}
    outputs = [{"OutputName": name, "OutputType": type_} for name, type_ in TYPES.items()]
    condition: dict[str, list[Any]] = {"Conditions": [], "IfSteps": [], "ElseSteps": []}
    document = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": name, "Type": type_} for name, (type_, _) in PARAMETERS.items()],
        "Steps": [
            function | {"Name": "a", "OutputParameters": outputs},
            {"Name": "q", "Type": "Condition", "DependsOn": ["a"], "Arguments": condition},
            function | {"Name": "b", "DependsOn": ["q"], "Arguments": {"x": value}} | members,
        ],
    }
    values = {name: each for name, (_, each) in PARAMETERS.items()}
    state = decide(begin(parse(json.dumps(document))), started(at=10.0, **values)).state
    returned = LambdaReturned(at=11.5, step="a", attempt=1, payload=json.dumps(RESULT))
    decision = decide(state, returned)
    return decision.state, decision.commands


@pytest.mark.parametrize(("value", "resolved"), RESOLVED, ids=[str(value) for value, _ in RESOLVED])
def test_a_value_arrives_with_its_type(value: Any, resolved: Any, started: Started) -> None:
    _, (command,) = run(value, started)
    assert isinstance(command, InvokeFunction)
    arrived = command.payload["x"]
    assert (type(arrived), arrived) == (type(resolved), resolved)


@pytest.mark.parametrize(("value", "why"), UNRESOLVABLE, ids=[str(value) for value, _ in UNRESOLVABLE])
def test_a_value_that_is_not_there_fails_the_step_that_asks(value: Any, why: str, started: Started) -> None:
    state, commands = run(value, started)
    assert not commands
    asking = state.steps["b"]
    assert (asking.status, asking.failure_reason) == ("Failed", f"ClientError: {why}")
    assert (asking.started_at, asking.ended_at, asking.metadata) == (11.5, 11.5, {})
    assert state.status == "Failed"


def test_a_function_may_come_from_a_parameter(started: Started) -> None:
    _, (command,) = run(1, started, FunctionArn=get("Parameters.S"))
    assert isinstance(command, InvokeFunction)
    assert command.function_arn == "text"


def test_a_function_that_is_no_string_fails_the_step(started: Started) -> None:
    state, _ = run(1, started, FunctionArn=get("Parameters.I"))
    assert state.steps["b"].failure_reason == "ClientError: The value of FunctionArn is not a string."


def test_the_outcome_of_a_condition_that_failed_fails_who_refers_to_it(started: Started) -> None:
    unlike = {"Type": "Equals", "LeftValue": 1, "RightValue": "1"}
    condition = {"Name": "q", "Type": "Condition", "Arguments": {"Conditions": [unlike]}}
    refers = {
        "Name": "b",
        "Type": "Lambda",
        "FunctionArn": "arn:b",
        "Arguments": {"x": get("Steps.q.Outcome")},
        "DependsOn": [{"Step": "q", "Trigger": "Failed"}],
    }
    text = json.dumps({"Version": "2020-12-01", "Steps": [condition, refers]})
    state = decide(begin(parse(text)), started()).state
    assert state.steps["b"].status == "Failed"
    assert state.steps["b"].failure_reason == "ClientError: Step 'q' has no outcome: it failed."
