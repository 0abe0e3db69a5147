"""What the SageMaker SDK wrote is accepted and runs where its steps can, and is refused by name where not."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server

RECORDED = Path(__file__).parents[1] / "definition" / "recorded"
VALUES = {"String": "text", "Integer": 1, "Float": 1.5, "Boolean": True}
ENDS = {  # where a recorded definition does not succeed: what its first failed step says
    "condition-all": ("Failed", "bad"),
    "execution-variables": ("Failed", "has no value in a step that starts no job"),
    # what they name is not there: clusters, instance profiles
    **dict.fromkeys(
        ("emr-cluster-id", "emr-output-args", "emr-retry"), ("Failed", "Specified job flow ID not")
    ),
    "emr-cluster-config": ("Failed", "Invalid InstanceProfile: absent."),
    "emr-cluster-config-fleets": ("Failed", "RunJobFlow"),
    "emr-serverless": ("Failed", "is not authorized to perform: emr-serverless:"),  # which v3 does not grant
    "foreach": ("Failed", "is not a list, nor the JSON text of one"),  # its parameter's default is `a`
}
REFUSED = {"fail": "F1 can not depends on F0"}
# Step types that the SDK writes and passrole does not run, each in the shortest step that says so.
UNSUPPORTED = (
    *("Athena", "AutoML", "Bedrock", "Cleanup"),
    *("HubContent", "InferenceComponent", "Job"),
)


def here(definition: Any, function: str, queue_url: str) -> Any:
    """The definition with functions and queues that exist, and an instance profile that does not."""
    if isinstance(definition, list):
        return [here(each, function, queue_url) for each in definition]
    if not isinstance(definition, dict):
        return definition
    real = {"FunctionArn": function, "SqsQueueUrl": queue_url, "JobFlowRole": "absent"}
    return {
        key: real[key] if key in real else here(value, function, queue_url)
        for key, value in definition.items()
    }


def outputs(definition: Any) -> dict[str, Any]:
    """A value for each output that any step declares, of its type."""
    if isinstance(definition, list):
        return {name: value for each in definition for name, value in outputs(each).items()}
    if not isinstance(definition, dict):
        return {}
    if set(definition) == {"OutputName", "OutputType"}:
        return {definition["OutputName"]: VALUES[definition["OutputType"]]}
    return outputs(list(definition.values()))


def defaults(definition: Mapping[str, Any], queue_url: str) -> list[dict[str, str]]:
    """Values for the parameters that have none."""
    values = {name: str(value) for name, value in VALUES.items()} | {"String": queue_url}
    return [
        {"Name": each["Name"], "Value": values[each["Type"]]}
        for each in definition.get("Parameters", [])
        if "DefaultValue" not in each
    ]


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.iterdir()))
def test_what_the_sdk_wrote_runs_or_is_refused_by_the_name_of_its_step_type(
    server: Server, name: str
) -> None:
    sagemaker = server.client("sagemaker")
    queue_url = server.client("sqs").create_queue(QueueName=f"sagemaker-recorded-{name}")["QueueUrl"]
    recorded = json.loads((RECORDED / f"{name}.json").read_text())
    produced = outputs(recorded)
    source = f"def handler(event, context):\n    return {produced!r}\n"
    function = server.function(f"sagemaker-recorded-{name}", source)
    definition = here(recorded, function, queue_url)
    given = {"RoleArn": server.access["role_arn"], "PipelineDefinition": json.dumps(definition)}
    kind = name.removeprefix("v3-")
    if kind in REFUSED:
        with pytest.raises(ClientError, match=REFUSED[kind]):
            sagemaker.create_pipeline(PipelineName=f"recorded-{name}", **given)
        return
    sagemaker.create_pipeline(PipelineName=f"recorded-{name}", **given)
    execution = sagemaker.start_pipeline_execution(
        PipelineName=f"recorded-{name}", PipelineParameters=defaults(definition, queue_url)
    )["PipelineExecutionArn"]
    answer_all(server, queue_url, execution, produced)
    ended = server.finished(execution)["PipelineExecutionStatus"]
    reasons = [step.get("FailureReason", "") for step in server.steps(execution).values()]
    status, reason = ENDS.get(kind, ("Succeeded", ""))
    assert ended == status, reasons
    assert any(reason in each for each in reasons), reasons


def answer_all(server: Server, queue_url: str, execution: str, produced: Mapping[str, Any]) -> None:
    """Answer callbacks until the execution has ended."""
    sagemaker, sqs = server.client("sagemaker"), server.client("sqs")
    for _ in range(100):
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        if described["PipelineExecutionStatus"] != "Executing":
            return
        for message in sqs.receive_message(QueueUrl=queue_url).get("Messages", ()):
            token = json.loads(message["Body"])["token"]
            given = [
                {"Name": name, "Value": json.dumps(value).strip('"')} for name, value in produced.items()
            ]
            sagemaker.send_pipeline_execution_step_success(CallbackToken=token, OutputParameters=given)


@pytest.mark.parametrize("type_", UNSUPPORTED)
def test_a_step_type_that_is_not_run_is_refused_by_its_name(server: Server, type_: str) -> None:
    step = {"Name": "One", "Type": type_, "Arguments": {}}
    definition = json.dumps({"Version": "2020-12-01", "Steps": [step]})
    with pytest.raises(ClientError, match=f"Step type '{type_}' is not supported here"):
        server.client("sagemaker").create_pipeline(
            PipelineName="refused", RoleArn=server.access["role_arn"], PipelineDefinition=definition
        )
