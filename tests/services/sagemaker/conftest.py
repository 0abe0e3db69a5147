"""Pipelines in a running server: a role that may do everything they need, and definitions of a few steps."""

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

Step = dict[str, Any]
Server = Any

_numbers = itertools.count(1)
_ALL = {"Effect": "Allow", "Action": ["lambda:*", "sqs:*"], "Resource": "*"}


@pytest.fixture(scope="session")
def role(server: Server) -> str:
    """The ARN of a role that trusts SageMaker and may do everything with functions and queues."""
    arn: str = server.role([{"Version": "2012-10-17", "Statement": [_ALL]}])
    return arn


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"pipeline-{next(_numbers)}-{time.time_ns()}"


@pytest.fixture
def define() -> Callable[..., str]:
    """The definition of these steps, with these members beside them."""

    def definition(*steps: Step, **members: Any) -> str:
        return json.dumps(
            {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], **members, "Steps": steps}
        )

    return definition


@pytest.fixture
def queue(server: Server, name: str) -> str:
    """The URL of a queue of the test's own."""
    url: str = server.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url


@pytest.fixture
def ended(server: Server) -> Callable[[str], dict[str, Any]]:
    """DescribePipelineExecution's answer once the execution is over."""

    def wait(arn: str) -> dict[str, Any]:
        sagemaker, deadline = server.client("sagemaker"), time.monotonic() + 20
        while time.monotonic() < deadline:
            answer: dict[str, Any] = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
            if answer["PipelineExecutionStatus"] not in ("Executing", "Stopping"):
                return answer
            time.sleep(0.01)
        raise TimeoutError(arn)

    return wait
