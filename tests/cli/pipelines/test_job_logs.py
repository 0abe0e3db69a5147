"""`passrole logs` of Processing and Training steps."""

import os
import signal
from typing import Any

import pytest
from tests.cli.pipelines.test_logs import logs
from tests.conftest import Server
from tests.eventually import eventually
from tests.journeys.test_job_steps import Pipelines, pid_of
from tests.services.sagemaker.jobs.workshop import Workshop


@pytest.fixture(scope="module")
def pipelines(server: Server, sandboxed: None) -> Pipelines:
    return Pipelines(Workshop(server))


def texts(told: str) -> list[tuple[str, str]]:
    """Step and text of each line."""
    split = [line.split("  ", 2) for line in told.splitlines()]
    return [(step, text) for _, step, text in split]


def ended(pipelines: Pipelines, *steps: dict[str, Any], name: str | None = None) -> str:
    """The ARN of an execution that is over."""
    execution = pipelines.start(name or pipelines.create(*steps))
    pipelines.ended(execution)
    return execution


@pytest.mark.slow
def test_the_instances_of_a_job_are_told_apart_and_one_alone_is_its_step(pipelines: Pipelines) -> None:
    two = pipelines.processing("Two", "echo here is $(hostname)")
    two["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = 2
    one = pipelines.processing("One", "echo alone; printf 'and \\033[31mred'", DependsOn=["Two"])
    result = logs(pipelines.workshop.server, ended(pipelines, two, one))
    told = texts(result.stdout)
    assert sorted(told[:2]) == [(f"Two/algo-{each}", f"here is algo-{each}") for each in (1, 2)]
    assert told[2:] == [("One", "alone"), ("One", "and \\x1b[31mred")]
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.slow
def test_a_result_that_was_taken_over_has_its_log_elsewhere(pipelines: Pipelines) -> None:
    name = pipelines.create(pipelines.processing("One", "echo ran", CacheConfig={"Enabled": True}))
    first, second = (ended(pipelines, name=name) for _ in range(2))
    server = pipelines.workshop.server
    assert texts(logs(server, first).stdout) == [("One", "ran")]
    result, id_ = logs(server, second), first.rpartition("/")[2]
    told = (
        f"`One` has no logs: its result is from an earlier execution (`passrole logs {id_} One` shows them)"
    )
    assert (result.stdout, result.stderr) == ("", f"{told}\n")


@pytest.mark.slow
def test_a_job_that_says_nothing_is_told(pipelines: Pipelines) -> None:
    result = logs(pipelines.workshop.server, ended(pipelines, pipelines.processing("One", "true")))
    assert result.stderr.startswith(
        "`One` has no logs: its program has written nothing, or the job's role may"
    )


@pytest.mark.slow
def test_a_running_job_is_followed_through_every_attempt_beside_other_steps(pipelines: Pipelines) -> None:
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 1, "MaxAttempts": 1}
    one = pipelines.processing("One", "echo up; sleep 8; echo done", RetryPolicies=[policy])
    beside = pipelines.processing("Beside", "echo beside")
    execution = pipelines.start(pipelines.create(one, beside))
    server = pipelines.workshop.server
    eventually(lambda: ("One", "up") in texts(logs(server, execution).stdout))
    os.kill(pid_of(server.data, pipelines.job(execution).rpartition("/")[2]), signal.SIGKILL)
    followed = logs(server, "--follow", execution)
    assert (followed.exit_code, followed.stderr) == (0, "")
    assert sorted(texts(followed.stdout)) == [
        ("Beside", "beside"),
        *(("One", text) for text in ("done", "up", "up")),
    ]
    later = texts(logs(server, execution, "One").stdout)
    assert later == [("One", text) for text in ("up", "up", "done")], "of every attempt, in their order"
