"""Definitions as plain JSON, as the SageMaker API takes them."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server, trusting
from tests.policies import allowing

Step = dict[str, Any]

HERE = Path(__file__).parent
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
SQS_ROLE = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
ANSWERING = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sagemaker:SendPipelineExecutionStepSuccess", "Resource": "*"}
    ],
}

MODELS_ALONE = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "sagemaker:ListModelPackages",
                "sagemaker:CreateModel",
                "sagemaker:CreateEndpointConfig",
                "sagemaker:ListEndpoints",
                "sagemaker:CreateEndpoint",
                "iam:PassRole",
            ],
            "Resource": "*",
        }
    ],
}
S3_ALONE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def outputs(**types: str) -> list[dict[str, str]]:
    return [{"OutputName": name, "OutputType": type_} for name, type_ in types.items()]


@pytest.fixture
def start(server: Server) -> Callable[..., str]:
    """Create a pipeline of these steps with the onboarding role (or another), start it, give the ARN."""

    def run(
        steps: list[Step], *, role: str | None = None, parameters: Any = (), given: Any = (), name: str = ""
    ) -> str:
        sagemaker, name = server.client("sagemaker"), name or f"p-{uuid.uuid4().hex[:8]}"
        definition = {"Version": "2020-12-01", "Parameters": list(parameters), "Steps": steps}
        sagemaker.create_pipeline(
            PipelineName=name,
            RoleArn=role or server.access["role_arn"],
            PipelineDefinition=json.dumps(definition),
        )
        started = sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=list(given))
        arn: str = started["PipelineExecutionArn"]
        return arn

    return run


@pytest.fixture(scope="module")
def run_notebook(server: Server) -> Callable[[str], None]:
    """Runs a script, named from this folder, as a notebook with a role does, which may do everything."""
    return notebook_on(server)


def notebook_on(server: Server) -> Callable[[str], None]:
    """The same on another server."""
    notebook = server.role([ADMINISTRATOR]).rpartition("/")[2]
    instances = server.role([S3_ALONE], trust="ec2.amazonaws.com").rpartition("/")[2]
    iam = server.client("iam")
    iam.create_instance_profile(InstanceProfileName=instances)
    iam.add_role_to_instance_profile(InstanceProfileName=instances, RoleName=instances)
    roles = {
        "FUNCTION_ROLE": server.access["lambda_role_arn"],
        "ANSWERING_ROLE": server.role([SQS_ROLE, ANSWERING], trust="lambda.amazonaws.com"),
        "READING_ROLE": server.role([S3_ALONE], trust="lambda.amazonaws.com"),
        "CALLBACK_ROLE": server.role(
            [SQS_ROLE, allowing("sagemaker:SendPipelineExecutionStep*")], trust="lambda.amazonaws.com"
        ),
        "REGISTRY_ROLE": server.role(
            [allowing("sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage")],
            trust="lambda.amazonaws.com",
        ),
        "DEPLOYING_ROLE": server.role([MODELS_ALONE], trust="lambda.amazonaws.com"),
        "EMR_ROLE": server.role(trust="elasticmapreduce.amazonaws.com").rpartition("/")[2],
        "EMR_PROFILE": instances,
        "SERVERLESS_ROLE": server.role([S3_ALONE], trust="emr-serverless.amazonaws.com"),
    }
    roles["SCHEDULE_ROLE"] = _scheduling_role(server)
    quiet = {"SAGEMAKER_SUPPRESS_V2_WARNING": "1"}

    def start(name: str) -> None:
        command = [sys.executable, "-m", "passrole", "exec", "--data", str(server.data), "--role", notebook]
        finished = subprocess.run(
            [*command, "--", sys.executable, str(HERE / name)],
            env={**os.environ, **roles, **quiet},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr

    return start


def _scheduling_role(server: Server) -> str:
    """A role for schedules, which may start pipelines; SDK 3 wants it to trust SageMaker too."""
    arn = server.role([allowing("sagemaker:StartPipelineExecution")])
    both = ("sagemaker.amazonaws.com", "scheduler.amazonaws.com")
    statements = [statement for service in both for statement in trusting(service)["Statement"]]
    trust = {"Version": "2012-10-17", "Statement": statements}
    server.client("iam").update_assume_role_policy(
        RoleName=arn.rpartition("/")[2], PolicyDocument=json.dumps(trust)
    )
    return arn
