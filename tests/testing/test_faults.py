"""Faults that a test asks for, as a pipeline, its retries and its clients meet them."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.testing.pipelines import callback, lambda_, pipeline
from tests.testing.test_stubs import train
from tests.testing.test_time import RETURNS, _may_train

from passrole.testing import Server


def test_a_throttled_call_is_tried_again_in_time(passrole: Server) -> None:
    fault = passrole.fail("lambda:InvokeFunction", "throttled", times=3)
    execution = passrole.start(pipeline(lambda_("Call", passrole.function(RETURNS), "score")))
    execution.step("Call").waits()
    passrole.time.advance(minutes=5)
    execution.succeeded()
    assert fault.met == 3


def test_what_is_throttled_for_ever_fails_the_step(passrole: Server) -> None:
    passrole.fail("lambda:Invoke", "throttled")
    execution = passrole.start(pipeline(lambda_("Call", passrole.function(RETURNS), "score")))
    execution.step("Call").waits()
    passrole.time.advance(hours=1)
    execution.failed("Rate exceeded")


def test_a_denied_call_fails_the_step_and_counts_as_denied(passrole: Server) -> None:
    passrole.fail("sqs:SendMessage", "denied")
    execution = passrole.start(pipeline(callback("Ask", passrole.queue())))
    execution.failed("is not authorized to perform: sqs:SendMessage").denied("sqs:SendMessage")


def test_a_slow_call_is_late_by_so_much(passrole: Server) -> None:
    passrole.fail("sqs:SendMessage", "slow", seconds=3600, times=1)
    queue_url = passrole.queue()
    execution = passrole.start(pipeline(callback("Ask", queue_url)))
    execution.step("Ask").waits()
    passrole.time.advance(minutes=30)
    assert passrole.messages(queue_url) == []
    passrole.time.advance(minutes=31)
    assert len(passrole.messages(queue_url)) == 1


def test_a_killed_function(passrole: Server) -> None:
    passrole.fail("lambda:Invoke", "killed", times=1)
    definition = pipeline(lambda_("Call", passrole.function(RETURNS), "score"))
    passrole.run(definition).failed("Runtime exited with error: signal: killed")
    passrole.run(definition).succeeded()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("killed", "AlgorithmError: , exit code: 137"),
        ("InternalServerError", "InternalServerError: We encountered an internal error."),
        ("AlgorithmError", "AlgorithmError: the test asked for it, exit code: 1"),
    ],
)
def test_a_job_is_taken_and_fails(passrole: Server, error: str, reason: str) -> None:
    passrole.fail("sagemaker:CreateTrainingJob", error)
    execution = passrole.run(pipeline(train(), Eta="1"), role=_may_train(passrole))
    execution.failed(reason)
    (job,) = passrole.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    assert job["TrainingJobStatus"] == "Failed"


def test_a_limit_is_met_by_the_retry_policy_that_names_it(passrole: Server) -> None:
    policy = {"ExceptionType": ["SageMaker.RESOURCE_LIMIT"], "IntervalSeconds": 60, "MaxAttempts": 5}
    limit = passrole.fail("sagemaker:CreateTrainingJob", "ResourceLimitExceeded", times=2)
    passrole.fail("sagemaker:DescribeTrainingJob", "AccessDeniedException", message="stop here")
    definition = pipeline(train(RetryPolicies=[policy]), Eta="1")
    execution = passrole.start(definition, role=_may_train(passrole))
    execution.step("Train").waits()
    passrole.time.advance(minutes=10)
    assert limit.met == 2
    assert execution.step("Train").attempts == 3
    execution.failed("stop here")


def test_calls_are_chosen_by_their_parameters(passrole: Server) -> None:
    passrole.fail("sqs:SendMessage", "throttled", when=lambda asked: asked["MessageBody"] == "b")
    sqs, queue_url = passrole.client("sqs"), passrole.queue()
    sqs.send_message(QueueUrl=queue_url, MessageBody="a")
    with pytest.raises(ClientError, match="ThrottlingException"):
        sqs.send_message(QueueUrl=queue_url, MessageBody="b")


def test_a_clients_own_retries_meet_it(passrole: Server) -> None:
    fault = passrole.fail("sqs:ListQueues", "ServiceUnavailable", times=1)
    boto3.client("sqs", config=Config(retries={"total_max_attempts": 2})).list_queues()
    assert fault.met == 1


def test_iam_comes_first(passrole: Server) -> None:
    """Who may not make the call meets the denial of IAM, not the fault."""
    fault = passrole.fail("sqs:ListQueues", "throttled")
    with pytest.raises(ClientError, match="AccessDenied"):
        passrole.client("sqs", role=passrole.role()).list_queues()
    assert fault.met == 0


def test_a_reset_ends_faults(passrole: Server) -> None:
    passrole.fail("sqs:ListQueues", "throttled")
    passrole.reset()
    passrole.client("sqs").list_queues()


@pytest.mark.parametrize(
    ("call", "error", "complaint"),
    [
        (
            "sqs:SendMesage",
            "throttled",
            "`sqs:SendMesage` is no operation that passrole has; did you mean `sqs:SendMessage`",
        ),
        ("SendMessage", "throttled", "is no operation that passrole has"),
        ("sqs:SendMessage", "slow", "say how slow"),
    ],
)
def test_what_cannot_be_is_told_at_once(passrole: Server, call: str, error: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        passrole.fail(call, error)
