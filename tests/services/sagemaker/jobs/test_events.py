"""The events of jobs: one for each change of state, in the form that AWS's guide shows.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import new_name
from tests.eventually import eventually
from tests.services.sagemaker.jobs.workshop import Workshop

Heard = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def heard(workshop: Workshop) -> Heard:
    """The events of jobs by the end of their resource's ARN, in the order of their time."""
    sqs, events, name = workshop.server.client("sqs"), workshop.server.client("events"), new_name("heard")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Training Job State Change", "SageMaker Processing Job State Change"],
    }
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    kept: list[dict[str, Any]] = []

    def found(job: str) -> list[dict[str, Any]]:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", ()):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            kept.append(json.loads(message["Body"]))
        mine = [each for each in kept if each["resources"][0].endswith(f"/{job}")]
        return sorted(mine, key=lambda each: int(each["detail"]["LastModifiedTime"]))

    return found


def test_a_training_job_tells_each_phase(workshop: Workshop, heard: Heard) -> None:
    workshop.put(told__a="1")
    tags = [{"Key": "team", "Value": "a"}]
    script = "echo x=1; echo why > /opt/ml/output/failure; exit 2"
    request = workshop.training(script, {"train": "told/"}, Tags=tags, HyperParameters={"a": "1"})
    request["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "x", "Regex": "x=(.*)"}]
    workshop.sagemaker.create_training_job(**request)
    job = workshop.trained(request["TrainingJobName"])
    phases = ["Starting", "Downloading", "Training", "Uploading", "Failed"]
    told = eventually(lambda: _whole(heard(job["TrainingJobName"]), len(phases)))
    assert [each["detail"]["SecondaryStatus"] for each in told] == phases
    last = told[-1]
    assert (last["detail-type"], last["source"]) == ("SageMaker Training Job State Change", "aws.sagemaker")
    assert last["resources"] == [job["TrainingJobArn"]]
    detail = last["detail"]
    for name in ("CreationTime", "TrainingStartTime", "TrainingEndTime", "LastModifiedTime"):
        assert detail[name] == str(round(job[name].timestamp() * 1000)), name
    for told_of, described in zip(
        detail["SecondaryStatusTransitions"], job["SecondaryStatusTransitions"], strict=True
    ):
        assert told_of["StartTime"] == str(round(described["StartTime"].timestamp() * 1000))
        assert told_of["StatusMessage"] == described["StatusMessage"]
    (metric,) = detail["FinalMetricDataList"]
    assert (metric["Value"], metric["Timestamp"].isdecimal()) == (1.0, True)
    same = ("TrainingJobName", "TrainingJobArn", "TrainingJobStatus", "SecondaryStatus", "FailureReason")
    for name in (
        *same,
        "HyperParameters",
        "InputDataConfig",
        "ResourceConfig",
        "StoppingCondition",
        "RoleArn",
    ):
        assert detail[name] == job[name], name
    assert detail["Tags"] == {"team": "a"}
    assert not {"tokens", "request"} & set(detail)


def test_a_processing_job_tells_its_start_and_its_end(workshop: Workshop, heard: Heard) -> None:
    job = workshop.process("printf fine > /opt/ml/output/message")
    told = eventually(lambda: _ended(heard(job["ProcessingJobName"])))
    assert told[0]["detail"]["ProcessingJobStatus"] == "InProgress"
    detail = told[-1]["detail"]
    assert told[-1]["detail-type"] == "SageMaker Processing Job State Change"
    assert (detail["ProcessingJobStatus"], detail["ExitMessage"]) == ("Completed", "fine")
    assert detail["ProcessingEndTime"] == str(round(job["ProcessingEndTime"].timestamp() * 1000))
    assert detail["Tags"] == {}


def _whole(told: list[dict[str, Any]], count: int) -> list[dict[str, Any]] | None:
    return told if len(told) >= count else None


def _ended(told: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    return told if told and told[-1]["detail"]["ProcessingJobStatus"] == "Completed" else None
