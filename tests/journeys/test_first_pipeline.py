"""Lambda -> Condition -> Callback -> Lambda through HTTP, with the role that `init` made."""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.conftest import Server

Start = Callable[..., str]

COUNT = """
    def handler(event, context):
        values = event["values"]
        return {"rows": len(values), "mean": sum(values) / len(values), "label": "ok"}
"""
PUBLISH = """
    def handler(event, context):
        return {"line": f"{event['who']} approved {event['rows']} rows ({event['text']})"}
"""


def steps(count: str, publish: str, queue_url: str, threshold: int) -> list[dict[str, Any]]:
    return [
        {
            "Name": "Count",
            "Type": "Lambda",
            "FunctionArn": count,
            "Arguments": {"values": [1, 2, 3]},
            "OutputParameters": _outputs(rows="Integer", mean="Float", label="String"),
        },
        {
            "Name": "Enough",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [
                    {
                        "Type": "GreaterThanOrEqualTo",
                        "LeftValue": {"Get": "Steps.Count.OutputParameters['rows']"},
                        "RightValue": threshold,
                    }
                ],
                "IfSteps": [_approve(queue_url), _publish(publish)],
                "ElseSteps": [{"Name": "TooFew", "Type": "Fail", "Arguments": {"ErrorMessage": _too_few()}}],
            },
        },
    ]


def _approve(queue_url: str) -> dict[str, Any]:
    return {
        "Name": "Approve",
        "Type": "Callback",
        "SqsQueueUrl": queue_url,
        "Arguments": {"rows": {"Get": "Steps.Count.OutputParameters['rows']"}, "mean": 2.0},
        "OutputParameters": _outputs(who="String"),
    }


def _publish(function: str) -> dict[str, Any]:
    joined = {"Std:Join": {"On": "-", "Values": ["n", {"Get": "Steps.Count.OutputParameters['rows']"}]}}
    return {
        "Name": "Publish",
        "Type": "Lambda",
        "FunctionArn": function,
        "Arguments": {
            "who": {"Get": "Steps.Approve.OutputParameters['who']"},
            "rows": {"Get": "Steps.Count.OutputParameters['rows']"},
            "text": joined,
        },
        "OutputParameters": _outputs(line="String"),
    }


def _too_few() -> dict[str, Any]:
    return {
        "Std:Join": {"On": " ", "Values": ["only", {"Get": "Steps.Count.OutputParameters['rows']"}, "rows"]}
    }


def _outputs(**types: str) -> list[dict[str, str]]:
    return [{"OutputName": name, "OutputType": type_} for name, type_ in types.items()]


def test_the_whole_way_with_an_answer_from_the_queue(server: Server, start: Start) -> None:
    sqs, sagemaker = server.client("sqs"), server.client("sagemaker")
    queue_url = sqs.create_queue(QueueName="first-sagemaker-approvals")["QueueUrl"]
    count = server.function("first-sagemaker-count", COUNT)
    publish = server.function("first-sagemaker-publish", PUBLISH)

    execution = start(steps(count, publish, queue_url, 3))
    message = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20)["Messages"][0]
    body = json.loads(message["Body"])
    assert set(body) == {"token", "pipelineExecutionArn", "arguments", "status"}
    assert re.fullmatch("[A-Za-z0-9]{10}", body["token"])
    assert body["pipelineExecutionArn"] == execution
    assert body["arguments"] == {"rows": 3, "mean": 2.0}
    assert body["status"] == "Executing"
    assert server.steps(execution)["Approve"]["StepStatus"] == "Executing"

    answered = sagemaker.send_pipeline_execution_step_success(
        CallbackToken=body["token"], OutputParameters=[{"Name": "who", "Value": "ann"}]
    )
    assert answered["PipelineExecutionArn"] == execution
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"

    listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
    assert [step["StepName"] for step in listed] == ["Publish", "Approve", "Enough", "Count"]
    assert {step["StepStatus"] for step in listed} == {"Succeeded"}
    assert all(step["StartTime"] <= step["EndTime"] and step["AttemptCount"] == 1 for step in listed)
    by_name = {step["StepName"]: step["Metadata"] for step in listed}
    assert by_name["Count"]["Lambda"]["Arn"] == count
    values = {each["Name"]: each["Value"] for each in by_name["Count"]["Lambda"]["OutputParameters"]}
    assert values == {"rows": "3", "mean": "2.0", "label": "ok"}
    assert by_name["Enough"] == {"Condition": {"Outcome": "True"}}
    assert by_name["Approve"]["Callback"]["CallbackToken"] == body["token"]
    assert by_name["Approve"]["Callback"]["SqsQueueUrl"] == queue_url
    assert by_name["Publish"]["Lambda"]["OutputParameters"] == [
        {"Name": "line", "Value": "ann approved 3 rows (n-3)"}
    ]


def test_the_branch_not_taken_is_not_listed_and_the_fail_step_fails_the_execution(
    server: Server, start: Start
) -> None:
    count = server.function("second-sagemaker-count", COUNT)
    execution = start(steps(count, count, "http://127.0.0.1/111122223333/never-sagemaker", 4))
    ended = server.finished(execution)
    assert ended["PipelineExecutionStatus"] == "Failed"
    assert ended["FailureReason"] == "Step failure: One or multiple steps failed."
    found = server.steps(execution)
    assert set(found) == {"Count", "Enough", "TooFew"}
    assert found["TooFew"]["FailureReason"] == "only 3 rows"
    assert found["TooFew"]["Metadata"] == {"Fail": {"ErrorMessage": "only 3 rows"}}
    assert found["Enough"]["Metadata"] == {"Condition": {"Outcome": "False"}}


def test_a_rejected_callback_fails_the_execution_with_the_callers_words(server: Server, start: Start) -> None:
    sqs, sagemaker = server.client("sqs"), server.client("sagemaker")
    queue_url = sqs.create_queue(QueueName="third-sagemaker-approvals")["QueueUrl"]
    execution = start([_approve_alone(queue_url)])
    body = json.loads(sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20)["Messages"][0]["Body"])
    sagemaker.send_pipeline_execution_step_failure(CallbackToken=body["token"], FailureReason="not this time")
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    assert server.steps(execution)["Approve"]["FailureReason"] == "not this time"


def test_stop_sends_a_second_message_and_waits_for_its_answer(server: Server, start: Start) -> None:
    sqs, sagemaker = server.client("sqs"), server.client("sagemaker")
    queue_url = sqs.create_queue(QueueName="fourth-sagemaker-approvals")["QueueUrl"]
    execution = start([_approve_alone(queue_url)])
    first = json.loads(sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20)["Messages"][0]["Body"])
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken="s" * 32)
    second = json.loads(sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20)["Messages"][0]["Body"])
    assert second == {**first, "status": "Stopping"}
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
    assert described["PipelineExecutionStatus"] == "Stopping"
    sagemaker.send_pipeline_execution_step_success(CallbackToken=first["token"])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Stopped"


def _approve_alone(queue_url: str) -> dict[str, Any]:
    return {
        "Name": "Approve",
        "Type": "Callback",
        "SqsQueueUrl": queue_url,
        "Arguments": {},
        "OutputParameters": [],
    }
