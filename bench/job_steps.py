"""Pipelines of Processing steps: five hundred at once, results taken over, values of a property file.

Times are the server's own, but for results that are taken over: all of them are in the call that starts the
execution. The programs do nothing, so that nearly all of it is ours and the sandbox's.
"""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from bench import definitions
from bench.measure import median_of, seconds
from bench.pipelines import run
from bench.server import Server
from bench.table import Figure, Row

STEPS, READS, ROUNDS = 500, 50, 3
STEP_SECONDS_MAX = 0.005
RUN_SECONDS_MAX = 900

_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
_PLACE = "/opt/ml/processing/out"
_MAY_ALL = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*",
    "Action": ["sagemaker:*", "iam:PassRole", "s3:*", "logs:*"]}]}"""
_BY_SAGEMAKER = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": "sagemaker.amazonaws.com"}}]}"""


def rows() -> Iterator[Row]:
    """Steps that run, the same steps taken over by the next execution, and conditions on a report."""
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "data") as server:
        server.client("s3").create_bucket(Bucket="bench-job-steps")
        role = _role(server)
        _pipeline(server, "fan-out", role, [_step(role, f"P{number}", "true") for number in range(STEPS)])
        _pipeline(server, "report", role, [_report(role), *map(_condition, range(READS))])
        cpu, resident = server.cpu_seconds, server.resident_bytes
        took = run(server, "fan-out", RUN_SECONDS_MAX)
        cpu, added = server.cpu_seconds - cpu, server.resident_bytes - resident
        hits = median_of(ROUNDS, lambda: seconds(partial(_start, server, "fan-out")))
        run(server, "report")
        reads = median_of(ROUNDS, lambda: run(server, "report"))
    budget = Figure(STEP_SECONDS_MAX, "s")
    yield Row(f"{STEPS} Processing steps in one pipeline", Figure(took, "s"))
    yield Row("  processor time of the server, a step", Figure(cpu / STEPS, "s"))
    yield Row("  memory added to the server", Figure(added, "bytes"))
    yield Row("a step's result taken over from the cache", Figure(hits / STEPS, "s"), None, budget)
    yield Row("a condition on a value of a property file", Figure(reads / READS, "s"), None, budget)


def _start(server: Server, pipeline: str) -> None:
    """All results are taken over before it returns."""
    server.client("sagemaker").start_pipeline_execution(PipelineName=pipeline)


def _role(server: Server) -> str:
    iam = server.client("iam")
    role = iam.create_role(RoleName="bench-job-steps", AssumeRolePolicyDocument=_BY_SAGEMAKER)["Role"]
    iam.put_role_policy(RoleName="bench-job-steps", PolicyName="all", PolicyDocument=_MAY_ALL)
    return str(role["Arn"])


def _pipeline(server: Server, name: str, role: str, steps: list[definitions.Step]) -> None:
    server.client("sagemaker").create_pipeline(
        PipelineName=name, RoleArn=role, PipelineDefinition=definitions.text(steps)
    )


def _step(role: str, name: str, script: str, **outputs: Any) -> definitions.Step:
    """A Processing step with caching; no other step has its arguments."""
    resources = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}}
    request = {
        "RoleArn": role,
        "AppSpecification": {"ImageUri": _IMAGE, "ContainerEntrypoint": ["/bin/sh", "-c", script]},
        "ProcessingResources": resources,
        "Environment": {"STEP": name},
        **outputs,
    }
    return {"Name": name, "Type": "Processing", "Arguments": request, "CacheConfig": {"Enabled": True}}


def _report(role: str) -> definitions.Step:
    script = f"echo '{{\"mse\": 4.5}}' > {_PLACE}/report.json"
    where = {"S3Uri": "s3://bench-job-steps/report", "LocalPath": _PLACE, "S3UploadMode": "EndOfJob"}
    outputs = {"Outputs": [{"OutputName": "out", "S3Output": where}]}
    file = {"PropertyFileName": "Report", "OutputName": "out", "FilePath": "report.json"}
    return {**_step(role, "R", script, ProcessingOutputConfig=outputs), "PropertyFiles": [file]}


def _condition(number: int) -> definitions.Step:
    """One after another: each reads the file for itself."""
    file = {"Get": "Steps.R.PropertyFiles.Report"}
    value = {"Std:JsonGet": {"PropertyFile": file, "Path": "mse"}}
    holds = {"Type": "LessThan", "LeftValue": value, "RightValue": 6.0}
    return {
        "Name": f"C{number}",
        "Type": "Condition",
        "DependsOn": [f"C{number - 1}" if number else "R"],
        "Arguments": {"Conditions": [holds], "IfSteps": [], "ElseSteps": []},
    }
