"""What the functions and jobs of an execution wrote, by step."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.conftest import Server

from passrole import ids
from passrole.cli import main
from passrole.client.step_logs import selected

HINT = "; `passrole list` shows what there is"
SAY = "def handler(event, context):\n    print('saw', event['n'])\n    return {}\n"


def logs(server: Server, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["logs", "--data", str(server.data), *arguments])


def texts(result: Result) -> list[tuple[str, str]]:
    """Step and text of each line, without Lambda's own lines."""
    split = [line.split("  ", 2) for line in result.stdout.splitlines()]
    own = ("START", "END", "REPORT", "[WARNING]")
    return [(step, text) for _, step, text in split if not text.startswith(own)]


@pytest.fixture(scope="module")
def execution(server: Server) -> str:
    """A pipeline `logs-shown` that ran twice; the newest execution's ARN."""
    heard, unheard = (
        server.function(f"sagemaker-logs-{name}", SAY, role)
        for name, role in (("heard", None), ("unheard", server.role(trust="lambda.amazonaws.com")))
    )

    def step(name: str, function: str, after: list[str]) -> dict[str, Any]:
        arguments = {"n": {"Get": "Parameters.N"}}
        return {
            "Name": name,
            "Type": "Lambda",
            "FunctionArn": function,
            "Arguments": arguments,
            "DependsOn": after,
        }

    steps = [step("First", heard, []), step("Second", heard, ["First"]), step("Quiet", unheard, ["Second"])]
    steps += [
        {
            "Name": "Which",
            "Type": "Condition",
            "Arguments": {"Conditions": [], "IfSteps": [], "ElseSteps": []},
        }
    ]
    parameters = [{"Name": "N", "Type": "String"}]
    definition = {"Version": "2020-12-01", "Parameters": parameters, "Steps": steps}
    sagemaker = server.client("sagemaker")
    sagemaker.create_pipeline(
        PipelineName="logs-shown",
        RoleArn=server.access["role_arn"],
        PipelineDefinition=json.dumps(definition),
    )
    for value in ("once", "twice"):
        arn: str = sagemaker.start_pipeline_execution(
            PipelineName="logs-shown", PipelineParameters=[{"Name": "N", "Value": value}]
        )["PipelineExecutionArn"]
        server.finished(arn)
    return arn


def followed(server: Server, *arguments: str, steps: int = 1) -> Result:
    """The logs once those of so many steps have been delivered whole."""
    until = time.monotonic() + 30
    while True:
        result = logs(server, "--follow", *arguments)
        if result.exit_code or result.stdout.count("  REPORT") >= steps:
            return result
        assert time.monotonic() < until, result.output


def test_the_newest_execution_of_a_pipeline_is_shown_step_by_step(server: Server, execution: str) -> None:
    result = followed(server, "logs-shown", steps=2)
    assert result.exit_code == 0
    assert texts(result) == [("First", "saw twice"), ("Second", "saw twice")]
    assert result.stderr.startswith("`Quiet` has no logs: its function did not run, or the function's role")
    assert "Which" not in result.stderr


def test_an_execution_is_named_by_its_arn_or_its_id_and_a_step_by_its_name(
    server: Server, execution: str
) -> None:
    for named in (execution, execution.rpartition("/")[2]):
        assert texts(followed(server, named, "Second")) == [("Second", "saw twice")]
    assert "it has run no function, EMR step or job" in logs(server, execution, "Which").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("no-such-name",), f"there is no execution and no pipeline `no-such-name`{HINT}"),
        (("no such name",), f"there is no execution and no pipeline `no such name`{HINT}"),
        (("logs-shown", "Nowhere"), "the execution has no step `Nowhere` yet"),
    ],
)
def test_what_is_not_there_is_misuse(
    server: Server, execution: str, arguments: tuple[str, ...], message: str
) -> None:
    result = logs(server, *arguments)
    assert (result.exit_code, result.stderr) == (2, f"passrole logs: {message}\n")


def test_lines_are_of_the_invocations_that_are_meant() -> None:
    def event(stream: str, message: str) -> dict[str, Any]:
        return {"logStreamName": stream, "message": message}

    events = [
        event("a", "before any"),
        event("a", "START RequestId: 1 Version: $LATEST"),
        event("b", "START RequestId: 2 Version: $LATEST"),
        event("a", "of 1"),
        event("b", "of 2"),
        event("b", "START RequestId: 3 Version: $LATEST"),
        event("b", "of 3"),
        event("a", "START RequestId: 22 Version: $LATEST"),
    ]
    chosen = [each["message"] for each in selected(events, {"2"})]
    assert chosen == ["START RequestId: 2 Version: $LATEST", "of 2"]


def test_steps_that_run_one_function_at_once_or_at_once_after_each_other_are_told_apart(
    server: Server,
) -> None:
    chain = {f"C{number}": [f"C{number - 1}"] if number else [] for number in range(20)}
    beside = {f"P{number}": list[str]() for number in range(6)}
    are_told_apart(server, "logs-busy", {**chain, **beside})


def test_steps_that_wait_for_the_one_worker_are_told_apart(start_server: Callable[..., Server]) -> None:
    """They are asked for before the lines of the one before them are written."""
    server = start_server(lambda_workers_max="1")
    are_told_apart(server, "logs-waiting", {f"P{number}": [] for number in range(6)})


def test_a_server_whose_clock_is_behind_has_run_a_function_before_its_step_began(server: Server) -> None:
    are_told_apart(server, "logs-behind", {"Early": []})
    sagemaker, client = server.client("sagemaker"), server.client("logs")
    (execution,) = sagemaker.list_pipeline_executions(PipelineName="logs-behind")[
        "PipelineExecutionSummaries"
    ]
    arn = execution["PipelineExecutionArn"]
    (step,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    at = int(step["StartTime"].timestamp() * 1000) - 3_000
    lines = (f"START RequestId: {ids.invocation_id(arn, 'Early', 1)} Version: $LATEST", "by the other clock")
    named = {"logGroupName": "/aws/lambda/sagemaker-logs-behind", "logStreamName": "of-the-other-server"}
    client.create_log_stream(**named)
    client.put_log_events(**named, logEvents=[{"timestamp": at, "message": line} for line in lines])
    assert texts(logs(server, arn)) == [("Early", "by the other clock"), ("Early", "saw Early")]


def are_told_apart(server: Server, pipeline: str, steps: dict[str, list[str]]) -> None:
    """Of steps, by name with those that they wait for, each has its own line of the function of all."""
    function = server.function(f"sagemaker-{pipeline}", SAY)

    def step(name: str, after: list[str]) -> dict[str, Any]:
        given = {"FunctionArn": function, "Arguments": {"n": name}, "DependsOn": after}
        return {"Name": name, "Type": "Lambda", **given}

    definition = {"Version": "2020-12-01", "Steps": [step(name, after) for name, after in steps.items()]}
    sagemaker = server.client("sagemaker")
    sagemaker.create_pipeline(
        PipelineName=pipeline, RoleArn=server.access["role_arn"], PipelineDefinition=json.dumps(definition)
    )
    server.finished(sagemaker.start_pipeline_execution(PipelineName=pipeline)["PipelineExecutionArn"])
    told = texts(followed(server, pipeline, steps=len(steps)))
    assert sorted(told) == sorted((name, f"saw {name}") for name in steps)
