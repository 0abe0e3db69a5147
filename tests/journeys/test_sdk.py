"""Unmodified code of the SageMaker SDK, under `passrole exec`; what it leaves is looked at through boto3."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("sagemaker") is None,
    reason="the SageMaker SDK is not installed: its version 2 needs Python before 3.13",
)

SCRIPTS = Path(__file__).parent / "sdk"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
SQS_ROLE = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
ANSWERING = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sagemaker:SendPipelineExecutionStepSuccess", "Resource": "*"}
    ],
}

Run = Callable[[str], None]


@pytest.fixture(scope="module")
def run(server: Any) -> Run:
    """Runs a script as a notebook with a role does, which may do everything."""
    notebook = server.role([ADMINISTRATOR]).rpartition("/")[2]
    roles = {
        "FUNCTION_ROLE": server.access["lambda_role_arn"],
        "ANSWERING_ROLE": server.role([SQS_ROLE, ANSWERING], trust="lambda.amazonaws.com"),
    }
    quiet = {"SAGEMAKER_SUPPRESS_V2_WARNING": "1"}

    def start(name: str) -> None:
        command = [sys.executable, "-m", "passrole", "exec", "--data", str(server.data), "--role", notebook]
        finished = subprocess.run(
            [*command, "--", sys.executable, str(SCRIPTS / name)],
            env={**os.environ, **roles, **quiet},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr

    return start


@pytest.mark.slow
def test_functions_that_the_sdk_makes_run_in_its_pipelines(run: Run, server: Any) -> None:
    run("lambda_steps.py")
    sagemaker = server.client("sagemaker")
    pipeline = sagemaker.describe_pipeline(PipelineName="SdkLambda")
    tags = sagemaker.list_tags(ResourceArn=pipeline["PipelineArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "ml"}]
    key = "lambda/sagemaker-sdk-say/code"
    bucket = f"sagemaker-{server.region}-{server.account}"
    assert server.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] > 0


@pytest.mark.slow
def test_a_function_behind_the_queue_answers_a_callback_when_it_is_asked_again(run: Run, server: Any) -> None:
    run("callback_steps.py")
    (listed,) = server.client("sagemaker").list_pipeline_executions(PipelineName="SdkCallback")[
        "PipelineExecutionSummaries"
    ]
    assert listed["PipelineExecutionStatus"] == "Succeeded"


@pytest.mark.slow
def test_every_condition_decides_and_every_kind_of_failure_is_told(run: Run, server: Any) -> None:
    run("conditions_and_failures.py")
    listed = server.client("sagemaker").list_pipelines(PipelineNamePrefix="SdkAfterFail")
    assert listed["PipelineSummaries"] == []


@pytest.mark.slow
def test_executions_are_watched_stopped_and_listed_by_the_sdk(run: Run, server: Any) -> None:
    run("executions.py")
    key = server.client("s3").list_objects_v2(Bucket=f"sagemaker-{server.region}-{server.account}")
    assert "SdkLarge" in [each["Key"] for each in key["Contents"]]
    names = [
        each["PipelineName"]
        for each in server.client("sagemaker").list_pipelines(PipelineNamePrefix="Sdk")["PipelineSummaries"]
    ]
    assert "SdkExecutions" in names and "SdkLarge" not in names
