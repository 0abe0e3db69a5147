"""`start`, `stop` and `retry`, and a run as JSON lines."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.cli.pipelines import daily_pipeline
from tests.conftest import Server, new_name
from tests.eventually import eventually

from passrole.cli import main

Process = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def pipeline(server: Server) -> str:
    return daily_pipeline.deployed(server, new_name("changed"))


def do(server: Server, command: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, [command, "--data", str(server.data), *arguments])


def lines(done: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def status_of(server: Server, arn: str) -> str:
    described = server.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)
    return str(described["PipelineExecutionStatus"])


def test_a_pipeline_is_started_with_parameters(server: Server, pipeline: str) -> None:
    done = do(server, "start", pipeline, "-p", "Name=ada")
    assert (done.exit_code, done.stderr) == (0, "")
    word, arn = done.stdout.split()
    assert word == "execution"
    daily_pipeline.waits(server, arn)
    outputs = server.steps(arn)["Greet"]["Metadata"]["Lambda"]["OutputParameters"]
    assert outputs == [{"Name": "length", "Value": "3"}]
    as_json = do(server, "start", pipeline, "--format", "json")
    assert json.loads(as_json.stdout).keys() == {"PipelineExecutionArn"}


def test_an_execution_is_stopped_and_retried_by_any_of_its_names(server: Server, pipeline: str) -> None:
    arn = daily_pipeline.started(server, pipeline)
    place = arn.rpartition(":pipeline/")[2].replace("/execution/", "/")
    token = daily_pipeline.token(server, arn)
    done = do(server, "stop", pipeline)
    assert done.stdout == f"stopping {place}\n"
    assert done.stderr == f'Review still waits: passrole reject {token} --reason "stopped"\n'
    assert do(server, "reject", token, "--reason", "stopped").exit_code == 0
    assert server.finished(arn)["PipelineExecutionStatus"] == "Stopped"
    assert do(server, "retry", place).stdout == f"retrying {place}\n"
    daily_pipeline.waits(server, arn)
    assert json.loads(do(server, "stop", arn, "--format", "json").stdout) == {"PipelineExecutionArn": arn}


def test_stop_waits_for_the_end_and_its_exit_code_says_whether_it_stopped(
    server: Server, pipeline: str, passrole: Process
) -> None:
    arn = daily_pipeline.started(server, pipeline)
    token = daily_pipeline.token(server, arn)
    process = passrole("stop", arn, "--wait", "--data", str(server.data))
    eventually(lambda: status_of(server, arn) == "Stopping")
    assert do(server, "approve", token, "-o", "by=eve").exit_code == 0
    told, _ = process.communicate(timeout=60)
    assert (process.returncode, status_of(server, arn)) == (0, "Stopped")
    assert "Stopped after" in told
    refused = do(server, "stop", arn)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert refused.stderr.startswith("passrole stop: ConflictException: ")


@pytest.mark.parametrize(
    "command, arguments",
    [("start", ("nosuch",)), ("start", ("{pipeline}", "-p", "Unknown=1")), ("retry", ("{waiting}",))],
)
def test_what_is_refused_is_one_line_in_the_words_of_aws(
    server: Server, pipeline: str, command: str, arguments: tuple[str, ...]
) -> None:
    waiting = daily_pipeline.started(server, pipeline)
    given = [each.format(pipeline=pipeline, waiting=waiting) for each in arguments]
    done = do(server, command, *given)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"passrole {command}: ")


@pytest.mark.parametrize("command", ["start", "stop", "retry"])
def test_without_a_server_they_say_how_to_go_on(tmp_path: Path, command: str) -> None:
    data = str(tmp_path / "data")
    assert CliRunner().invoke(main, ["init", "--data", data]).exit_code == 0
    done = CliRunner().invoke(main, [command, "--data", data, "orders"])
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert f"start one with `passrole serve --data {data}`, or add --wait" in done.stderr


def test_a_folder_without_a_server_gets_one_for_as_long_as_they_wait(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    try:
        daily_pipeline.deployed(server, "waited")
        server.client("sqs").delete_queue(QueueUrl=f"{server.url}/{server.account}/sagemaker-waited")
    finally:
        server.stop()
    for command in ("start", "retry"):
        done = do(server, command, "waited", "--wait", "--format", "json")
        assert (done.exit_code, lines(done)[-1]["PipelineExecutionStatus"]) == (1, "Failed")
        assert "The specified queue does not exist" in lines(done)[-2]["FailureReason"]
    listed = json.loads(do(server, "list", "waited", "--format", "json").stdout)
    assert len(listed["PipelineExecutionSummaries"]) == 1


def test_a_run_is_a_json_object_for_each_change(server: Server, example: Path) -> None:
    name = new_name("lines")
    done = do(
        server,
        *("run", str(example / "pipeline.json"), "--name", name, "--format", "json"),
        *("--function", f"sagemaker-fit={example / 'fit'}:fit.handler", "-p", "MinimumFit=0.9"),
    )
    assert (done.exit_code, done.stderr) == (1, "")
    found = lines(done)
    assert [each["event"] for each in found[:3]] == ["function", "pipeline", "execution"]
    assert found[1]["PipelineName"] == name
    arn = found[2]["PipelineExecutionArn"]
    steps = [each for each in found if each["event"] == "step"]
    assert {each["PipelineExecutionArn"] for each in steps} == {arn}
    fit = [each for each in steps if each["StepName"] == "Fit"][-1]
    assert (fit["StepStatus"], fit["OutputParameters"][0]) == ("Succeeded", {"Name": "cars", "Value": "50"})
    assert steps[-1]["StepName"] == "TooLoose"
    assert steps[-1]["FailureReason"].startswith("the line explains too little")
    assert (found[-1]["event"], found[-1]["PipelineExecutionStatus"]) == ("end", "Failed")
    assert found[-1]["FailureReason"] == "Step failure: One or multiple steps failed."
