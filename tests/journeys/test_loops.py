"""ForEach steps over real functions, queues and jobs."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.eventually import eventually
from tests.journeys.conftest import get, outputs
from tests.journeys.test_job_steps import Pipelines
from tests.services.sagemaker.jobs.workshop import Workshop

Start = Callable[..., str]
Step = dict[str, Any]
ITEM = get("ForEach.CurrentItem")
MEASURE = """
    def handler(event, context):
        if event["word"] in event.get("forbidden", ""):
            raise ValueError(f"{event['word']} is forbidden")
        return {"length": len(event["word"])}
"""


def loop(items: Any, *body: Step, at_once: int = 10, **arguments: Any) -> Step:
    given = {"IterableItems": items, "MaxConcurrency": at_once, "ForEachBody": list(body), **arguments}
    return {"Name": "Each", "Type": "ForEach", "Arguments": given}


def measure(function: str, **arguments: Any) -> Step:
    of = {"FunctionArn": function, "Arguments": {"word": ITEM, **arguments}}
    return {"Name": "Measure", "Type": "Lambda", **of, "OutputParameters": outputs(length="Integer")}


@pytest.fixture(scope="module")
def function(server: Server) -> str:
    return server.function(new_name("sagemaker-measure"), MEASURE)


def listed(server: Server, execution: str, **page: Any) -> list[Step]:
    pages = server.client("sagemaker").get_paginator("list_pipeline_execution_steps")
    found = pages.paginate(PipelineExecutionArn=execution, PaginationConfig=page)
    return [step for each in found for step in each["PipelineExecutionSteps"]]


def test_a_loop_picks_the_longest_word_and_is_listed_with_its_iterations(
    server: Server, start: Start, function: str
) -> None:
    field = get("IterationOutput.Measure.OutputParameters['length']")
    each = loop(get("Parameters.Words"), measure(function), Selector={"Pick": "MaxBy", "Field": field})
    asked = {
        "word": get("Steps.Each.Selected.OutputParameters['length']"),
        "first": get("Steps.Each.IterationOutputs[0].Measure.OutputParameters['length']"),
    }
    text = {"Std:Join": {"On": "/", "Values": list(asked.values())}}
    after = {**measure(function), "Name": "After", "Arguments": {"word": text}}
    words = {"Name": "Words", "Type": "String", "DefaultValue": '["a", "bb", "dddd", "ccc"]'}
    execution = start([each, after], parameters=[words])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"
    steps = {step["StepName"]: step for step in listed(server, execution)}
    assert steps["Each"]["Metadata"]["ForEach"] == {
        "Status": "Succeeded",
        "InputItemCount": 4,
        "TotalStepCount": 4,
        "SucceededStepCount": 4,
        "FailedStepCount": 0,
        "StoppedStepCount": 0,
        "Selector": {"StepName": "Measure", "Index": 2},
    }
    assert steps["Measure-1"]["IterationContext"] == {"ParentStepName": "Each", "Index": 1, "Item": "bb"}
    assert steps["After"]["Metadata"]["Lambda"]["OutputParameters"] == [{"Name": "length", "Value": "3"}]
    assert "IterationContext" not in steps["After"]


def test_iterations_come_in_pages(server: Server, start: Start, function: str) -> None:
    execution = start([loop([f"w{i}" for i in range(25)], measure(function))])
    server.finished(execution)
    names = [step["StepName"] for step in listed(server, execution, PageSize=7)]
    assert len(names) == 26 == len(set(names)) and names[-1] == "Each"


def test_only_what_failed_runs_again_after_a_retry(server: Server, start: Start, function: str) -> None:
    """The second run fails too, by the same parameter: what is looked at is which steps it ran."""
    forbidden = {"Name": "Forbidden", "Type": "String", "DefaultValue": "b"}
    each = loop(["a", "b", "c"], measure(function, forbidden=get("Parameters.Forbidden")))
    execution = start([each], parameters=[forbidden])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    server.client("sagemaker").retry_pipeline_execution(
        PipelineExecutionArn=execution, ClientRequestToken=new_name("retry" * 7)
    )
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    steps = server.steps(execution)
    assert {name: step["AttemptCount"] for name, step in steps.items()} == {
        "Each": 2,
        "Measure-0": 1,
        "Measure-1": 2,
        "Measure-2": 1,
    }
    assert steps["Each"]["FailureReason"] == "ClientError: 1 of the 3 steps of the iterations failed."


def test_each_iteration_asks_for_its_own_approval_and_a_stop_tells_them(server: Server, start: Start) -> None:
    sqs, sagemaker = server.client("sqs"), server.client("sagemaker")
    queue_url = sqs.create_queue(QueueName=new_name("sagemaker-loop"))["QueueUrl"]
    ask = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": queue_url, "Arguments": {"item": ITEM}}
    execution = start([loop(["a", "b", "c"], {**ask, "OutputParameters": []}, at_once=2)])

    def message() -> Any:
        (found,) = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20)["Messages"]
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=found["ReceiptHandle"])
        return json.loads(found["Body"])

    asked = {body["arguments"]["item"]: body for body in (message(), message())}
    assert set(asked) == {"a", "b"}
    sagemaker.send_pipeline_execution_step_success(CallbackToken=asked["a"]["token"])
    third = message()
    assert third["arguments"] == {"item": "c"}
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken=new_name("stop" * 8))
    stopping = [message(), message()]
    assert {body["status"] for body in stopping} == {"Stopping"}
    for body in stopping:
        sagemaker.send_pipeline_execution_step_failure(CallbackToken=body["token"])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Stopped"
    statuses = {name: step["StepStatus"] for name, step in server.steps(execution).items()}
    assert statuses == {"Each": "Stopped", "Ask-0": "Succeeded", "Ask-1": "Stopped", "Ask-2": "Stopped"}


def test_a_denial_is_told_for_the_iteration_alone(server: Server, start: Start, function: str) -> None:
    here = function.rpartition(":")[0]
    step = {**measure(function), "FunctionArn": {"Std:Join": {"On": ":", "Values": [here, ITEM]}}}
    execution = start([loop([function.rpartition(":")[2], "elsewhere"], step)])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    steps = server.steps(execution)
    assert steps["Measure-0"]["StepStatus"] == "Succeeded"
    reason = steps["Measure-1"]["FailureReason"]
    assert (
        f"sagemaker-pipeline-{execution.rpartition('/')[2]}-Measure-1 is not authorized to perform" in reason
    )
    assert f"lambda:InvokeFunction on resource: {here}:elsewhere" in reason


def test_jobs_of_iterations_are_taken_over_by_the_next_execution(server: Server, sandboxed: None) -> None:
    pipelines = Pipelines(Workshop(server))
    cached = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
    step = pipelines.processing("One", "echo done", **cached)
    step["Arguments"]["Environment"] = {"WORD": ITEM}
    name = pipelines.create(loop(["a", "b"], step))
    first = pipelines.ended(pipelines.start(name))
    jobs = {key: each["Metadata"]["ProcessingJob"]["Arn"] for key, each in first.items() if key != "Each"}
    assert len(set(jobs.values())) == 2 and first["Each"]["StepStatus"] == "Succeeded"
    second = pipelines.ended(pipelines.start(name))
    assert {
        key: each["Metadata"]["ProcessingJob"]["Arn"] for key, each in second.items() if key != "Each"
    } == jobs
    assert all("CacheHitResult" in second[key] for key in jobs)
    tags = eventually(lambda: pipelines.sagemaker.list_tags(ResourceArn=jobs["One-1"])["Tags"])
    assert {"Key": "sagemaker:pipeline-step-name", "Value": "One-1"} in tags
