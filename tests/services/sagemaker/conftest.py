"""Pipelines in a running server: a role that may do everything they need, and definitions of a few steps."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.eventually import eventually

Step = dict[str, Any]

Define = Callable[..., str]
Ended = Callable[[str], dict[str, Any]]
Begin = Callable[..., str]
FAIL = {"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "bad"}}
_ALL = {"Effect": "Allow", "Action": ["lambda:*", "sqs:*"], "Resource": "*"}


def callback(url: str) -> Step:
    """A Callback step on a queue."""
    return {"Name": "C", "Type": "Callback", "SqsQueueUrl": url, "Arguments": {"a": 1.5}}


@pytest.fixture(scope="session")
def role(server: Server) -> str:
    """The ARN of a role that trusts SageMaker and may do everything with functions and queues."""
    arn: str = server.role([{"Version": "2012-10-17", "Statement": [_ALL]}])
    return arn


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return new_name("pipeline")


@pytest.fixture
def define() -> Callable[..., str]:
    """The definition of these steps, with these members beside them."""

    def definition(*steps: Step, **members: Any) -> str:
        return json.dumps(
            {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], **members, "Steps": steps}
        )

    return definition


@pytest.fixture
def made(server: Server, role: str, name: str, define: Callable[..., str]) -> Callable[..., str]:
    """Create the test's pipeline, of these steps or else of a Fail step; its ARN."""

    def create(*steps: Step, members: dict[str, Any] | None = None, **given: Any) -> str:
        text = define(*(steps or (FAIL,)), **(members or {}))
        create_pipeline = server.client("sagemaker").create_pipeline
        arn: str = create_pipeline(PipelineName=name, PipelineDefinition=text, **{"RoleArn": role, **given})[
            "PipelineArn"
        ]
        return arn

    return create


@pytest.fixture
def client_that_may(server: Server) -> Callable[..., Any]:
    """A SageMaker client of a user with one statement: these actions on this resource, on a condition."""

    def client(action: str | list[str], resource: str, **condition: Any) -> Any:
        statement: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource}
        if condition:
            statement["Condition"] = condition
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        return server.client("sagemaker", user_policy=policy)

    return client


@pytest.fixture
def queue(server: Server, name: str) -> str:
    """The URL of a queue of the test's own."""
    url: str = server.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url


@pytest.fixture
def ended(server: Server) -> Callable[[str], dict[str, Any]]:
    """DescribePipelineExecution's answer once the execution is over."""

    def wait(arn: str) -> dict[str, Any]:
        def over() -> dict[str, Any] | None:
            answer: dict[str, Any] = server.client("sagemaker").describe_pipeline_execution(
                PipelineExecutionArn=arn
            )
            return None if answer["PipelineExecutionStatus"] in ("Executing", "Stopping") else answer

        return eventually(over)

    return wait


@pytest.fixture
def begin(server: Server, role: str, name: str, define: Define) -> Begin:
    """Create a pipeline of these steps and start it; the execution's ARN."""

    def run(*steps: dict[str, Any], members: dict[str, Any] | None = None, **given: Any) -> str:
        sagemaker = server.client("sagemaker")
        text = define(*steps, **(members or {}))
        sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=role)
        arn: str = sagemaker.start_pipeline_execution(PipelineName=name, **given)["PipelineExecutionArn"]
        return arn

    return run
