"""`clean` removes what is over, after it was asked twice, and never what runs or waits."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.cli.pipelines import daily_pipeline
from tests.conftest import Server
from tests.gateway.test_own_operations import allow, asked

from passrole.cli import main

ALL = ("--older-than", "0m")


def clean(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["clean", "--data", str(data), *arguments])


def listed(data: Path, pipeline: str) -> list[str]:
    done = CliRunner().invoke(main, ["list", pipeline, "--data", str(data), "--format", "json"])
    return [each["PipelineExecutionArn"] for each in json.loads(done.stdout)["PipelineExecutionSummaries"]]


def as_json(done: Result) -> Any:
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def stopped(server: Server, pipeline: str) -> str:
    """An execution that has ended."""
    arn = daily_pipeline.started(server, pipeline)
    server.client("sagemaker").send_pipeline_execution_step_failure(
        CallbackToken=daily_pipeline.token(server, arn), FailureReason="no"
    )
    server.finished(arn)
    return arn


@pytest.mark.parametrize("runs", [True, False])
def test_only_with_yes_what_has_ended_goes_and_what_waits_goes_on(tmp_path: Path, runs: bool) -> None:
    server = Server(tmp_path / "data")
    data = server.data
    for name in ("first", "second"):
        daily_pipeline.deployed(server, name)
    ended, other = stopped(server, "first"), stopped(server, "second")
    waiting = daily_pipeline.started(server, "first")
    if not runs:
        server.kill()
    assert as_json(clean(data, *ALL, "--format", "json")) == {
        "removed": False,
        "executions": [ended, other],
        "files": [],
    }
    assert clean(data, *ALL).stdout.endswith(
        "2 executions and 0 logs of servers would go; --yes removes them\n"
    )
    assert listed(data, "first") == [waiting, ended]
    assert as_json(clean(data, "--yes", "--format", "json"))["executions"] == []  # none is 30 days old
    assert as_json(clean(data, "first", *ALL, "--yes", "--format", "json"))["executions"] == [ended]
    assert (listed(data, "first"), listed(data, "second")) == ([waiting], [other])
    assert clean(data, *ALL, "--yes").stdout == "removed 1 execution and 0 logs of servers\n"
    assert listed(data, "second") == []
    if not runs:
        server.start()
    try:
        server.client("sagemaker").send_pipeline_execution_step_success(
            CallbackToken=daily_pipeline.token(server, waiting),
            OutputParameters=[{"Name": "by", "Value": "eve"}],
        )
        assert server.finished(waiting)["PipelineExecutionStatus"] == "Succeeded"
    finally:
        server.stop()
    trail = (data / "audit.jsonl").read_text()
    assert trail.count('"DeleteEndedExecutions"') >= (6 if runs else 3)


def test_logs_of_servers_that_have_ended_go_and_others_stay(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert CliRunner().invoke(main, ["init", "--data", str(data)]).exit_code == 0
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    old, runs, others = (
        data / name
        for name in (f"server-of-{gone.pid}.log", f"server-of-{os.getpid()}.log", "server-of-x.log")
    )
    for path in (old, runs, others):
        path.write_text("why it did not start")
        os.utime(path, (time.time() - 60,) * 2)
    assert as_json(clean(data, *ALL, "--yes", "--format", "json"))["files"] == [str(old)]
    assert [path.exists() for path in (old, runs, others)] == [False, True, True]


def test_whoever_may_not_delete_the_pipeline_may_not_delete_its_executions(server: Server) -> None:
    daily_pipeline.deployed(server, "guarded")
    arn = stopped(server, "guarded")
    given = {"PipelineName": "guarded", "EndedBefore": time.time() + 60}
    pipeline = arn.partition("/execution/")[0]
    refused = asked(
        server, [allow("sagemaker:DeletePipeline", f"{pipeline}-other")], "DeleteEndedExecutions", given
    )
    assert (refused.status, arn in listed(server.data, "guarded")) == (400, True)
    allowed = asked(server, [allow("sagemaker:DeletePipeline", pipeline)], "DeleteEndedExecutions", given)
    assert (allowed.status, listed(server.data, "guarded")) == (200, [])


@pytest.mark.parametrize(
    "given",
    [{"EndedBefore": "yesterday"}, {"EndedBefore": True}, {"EndedBefore": 1, "DryRun": "no"}, {}],
)
def test_what_is_no_moment_is_refused(server: Server, given: dict[str, Any]) -> None:
    refused = asked(server, None, "DeleteEndedExecutions", {"PipelineName": "p", **given})
    assert refused.status == 400


@pytest.mark.parametrize("age", ["30", "d", "-1d", "1y", "1.5h", ""])
def test_an_age_has_a_number_and_a_unit(tmp_path: Path, age: str) -> None:
    done = clean(tmp_path, f"--older-than={age}")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "is not an age such as 30d" in done.stderr
