"""What a retry keeps, what it runs again, and when it is refused."""

import json
import uuid

import pytest
from tests.conftest import Server
from tests.eventually import eventually
from tests.refusals import refusal
from tests.services.sagemaker.conftest import FAIL, Begin, Define, Ended, callback


@pytest.fixture
def half_done(server: Server, begin: Begin, queue: str, ended: Ended) -> str:
    """An execution that failed: step A succeeded, B did not, and C depends on both; its ARN."""
    sagemaker = server.client("sagemaker")
    output = [{"OutputName": "o", "OutputType": "String"}]
    first = {**callback(queue), "Name": "A", "OutputParameters": output}
    second = {**callback(queue), "Name": "B"}
    argument = {"a": {"Get": "Steps.A.OutputParameters['o']"}}
    third = {**callback(queue), "Name": "C", "Arguments": argument, "DependsOn": ["B"]}
    arn = begin(first, second, third)
    tokens = tokens_of(server, arn)
    outputs = [{"Name": "o", "Value": "kept"}]
    sagemaker.send_pipeline_execution_step_success(CallbackToken=tokens["A"], OutputParameters=outputs)
    sagemaker.send_pipeline_execution_step_failure(CallbackToken=tokens["B"], FailureReason="no")
    assert ended(arn)["PipelineExecutionStatus"] == "Failed"
    return arn


def tokens_of(server: Server, arn: str) -> dict[str, str]:
    listed = server.client("sagemaker").list_pipeline_execution_steps(PipelineExecutionArn=arn)
    steps = listed["PipelineExecutionSteps"]
    return {step["StepName"]: step["Metadata"]["Callback"]["CallbackToken"] for step in steps}


def test_a_retry_keeps_what_succeeded_and_runs_the_rest_again(
    server: Server, name: str, half_done: str, ended: Ended
) -> None:
    sagemaker, old = server.client("sagemaker"), tokens_of(server, half_done)
    answer = sagemaker.retry_pipeline_execution(PipelineExecutionArn=half_done)
    assert answer["PipelineExecutionArn"] == half_done
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=half_done)
    assert described["PipelineExecutionStatus"] == "Executing"
    assert "FailureReason" not in described
    (summary,) = sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    assert summary["PipelineExecutionStatus"] == "Executing"
    new = tokens_of(server, half_done)
    assert new["A"] == old["A"]
    assert new["B"] != old["B"]
    send = sagemaker.send_pipeline_execution_step_success
    assert refusal(send, CallbackToken=old["B"])[0] == "ConflictException"
    send(CallbackToken=new["B"])
    send(CallbackToken=tokens_of(server, half_done)["C"])
    assert ended(half_done)["PipelineExecutionStatus"] == "Succeeded"
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=half_done, SortOrder="Ascending")
    assert [
        (step["StepName"], step["StepStatus"], step["AttemptCount"])
        for step in steps["PipelineExecutionSteps"]
    ] == [("A", "Succeeded", 1), ("B", "Succeeded", 2), ("C", "Succeeded", 1)]


def test_the_messages_of_a_retry_reach_the_queue(server: Server, half_done: str, queue: str) -> None:
    sagemaker, sqs = server.client("sagemaker"), server.client("sqs")
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=half_done)
    wanted, seen = tokens_of(server, half_done)["B"], set[str]()

    def arrived() -> bool:
        answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10, MaxNumberOfMessages=10)
        seen.update(json.loads(message["Body"])["token"] for message in answer["Messages"])
        return wanted in seen

    eventually(arrived)


def test_a_retry_keeps_definition_and_parameters_and_may_change_the_slots(
    server: Server, name: str, half_done: str, define: Define
) -> None:
    sagemaker = server.client("sagemaker")
    sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=define(FAIL))
    slots = {"MaxParallelExecutionSteps": 7}
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=half_done, ParallelismConfiguration=slots)
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=half_done)
    assert described["ParallelismConfiguration"] == slots
    assert described["PipelineVersionId"] == 1
    assert set(tokens_of(server, half_done)) == {"A", "B"}


def test_the_same_retry_with_the_same_token_happens_once(server: Server, half_done: str) -> None:
    retry, token = server.client("sagemaker").retry_pipeline_execution, str(uuid.uuid4())
    for _ in range(2):
        answer = retry(PipelineExecutionArn=half_done, ClientRequestToken=token)
        assert answer["PipelineExecutionArn"] == half_done
    other = {"MaxParallelExecutionSteps": 2}
    given = {"ClientRequestToken": token, "ParallelismConfiguration": other}
    assert refusal(retry, PipelineExecutionArn=half_done, **given)[0] == "ConflictException"


def test_only_what_failed_or_was_stopped_is_retried_and_not_after_a_fail_step(
    server: Server, name: str, begin: Begin, half_done: str, ended: Ended
) -> None:
    sagemaker = server.client("sagemaker")
    retry = sagemaker.retry_pipeline_execution
    retry(PipelineExecutionArn=half_done)
    code, message = refusal(retry, PipelineExecutionArn=half_done)
    assert (code, "is Executing; only one" in message) == ("ConflictException", True)
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=half_done)
    assert "is Stopping; only one" in refusal(retry, PipelineExecutionArn=half_done)[1]
    sagemaker.send_pipeline_execution_step_success(CallbackToken=tokens_of(server, half_done)["B"])
    assert ended(half_done)["PipelineExecutionStatus"] == "Stopped"
    retry(PipelineExecutionArn=half_done)
    assert set(tokens_of(server, half_done)) == {"A", "B"}


def test_an_execution_that_a_fail_step_ended_is_not_retried(
    server: Server, begin: Begin, ended: Ended
) -> None:
    arn = begin(FAIL)
    ended(arn)
    code, message = refusal(server.client("sagemaker").retry_pipeline_execution, PipelineExecutionArn=arn)
    assert (code, "was ended by a Fail step" in message) == ("ConflictException", True)
