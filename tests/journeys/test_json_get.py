"""JsonGet on documents that functions wrote to S3, read as the execution role."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server, new_name

WRITES = """
import json, os, boto3
def handler(event, context):
    body = json.dumps({"a": {"b": event["value"]}, "list": [{"name": "second"}]})
    boto3.client("s3").put_object(Bucket=event["bucket"], Key="r.json", Body=body)
    return {"uri": f"s3://{event['bucket']}/r.json"}
"""
ECHO = "def handler(event, context):\n    return {'x': event['x']}\n"


def allow(*actions: str, resource: str = "*") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture(scope="module")
def functions(server: Server) -> dict[str, str]:
    """ARNs of a function that writes a report and of one that gives back what it is given."""
    role = server.role([allow("s3:*", "logs:*")], trust="lambda.amazonaws.com")
    writes = server.function(new_name("sagemaker-writes"), WRITES, role, Timeout=30)
    return {"writes": writes, "echo": server.function(new_name("sagemaker-echo"), ECHO)}


@pytest.fixture
def run(server: Server, functions: dict[str, str]) -> Callable[..., str]:
    """Runs a pipeline in which a function reports a value and a condition reads it; the execution's ARN."""

    def start(value: Any, *policies: dict[str, Any], path: str = "a.b") -> str:
        sagemaker, name = server.client("sagemaker"), new_name("reads")
        server.client("s3").create_bucket(Bucket=name)
        uri = {"Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Parameters.B"}, "r.json"]}}
        written = {"Get": "Steps.Report.OutputParameters['uri']"}
        report = {
            "Name": "Report",
            "Type": "Lambda",
            "FunctionArn": functions["writes"],
            "Arguments": {"value": value, "bucket": {"Get": "Parameters.B"}},
            "OutputParameters": [{"OutputName": "uri", "OutputType": "String"}],
        }
        tell = {
            "Name": "Tell",
            "Type": "Lambda",
            "FunctionArn": functions["echo"],
            "Arguments": {"x": {"Std:JsonGet": {"S3Uri": written, "Path": "list[0].name"}}},
            "OutputParameters": [{"OutputName": "x", "OutputType": "String"}],
        }
        greater = {
            "Type": "GreaterThan",
            "LeftValue": {"Std:JsonGet": {"S3Uri": uri, "Path": path}},
            "RightValue": 1,
        }
        good = {
            "Name": "Good",
            "Type": "Condition",
            "DependsOn": ["Report"],
            "Arguments": {"Conditions": [greater], "IfSteps": [tell], "ElseSteps": []},
        }
        definition = {
            "Version": "2020-12-01",
            "Parameters": [{"Name": "B", "Type": "String", "DefaultValue": name}],
            "Steps": [report, good],
        }
        role = server.role(policies or [allow("lambda:*", "s3:GetObject")])
        sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=json.dumps(definition), RoleArn=role)
        arn: str = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
        return arn

    return start


def test_a_condition_and_a_function_are_given_what_a_function_wrote(
    server: Server, run: Callable[..., str]
) -> None:
    execution = run(2.5)
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"
    steps = server.steps(execution)
    assert steps["Good"]["Metadata"]["Condition"]["Outcome"] == "True"
    assert steps["Tell"]["Metadata"]["Lambda"]["OutputParameters"] == [{"Name": "x", "Value": "second"}]


def test_the_other_branch_is_taken(server: Server, run: Callable[..., str]) -> None:
    execution = run(1)
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"
    assert set(server.steps(execution)) == {"Report", "Good"}


def test_a_path_that_leads_nowhere_fails_who_asked(server: Server, run: Callable[..., str]) -> None:
    execution = run(2, path="a.c")
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    steps = server.steps(execution)
    assert steps["Report"]["StepStatus"] == "Succeeded"
    assert steps["Good"]["FailureReason"].startswith("ClientError: Invalid json path 'a.c' in s3://")


def test_the_execution_role_needs_to_read_the_document(server: Server, run: Callable[..., str]) -> None:
    execution = run(2, allow("lambda:*"))
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    reason = server.steps(execution)["Good"]["FailureReason"]
    assert reason.startswith("ClientError: Failed to invoke s3:GetObject. Error Details: User: ")
    assert "/sagemaker-pipeline-" in reason
    assert "is not authorized to perform: s3:GetObject" in reason
