"""What `passrole run` shows of jobs: phases, metrics, the log, what was cached and what failed."""

import json
import os
import pty
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from tests.cli.pipelines.test_run import PATIENCE_SECONDS, execution_of, read_until
from tests.conftest import Server
from tests.gateway.test_own_operations import allow, asked
from tests.journeys.test_job_steps import MAY_RUN_JOBS, Pipelines, pid_file_of, pid_of
from tests.services.sagemaker.jobs.workshop import Workshop

from passrole.runtimes.transfer import FILE, Transfer, parsed

OTHER = "arn:aws:sagemaker:us-east-1:111122223333:training-job"
Passrole = Callable[..., "subprocess.Popen[str]"]
Write = Callable[[str, Any], str]


@pytest.fixture(scope="module")
def pipelines(server: Server, sandboxed: None) -> Pipelines:
    return Pipelines(Workshop(server))


class Runs:
    """`passrole run` of pipelines whose role may run jobs."""

    def __init__(self, pipelines: Pipelines, passrole: Passrole, write: Write) -> None:
        self.pipelines = pipelines
        self.role = pipelines.workshop.server.role([MAY_RUN_JOBS])
        self._passrole, self._write = passrole, write

    def start(self, name: str, *steps: dict[str, Any], **options: Any) -> "subprocess.Popen[str]":
        file = self._write(f"{name}.json", {"Version": "2020-12-01", "Steps": steps})
        data = str(self.pipelines.workshop.server.data)
        return self._passrole("run", file, "--role", self.role, "--data", data, **options)

    def lines(self, name: str, *steps: dict[str, Any]) -> list[str]:
        """What is told without a terminal: the changes without their times, then the end."""
        told, errors = self.start(name, *steps).communicate(timeout=60)
        assert errors == "" and "\x1b" not in told
        return [line.split(" s  ", 1)[-1] for line in told.splitlines() if not line.startswith("pipeline")]

    def training(self, script: str, **members: Any) -> dict[str, Any]:
        self.pipelines.workshop.put(numbers__a="1\n")
        uri = f"s3://{self.pipelines.workshop.bucket}/numbers/"
        step = self.pipelines.training("Train", script, uri, **members)
        metrics = [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]
        step["Arguments"]["AlgorithmSpecification"]["MetricDefinitions"] = metrics
        return step


@pytest.fixture
def runs(pipelines: Pipelines, passrole: Passrole, write: Write) -> Runs:
    return Runs(pipelines, passrole, write)


@pytest.mark.slow
def test_phases_are_lines_and_the_next_run_says_from_where_it_is_cached(runs: Runs) -> None:
    step = runs.training("sleep 1", CacheConfig={"Enabled": True})
    first = runs.lines("phases", step)
    execution = next(line for line in first if line.startswith("execution ")).rpartition("/")[2]
    assert "Executing  Train: Training" in first
    assert first.index("Executing  Train: Training") < first.index("Succeeded  Train")
    assert not [line for line in first if "sleep" in line or "printed last" in line]
    assert f"Succeeded  Train: cached from {execution}" in runs.lines("phases", step)


@pytest.mark.slow
def test_a_failed_job_shows_its_message_and_the_end_of_its_log(runs: Runs) -> None:
    script = "for n in $(seq 30); do echo line $n; done; printf '\\033[31mred\\n'; exit 7"
    told = runs.lines("failing", runs.pipelines.processing("Check", script))
    assert "Failed     Check: ClientError: AlgorithmError: , exit code: 7" in told
    start = next(
        number for number, line in enumerate(told) if line.startswith("Check printed last (pipelines-")
    )
    assert told[start + 1 : -1] == [*(f"  line {number}" for number in range(17, 31)), "  \\x1b[31mred"]


@pytest.mark.slow
def test_a_step_without_a_job_that_fails_has_no_log(runs: Runs) -> None:
    fail = {"Name": "Never", "Type": "Fail", "Arguments": {"ErrorMessage": "m"}}
    assert not [line for line in runs.lines("fails", fail) if "printed last" in line]


@pytest.mark.slow
def test_a_terminal_shows_the_metric_and_the_last_line_under_the_step(runs: Runs) -> None:
    script = "printf 'loss=0.25\\n\\033[2Jlast words\\n'; sleep 4"
    ours, theirs = pty.openpty()
    try:
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
        process = runs.start(
            "shown", runs.training(script), **streams, env={"TERM": "xterm", "COLUMNS": "120"}
        )
        told = read_until(ours, "last words")
        told += read_until(ours, "Succeeded after")
        assert "Training  loss=0.25" in told
        assert "\\x1b[2Jlast words" in told and "\x1b[2Jlast" not in told
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        os.close(theirs)
        os.close(ours)


@pytest.mark.slow
def test_another_attempt_is_told_with_the_reason(runs: Runs) -> None:
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 2, "MaxAttempts": 1}
    step = runs.pipelines.processing("One", "sleep 3", RetryPolicies=[policy])
    process = runs.start("retried", step)
    job = runs.pipelines.job(execution_of(process))
    os.kill(pid_of(runs.pipelines.workshop.server.data, job.rpartition("/")[2]), signal.SIGKILL)
    told = process.communicate(timeout=60)[0]
    assert "Executing  One: attempt 2 after InternalServerError" in told
    assert "Executing  One: attempt 2, Processing" in told
    assert "Succeeded  One: attempt 2\n" in told


@pytest.mark.slow
def test_a_large_transfer_is_told_with_its_size_to_who_may_describe_the_job(runs: Runs) -> None:
    server = runs.pipelines.workshop.server
    process = runs.start("large", runs.pipelines.processing("One", "sleep 6"))
    arn = runs.pipelines.job(execution_of(process))
    folder = pid_file_of(server.data, arn.rpartition("/")[2]).parents[2]
    transfer = Transfer(folder)
    transfer.begin("Downloading")
    transfer.expect(3_400_000_000)
    transfer.moved(1_200_000_000)
    told_so_far = parsed((folder / FILE).read_bytes())
    (folder / FILE).write_text(json.dumps({**told_so_far, "Bytes": 1_200_000_000}))
    asking = ("DescribeJobTransfer", {"JobArn": arn})
    assert asked(server, [allow("sagemaker:DescribeProcessingJob", arn)], *asking).status == 200
    assert asked(server, [allow("sagemaker:DescribeTrainingJob")], *asking).code == "AccessDeniedException"
    told = process.communicate(timeout=60)[0]
    assert "Executing  One: Downloading 1.2 of 3.4 GB\n" in told


@pytest.mark.parametrize("arn", [7, None, "arn:aws:sqs:us-east-1:1:q", "training-job/x", f"{OTHER}/../../x"])
def test_only_jobs_have_transfers(server: Server, arn: Any) -> None:
    assert asked(server, None, "DescribeJobTransfer", {"JobArn": arn}).code == "ValidationException"
