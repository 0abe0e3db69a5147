"""Real jobs in a server for tests: they run, and a reset ends them with everything that they started."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.eventually import eventually
from tests.testing.pipelines import Json, pipeline

from passrole.config import ImageRules
from passrole.testing import Server

ACTIONS = (
    "sagemaker:CreateProcessingJob",
    "sagemaker:DescribeProcessingJob",
    "sagemaker:StopProcessingJob",
    "sagemaker:AddTags",
    "iam:PassRole",
)


@pytest.fixture(scope="module")
def server(sandboxed: None) -> Iterator[Server]:
    rules = ImageRules(f"mine=command:{sys.executable}")
    with Server(images=rules) as running:
        yield running


def process(server: Server, program: str, **members: Any) -> Json:
    role = server.role(name="job", allow=["s3:*", "logs:*"])
    arguments = {
        "AppSpecification": {"ImageUri": "mine", "ContainerArguments": ["-c", program]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "RoleArn": role,
        **members,
    }
    return pipeline({"Name": "Work", "Type": "Processing", "Arguments": arguments})


def running(word: str) -> bool:
    """Whether a process has the word in its command line."""
    lines = (path for path in Path("/proc").glob("[0-9]*/cmdline"))
    return any(word.encode() in _read(path) for path in lines)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_job_runs_and_a_reset_ends_one_that_runs(server: Server) -> None:
    server.reset()
    execution = server.run(process(server, "print('done')"), role=server.role(allow=ACTIONS))
    execution.succeeded()
    server.reset()
    word = "a-job-of-a-test-that-is-over"
    program = f"import time; print('{word}'); time.sleep(1_000)"
    server.start(process(server, program), role=server.role(allow=ACTIONS))
    eventually(lambda: running(word))
    server.reset()
    assert not running(word)


def test_a_job_outlives_its_time(server: Server) -> None:
    server.reset()
    word = "a-job-that-is-too-late"
    program = f"import time; print('{word}'); time.sleep(1_000)"
    definition = process(server, program, StoppingCondition={"MaxRuntimeInSeconds": 7_200})
    execution = server.start(definition, role=server.role(allow=ACTIONS))
    eventually(lambda: running(word))
    server.time.advance(hours=3)
    execution.failed().step("Work").failed("Stopped")
    eventually(lambda: not running(word))
