"""Answers to callbacks through boto3, per operation: shape, refusals, effect."""

import json
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from tests.conftest import Server
from tests.refusals import refusal

Ended = Callable[[str], dict[str, Any]]
OPERATIONS = ("send_pipeline_execution_step_success", "send_pipeline_execution_step_failure")


class Waiting(NamedTuple):
    arn: str
    token: str


@pytest.fixture
def waiting(server: Server, role: str, name: str, queue: str, define: Callable[..., str]) -> Waiting:
    """An execution that waits for its callback: its ARN and the token in the queue's message."""
    sagemaker = server.client("sagemaker")
    step = {
        "Name": "C",
        "Type": "Callback",
        "SqsQueueUrl": queue,
        "Arguments": {"number": 1.5, "text": "x"},
        "OutputParameters": [{"OutputName": "o", "OutputType": "String"}],
    }
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=define(step), RoleArn=role)
    arn = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    message = server.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"][0]
    body = json.loads(message["Body"])
    token = body.pop("token")
    assert body == {
        "pipelineExecutionArn": arn,
        "arguments": {"number": 1.5, "text": "x"},
        "status": "Executing",
    }
    return Waiting(arn, token)


def step_of(server: Server, arn: str) -> dict[str, Any]:
    answer = server.client("sagemaker").list_pipeline_execution_steps(PipelineExecutionArn=arn)
    step: dict[str, Any] = answer["PipelineExecutionSteps"][0]
    return step


def test_a_success_ends_the_step_with_its_outputs(server: Server, waiting: Waiting, ended: Ended) -> None:
    outputs = [{"Name": "o", "Value": "v"}, {"Name": "undeclared", "Value": "kept"}]
    answer = server.client("sagemaker").send_pipeline_execution_step_success(
        CallbackToken=waiting.token, OutputParameters=outputs
    )
    assert answer["PipelineExecutionArn"] == waiting.arn
    assert ended(waiting.arn)["PipelineExecutionStatus"] == "Succeeded"
    metadata = step_of(server, waiting.arn)["Metadata"]["Callback"]
    assert metadata["CallbackToken"] == waiting.token
    assert metadata["OutputParameters"] == outputs


@pytest.mark.parametrize("reason", ["not today", None])
def test_a_failure_fails_the_step_in_the_callers_own_words(
    server: Server, waiting: Waiting, ended: Ended, reason: str | None
) -> None:
    given = {"FailureReason": reason} if reason else {}
    send = server.client("sagemaker").send_pipeline_execution_step_failure
    assert send(CallbackToken=waiting.token, **given)["PipelineExecutionArn"] == waiting.arn
    assert ended(waiting.arn)["PipelineExecutionStatus"] == "Failed"
    assert step_of(server, waiting.arn).get("FailureReason") == reason


@pytest.mark.parametrize("second", OPERATIONS)
@pytest.mark.parametrize("first", OPERATIONS)
def test_a_second_answer_is_a_conflict(server: Server, waiting: Waiting, first: str, second: str) -> None:
    sagemaker = server.client("sagemaker")
    getattr(sagemaker, first)(CallbackToken=waiting.token)
    assert refusal(getattr(sagemaker, second), CallbackToken=waiting.token)[0] == "ConflictException"


def test_the_same_answer_with_the_same_client_token_is_one_answer(server: Server, waiting: Waiting) -> None:
    send = server.client("sagemaker").send_pipeline_execution_step_success
    given = {
        "CallbackToken": waiting.token,
        "OutputParameters": [{"Name": "o", "Value": "v"}],
        "ClientRequestToken": str(uuid.uuid4()),
    }
    assert send(**given)["PipelineExecutionArn"] == waiting.arn
    assert send(**given)["PipelineExecutionArn"] == waiting.arn
    given["OutputParameters"] = [{"Name": "o", "Value": "w"}]
    assert refusal(send, **given)[0] == "ConflictException"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_token_that_was_never_issued_is_not_found(server: Server, operation: str) -> None:
    call = getattr(server.client("sagemaker"), operation)
    assert refusal(call, CallbackToken="0123456789") == (
        "ResourceNotFound",
        "Callback token 0123456789 does not exist.",
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_answering_is_authorised_on_the_execution_of_the_token(
    server: Server, waiting: Waiting, operation: str
) -> None:
    action = "sagemaker:" + "".join(part.capitalize() for part in operation.split("_"))
    statement = {"Effect": "Allow", "Action": action, "Resource": waiting.arn}
    own = server.client("sagemaker", user_policy={"Version": "2012-10-17", "Statement": [statement]})
    code, message = refusal(getattr(own, operation), CallbackToken="0123456789")
    assert code == "AccessDeniedException"
    assert f"{action} on resource: " in message
    assert "pipeline/*/execution/*" in message
    assert getattr(own, operation)(CallbackToken=waiting.token)["PipelineExecutionArn"] == waiting.arn
