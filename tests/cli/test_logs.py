"""What the functions of an execution wrote, by step."""

import json
import time
from typing import Any

import pytest
from click.testing import CliRunner, Result

from passrole.cli import main
from passrole.cli.reading_logs import selected

SAY = "def handler(event, context):\n    print('saw', event['n'])\n    return {}\n"


def logs(server: Any, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["logs", "--data", str(server.data), *arguments])


def texts(result: Result) -> list[tuple[str, str]]:
    """Step and text of each line, without Lambda's own lines."""
    split = [line.split("  ", 2) for line in result.stdout.splitlines()]
    own = ("START", "END", "REPORT", "[WARNING]")
    return [(step, text) for _, step, text in split if not text.startswith(own)]


@pytest.fixture(scope="module")
def execution(server: Any) -> str:
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


def followed(server: Any, *arguments: str) -> Result:
    """The logs once the function's last line has been delivered."""
    until = time.monotonic() + 30
    while True:
        result = logs(server, "--follow", *arguments)
        if result.exit_code or result.stdout.count("REPORT") == result.stdout.count("START") > 0:
            return result
        assert time.monotonic() < until, result.output


def test_the_newest_execution_of_a_pipeline_is_shown_step_by_step(server: Any, execution: str) -> None:
    result = followed(server, "logs-shown")
    assert result.exit_code == 0
    assert texts(result) == [("First", "saw twice"), ("Second", "saw twice")]
    assert result.stderr.startswith("`Quiet` has no logs: its function did not run, or the function's role")
    assert "Which" not in result.stderr


def test_an_execution_is_named_by_its_arn_or_its_id_and_a_step_by_its_name(
    server: Any, execution: str
) -> None:
    for named in (execution, execution.rpartition("/")[2]):
        assert texts(followed(server, named, "Second")) == [("Second", "saw twice")]
    assert "only Lambda steps write any" in logs(server, execution, "Which").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing-of-that-name",), "there is no execution and no pipeline `nothing-of-that-name`"),
        (("no such name",), "there is no execution and no pipeline `no such name`"),
        (("logs-shown", "Nowhere"), "the execution has no step `Nowhere` yet"),
    ],
)
def test_what_is_not_there_is_misuse(
    server: Any, execution: str, arguments: tuple[str, ...], message: str
) -> None:
    result = logs(server, *arguments)
    assert (result.exit_code, result.stderr) == (2, f"passrole logs: {message}\n")


def test_lines_are_of_invocations_that_began_in_the_time_of_the_step() -> None:
    def event(at: int, stream: str, message: str) -> dict[str, Any]:
        return {"timestamp": at, "logStreamName": stream, "message": message}

    events = [
        event(5, "a", "START RequestId: 1"),
        event(10, "b", "START RequestId: 2"),
        event(11, "a", "of 1"),
        event(12, "b", "of 2"),
        event(20, "b", "START RequestId: 3"),
        event(21, "b", "of 3"),
    ]
    assert [each["message"] for each in selected(events, 10, 15)] == ["START RequestId: 2", "of 2"]
