"""A small pipeline for tests of the daily verbs: a step that runs, and one that waits or fails."""

import json
from typing import Any

from tests.conftest import Server
from tests.eventually import eventually

GREET = """
def handler(event, context):
    print('hello', event['name'])
    return {'length': len(event['name'])}
"""


def definition(function: str, queue_url: str) -> str:
    """`Greet` runs a function with the parameter Name, `Review` waits for an answer."""
    steps: list[dict[str, Any]] = [
        {
            "Name": "Greet",
            "Type": "Lambda",
            "FunctionArn": function,
            "Arguments": {"name": {"Get": "Parameters.Name"}},
            "OutputParameters": [{"OutputName": "length", "OutputType": "Integer"}],
        },
        {
            "Name": "Review",
            "Type": "Callback",
            "SqsQueueUrl": queue_url,
            "Arguments": {"length": {"Get": "Steps.Greet.OutputParameters['length']"}},
            "OutputParameters": [{"OutputName": "by", "OutputType": "String"}],
        },
    ]
    parameters = [{"Name": "Name", "Type": "String", "DefaultValue": "world"}]
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": steps})


def deployed(server: Server, name: str) -> str:
    """Deploy the pipeline with its function and queue; its name."""
    queue = server.client("sqs").create_queue(QueueName=f"sagemaker-{name}")["QueueUrl"]
    function = server.function(f"sagemaker-{name}", GREET)
    server.client("sagemaker").create_pipeline(
        PipelineName=name,
        PipelineDefinition=definition(function, queue),
        RoleArn=server.access["role_arn"],
    )
    return name


def started(server: Server, pipeline: str, **parameters: str) -> str:
    """Start an execution, and wait until it waits for an answer; its ARN."""
    given = [{"Name": name, "Value": value} for name, value in parameters.items()]
    arn: str = server.client("sagemaker").start_pipeline_execution(
        PipelineName=pipeline, PipelineParameters=given
    )["PipelineExecutionArn"]
    return waits(server, arn)


def waits(server: Server, arn: str) -> str:
    """Once the execution waits for an answer; its ARN."""
    eventually(lambda: "Callback" in server.steps(arn).get("Review", {}).get("Metadata", {}))
    return arn


def token(server: Server, arn: str) -> str:
    """The token of the answer that the execution waits for."""
    found: str = server.steps(arn)["Review"]["Metadata"]["Callback"]["CallbackToken"]
    return found
