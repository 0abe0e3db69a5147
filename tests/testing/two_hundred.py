"""Two hundred tests of the how-to's pipeline, with time and faults; run in a pytest of their own.

By tests/testing/test_two_hundred.py, which wants them all to pass, and by bench/testing.py, which times them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from passrole.testing import Execution, Server

PIPELINE = Path(__file__).with_name("pipeline.json")
TRAINS = (
    "sagemaker:CreateTrainingJob",
    "sagemaker:DescribeTrainingJob",
    "sagemaker:AddTags",
    "iam:PassRole",
)


def trained(passrole: Server, auc: float) -> None:
    model = {"S3ModelArtifacts": "s3://models/model.tar.gz"}
    metrics = [{"MetricName": "auc", "Value": auc}]
    passrole.stub("Train", properties={"FinalMetricDataList": metrics, "ModelArtifacts": model})
    passrole.stub("Register")


def in_review(passrole: Server, auc: float) -> Execution:
    trained(passrole, auc)
    execution = passrole.start(PIPELINE, ReviewQueue=passrole.queue())
    execution.step("Review").waits()
    return execution


@pytest.mark.parametrize("hundredth", range(50, 100))
def test_every_score_takes_its_branch(passrole: Server, hundredth: int) -> None:
    trained(passrole, hundredth / 100)
    execution = passrole.start(PIPELINE, ReviewQueue=passrole.queue())
    if hundredth >= 90:
        execution.succeeded().took("Train", "IsGood", "Register")
    elif hundredth >= 70:
        execution.step("Review").approve(comment="fine")
        execution.succeeded().step("Register").skipped()
    else:
        execution.failed("of no use").step("Review").skipped()


@pytest.mark.parametrize("hundredth", range(50))
def test_limits_are_parameters(passrole: Server, hundredth: int) -> None:
    limit = hundredth / 100

    def train(arguments: Mapping[str, Any]) -> dict[str, Any]:
        assert arguments["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}
        metrics = [{"MetricName": "auc", "Value": limit}]
        return {
            "properties": {"FinalMetricDataList": metrics, "ModelArtifacts": {"S3ModelArtifacts": "s3://m"}}
        }

    passrole.stub("Train", train)
    passrole.stub("Register")
    execution = passrole.run(PIPELINE, Good=limit, ReviewQueue=passrole.queue())
    execution.succeeded().step("IsUsable").skipped()


@pytest.mark.parametrize("days", range(1, 26))
def test_a_review_may_take_days(passrole: Server, days: int) -> None:
    execution = in_review(passrole, 0.8)
    passrole.time.advance(days=days)
    execution.step("Review").approve(comment="at last")
    execution.succeeded()


@pytest.mark.parametrize("number", range(25))
def test_a_rejection_is_the_reason(passrole: Server, number: int) -> None:
    execution = in_review(passrole, 0.8)
    execution.step("Review").reject(f"reason {number}")
    execution.failed(f"reason {number}")


@pytest.mark.parametrize("times", [1, 2, 3] * 6 + [1, 2])
def test_a_queue_that_throttles_is_asked_again(passrole: Server, times: int) -> None:
    throttled = passrole.fail("sqs:SendMessage", "throttled", times=times)
    execution = in_review(passrole, 0.8)
    passrole.time.advance(minutes=5)
    execution.step("Review").approve(comment="late")
    execution.succeeded()
    assert throttled.met == times


@pytest.mark.parametrize("number", range(15))
def test_a_denied_review_fails(passrole: Server, number: int) -> None:
    trained(passrole, 0.8)
    role = passrole.role(allow=["sqs:ReceiveMessage"])
    execution = passrole.run(PIPELINE, role=role, ReviewQueue=passrole.queue())
    execution.failed().step("Review").denied("sqs:SendMessage")


@pytest.mark.parametrize("number", range(15))
def test_capacity_that_does_not_come_fails_after_three_retries(passrole: Server, number: int) -> None:
    passrole.stub("Register")
    passrole.role(name="training")
    fault = passrole.fail("sagemaker:CreateTrainingJob", "CapacityError")
    role = passrole.role(allow=TRAINS)
    execution = passrole.start(PIPELINE, role=role, ReviewQueue=passrole.queue())
    execution.step("Train").waits()
    passrole.time.advance(hours=2)
    execution.failed("CapacityError")
    assert fault.met == 4
