"""What the programs of the examples share: to deploy a pipeline, follow its execution and judge the outcome.

All of it is boto3, as one writes it against AWS.
"""

import io
import json
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3

POLL_SECONDS = 0.05

iam: Any = boto3.client("iam")
functions: Any = boto3.client("lambda")
sagemaker: Any = boto3.client("sagemaker")


def onboarding_role() -> str:
    """The ARN of the execution role that onboarding to Studio created."""
    roles = iam.list_roles(PathPrefix="/service-role/")["Roles"]
    ours = (role for role in roles if role["RoleName"].startswith("AmazonSageMaker-ExecutionRole-"))
    return str(next(ours)["Arn"])


def role_named(name: str, service: str, *statements: dict[str, Any]) -> str:
    """The ARN of a role that trusts the service and may do what the statements allow, if there are any."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=document(*statements))
    return str(iam.get_role(RoleName=name)["Role"]["Arn"])


def document(*statements: dict[str, Any]) -> str:
    """A policy with these statements, as JSON."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def function(name: str, folder: Path, role: str, **variables: str) -> None:
    """Create a function from a folder, whose handler is in the module of the folder's name, if it is new."""
    with suppress(functions.exceptions.ResourceConflictException):
        functions.create_function(
            FunctionName=name,
            Runtime=f"python3.{sys.version_info.minor}",
            Handler=f"{folder.name}.handler",
            Timeout=60,
            Role=role,
            Environment={"Variables": variables},
            Code={"ZipFile": _zipped(folder)},
        )


def function_arn(name: str) -> str:
    """The ARN of a function."""
    return str(functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"])


def pipeline(name: str, definition: str, role: str) -> None:
    """Create the pipeline, or update it."""
    known = [each["PipelineName"] for each in sagemaker.list_pipelines()["PipelineSummaries"]]
    put = sagemaker.update_pipeline if name in known else sagemaker.create_pipeline
    put(PipelineName=name, PipelineDefinition=definition, RoleArn=role)


def start(name: str, **parameters: str) -> str:
    """Start a pipeline; the ARN of the execution."""
    given = [{"Name": name, "Value": value} for name, value in parameters.items()]
    started = sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=given)
    return str(started["PipelineExecutionArn"])


def finished(execution: str, expected: str, seconds_max: float) -> dict[str, Any]:
    """The steps by name after the execution ended with the expected status; prints a line for each change."""
    until, status, shown = time.monotonic() + seconds_max, "Executing", dict[str, str]()
    steps: dict[str, Any] = {}
    while status == "Executing" and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        status = described["PipelineExecutionStatus"]
        listed = sagemaker.list_pipeline_execution_steps(
            PipelineExecutionArn=execution, SortOrder="Ascending"
        )
        for step in listed["PipelineExecutionSteps"]:
            steps[step["StepName"]] = step
            if shown.get(step["StepName"]) != step["StepStatus"]:
                shown[step["StepName"]] = step["StepStatus"]
                seconds = time.time() - described["CreationTime"].timestamp()
                print(f"   {seconds:5.1f} s  {_line(step)}", flush=True)
    check(status == expected, f"the execution is {status} and should be {expected}")
    print(f"   the execution {status}, as it should")
    return steps


def outputs(step: dict[str, Any]) -> dict[str, str]:
    """What the function of a Lambda step returned."""
    return {each["Name"]: each["Value"] for each in step["Metadata"]["Lambda"]["OutputParameters"]}


def check(holds: bool, otherwise: str) -> None:
    """Exit with code 1 and the message if the condition is false."""
    if not holds:
        sys.exit(f"demo: {otherwise}")


def _line(step: dict[str, Any]) -> str:
    """A step's status, and why it failed or where its result came from."""
    hit = step.get("CacheHitResult", {}).get("SourcePipelineExecutionArn", "")
    said = step.get("FailureReason") or (hit and f"cached, from execution {hit.rpartition('/')[2]}")
    return f"{step['StepStatus']:<9}  {step['StepName']:<10}  {said}".rstrip()


def _zipped(folder: Path) -> bytes:
    """A zip archive of the folder, for Lambda."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.glob("*.*")):
            archive.write(path, path.name)
    return buffer.getvalue()
