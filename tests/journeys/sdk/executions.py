"""Executions watched, stopped and listed; parallelism, versions, tags, and a definition through S3."""

import boto3
from sagemaker_sdk import (
    CallbackStep,
    ParallelismConfiguration,
    ParameterInteger,
    ParameterString,
    Pipeline,
    PipelineSession,
    get_execution_role,
)

session = PipelineSession()
role = get_execution_role(session)
assert session.account_id() in role
assert session.default_bucket() == f"sagemaker-{session.boto_region_name}-{session.account_id()}"
queue_url = boto3.client("sqs").create_queue(QueueName="sagemaker-sdk-executions")["QueueUrl"]

queue = ParameterString(name="QueueUrl", default_value=queue_url)
rows = ParameterInteger(name="Rows", default_value=10)


def waiting(name):
    """A step that waits for an answer."""
    return CallbackStep(name=name, sqs_queue_url=queue, inputs={"rows": rows}, outputs=[])


def made(name, steps):
    return Pipeline(name=name, parameters=[queue, rows], steps=steps, sagemaker_session=session)


pipeline = made("SdkExecutions", [waiting(f"Ask{number}") for number in range(4)])
pipeline.create(
    role_arn=role,
    description="four questions",
    tags=[{"Key": "team", "Value": "ml"}],
    parallelism_config=ParallelismConfiguration(max_parallel_execution_steps=2),
)
described = pipeline.describe()
assert described["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 2}
assert described["PipelineDefinition"] == pipeline.definition()
assert pipeline.latest_pipeline_version_id == 1

first = pipeline.start(
    parameters={"Rows": 7},
    execution_display_name="first",
    execution_description="one at a time",
    parallelism_config={"MaxParallelExecutionSteps": 1},
)
sagemaker_client = boto3.client("sagemaker")
messages = boto3.client("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=10)
assert len(messages["Messages"]) == 1
assert '"rows":7' in messages["Messages"][0]["Body"].replace(" ", "")
assert [step["StepStatus"] for step in first.list_steps()] == ["Executing"]
assert first.describe()["PipelineExecutionDisplayName"] == "first"

first.stop()
assert first.describe()["PipelineExecutionStatus"] == "Stopping"
token = first.list_steps()[0]["Metadata"]["Callback"]["CallbackToken"]
sagemaker_client.send_pipeline_execution_step_failure(CallbackToken=token, FailureReason="stopped")
waiter_gave_up = ""
try:
    first.wait(delay=1, max_attempts=2)  # the SDK's waiter knows no Stopped
except Exception as error:
    waiter_gave_up = str(error)
assert "Max attempts exceeded" in waiter_gave_up, waiter_gave_up
assert first.describe()["PipelineExecutionStatus"] == "Stopped"

again = pipeline.build_parameters_from_execution(
    pipeline_execution_arn=first.arn, parameter_value_overrides={"Rows": 8}
)
assert again == {"QueueUrl": queue_url, "Rows": 8}, again
second = pipeline.start(parameters=again)
assert [step["StepStatus"] for step in second.list_steps()] == ["Executing", "Executing"]  # two at once
assert {each["Name"]: each["Value"] for each in second.list_parameters()["PipelineParameters"]}["Rows"] == "8"
listed = pipeline.list_executions(sort_by="CreationTime", sort_order="Descending")[
    "PipelineExecutionSummaries"
]
assert [each["PipelineExecutionArn"] for each in listed] == [second.arn, first.arn]

pipeline.steps = [waiting("Only")]
pipeline.update(role_arn=role)
pipeline.upsert(role_arn=role, tags=[{"Key": "team", "Value": "data"}, {"Key": "stage", "Value": "test"}])
versions = pipeline.list_pipeline_versions()["PipelineVersionSummaries"]
assert [each["PipelineVersionId"] for each in versions] == [3, 2, 1]
assert "Ask3" in pipeline.describe(pipeline_version_id=1)["PipelineDefinition"]
old = pipeline.start(pipeline_version_id=1)
assert old.describe()["PipelineVersionId"] == 1

large = made("SdkLarge", [waiting(f"Step{number}") for number in range(2_000)])
large.create(role_arn=role)
assert large.describe()["PipelineDefinition"] == large.definition()
large.steps = large.steps[:10]
large.update(role_arn=role)
assert large.describe()["PipelineDefinition"] == large.definition()
large.delete()
