"""The developer guide's Lambda, Callback and EMR steps run under the role of `passrole init --studio`.

The notebook and the execution have that role; an administrator has made what the guide takes for granted: the
function, the queue with its consumer, and EMR's roles.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import SPARK_S3, Server
from tests.journeys.conftest import ANSWERING, S3_ALONE, SQS_ROLE
from tests.store import chosen

from passrole.config import Config
from passrole.runtimes.spark import Spark

PROGRAM = Path(__file__).parent / "sdk" / "documented_steps.py"
QUEUE = "sagemaker-callback-queue"

FUNCTION = """
def handler(event, context):
    return {"output1": event["arg1"], "output2": event["arg2"], "output3": True, "output4": 2.0}
"""

CONSUMER = """
import json
import boto3

def handler(event, context):
    sagemaker = boto3.client("sagemaker")
    for record in event["Records"]:
        payload = json.loads(record["body"])
        said = payload["arguments"]["arg1"] + " was seen"
        sagemaker.send_pipeline_execution_step_success(
            CallbackToken=payload["token"], OutputParameters=[{"Name": "output", "Value": said}]
        )
"""

pytestmark = pytest.mark.skipif(
    not list(metadata.distributions(name="sagemaker")),
    reason="the SageMaker SDK is not installed: version 2 needs Python before 3.13, or `make test-sdk3`",
)


@pytest.fixture
def studio(start_server: Callable[..., Server]) -> Server:
    """A server whose onboarding was asked for Studio's access."""
    server = start_server()
    server.stop()
    command = [sys.executable, "-m", "passrole", "init", "--studio", "--data", str(server.data)]
    environment = {**os.environ, **chosen.environment(server.data)}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    server.start()
    return server


@pytest.mark.slow
def test_the_steps_of_the_developer_guide_run_under_studios_role(studio: Server) -> None:
    done = run(studio, queue=QUEUE)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_guides_placeholder_of_a_queue_is_refused_as_on_aws(studio: Server) -> None:
    done = run(studio, queue="MyCallbackQueue")
    assert done.returncode != 0
    (execution,) = studio.client("sagemaker").list_pipeline_executions(PipelineName="Documented")[
        "PipelineExecutionSummaries"
    ]
    reason = studio.steps(execution["PipelineExecutionArn"])["MyCallbackStep"]["FailureReason"]
    assert "is not authorized to perform: sqs:sendmessage on resource: " in reason
    assert reason.split(" because ")[0].endswith(":MyCallbackQueue")


def run(server: Server, queue: str) -> "subprocess.CompletedProcess[str]":
    """The program as a notebook runs it, with the role of onboarding."""
    command = [sys.executable, "-m", "passrole", "exec", "--data", str(server.data)]
    without = {} if Spark(Config(spark_s3=SPARK_S3)).unavailable_reason() is None else {"WITHOUT_SPARK": "1"}
    return subprocess.run(
        [*command, "--role", server.access["role_name"], "--", sys.executable, str(PROGRAM)],
        env={
            **os.environ,
            **taken_for_granted(server, queue),
            **without,
            "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def taken_for_granted(server: Server, queue: str) -> dict[str, str]:
    """What exists before the notebook runs, as variables for it."""
    made = server.client("sqs").create_queue(QueueName=queue, Attributes={"VisibilityTimeout": "60"})[
        "QueueUrl"
    ]
    arn: dict[str, Any] = server.client("sqs").get_queue_attributes(
        QueueUrl=made, AttributeNames=["QueueArn"]
    )
    answering = server.role([SQS_ROLE, ANSWERING], trust="lambda.amazonaws.com")
    consumer = server.function("sagemaker-answers", CONSUMER, answering)
    server.client("lambda").create_event_source_mapping(
        EventSourceArn=arn["Attributes"]["QueueArn"], FunctionName=consumer, BatchSize=10
    )
    instances = server.role([S3_ALONE], trust="ec2.amazonaws.com").rpartition("/")[2]
    iam = server.client("iam")
    iam.create_instance_profile(InstanceProfileName=instances)
    iam.add_role_to_instance_profile(InstanceProfileName=instances, RoleName=instances)
    return {
        "FUNCTION_ARN": server.function("sagemaker_test_lambda", FUNCTION),
        "QUEUE_URL": made,
        "EMR_ROLE": server.role(trust="elasticmapreduce.amazonaws.com").rpartition("/")[2],
        "EMR_PROFILE": instances,
    }
