"""Lineage steps, in the form that the SDK writes."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.journeys.conftest import get, outputs
from tests.policies import allowing

Start = Callable[..., str]
ECHO = "def handler(event, context):\n    return event\n"
RECORDING = ("CreateAction", "CreateArtifact", "CreateContext", "AddAssociation", "AddTags")


def lineage(name: str, uri: str, **more: Any) -> dict[str, Any]:
    """A run with its model, in a project, joined by name."""

    def end(name: str, type_: str) -> dict[str, str]:
        return {"Name": name, "Type": type_}

    source = {"SourceUri": "s3://b/run"}
    arguments = {
        "Actions": [{"ActionName": name, "ActionType": "Training", "Source": source, "Status": "Completed"}],
        "Artifacts": [{"ArtifactName": "model", "ArtifactType": "Model", "Source": {"SourceUri": uri}}],
        "Contexts": [{"ContextName": name, "ContextType": "Project", "Source": source}],
        "Associations": [
            {
                "Source": end(name, "Action"),
                "Destination": end("model", "Artifact"),
                "AssociationType": "Produced",
            },
            {"Source": end("model", "Artifact"), "Destination": end(name, "Context")},
        ],
        **more,
    }
    return {"Name": "Record", "Type": "Lineage", "Arguments": arguments}


def allowed(*without: str) -> dict[str, Any]:
    return allowing("lambda:*", *(f"sagemaker:{each}" for each in RECORDING if each not in without))


def test_what_a_step_records_is_joined_tagged_and_referenced(server: Server, start: Start) -> None:
    name, uri = new_name("run"), f"s3://b/{new_name('model')}"
    function = server.function(new_name("sagemaker-echo"), ECHO)
    arguments = {"arn": get("Steps.Record.ArtifactArns['model']")}
    told = {"Name": "Tell", "Type": "Lambda", "FunctionArn": function, "Arguments": arguments}
    steps = [lineage(name, uri), {**told, "OutputParameters": outputs(arn="String")}]
    execution = start(steps, role=server.role([allowed()]))
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"
    recorded = server.steps(execution)
    metadata = recorded["Record"]["Metadata"]["Lineage"]
    action, model, project = (metadata[f"{kind}Arns"] for kind in ("Action", "Artifact", "Context"))
    assert metadata["Associations"] == [
        {"SourceArn": action[name], "DestinationArn": model["model"]},
        {"SourceArn": model["model"], "DestinationArn": project[name]},
    ]
    output = {"Name": "arn", "Value": model["model"]}
    assert recorded["Tell"]["Metadata"]["Lambda"]["OutputParameters"] == [output]
    sagemaker = server.client("sagemaker")
    tags = {each["Key"]: each["Value"] for each in sagemaker.list_tags(ResourceArn=action[name])["Tags"]}
    assert tags == {
        "sagemaker:pipeline-execution-arn": execution,
        "sagemaker:pipeline-step-name": "Record",
    }
    reached = sagemaker.query_lineage(StartArns=[action[name]], Direction="Descendants")["Vertices"]
    assert [each["Arn"] for each in reached] == [model["model"], project[name]]


@pytest.mark.parametrize("action", RECORDING)
def test_each_action_is_asked_of_the_role(server: Server, start: Start, action: str) -> None:
    step = lineage(new_name("run"), f"s3://b/{new_name('model')}")
    execution = start([step], role=server.role([allowed(action)]))
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    reason = server.steps(execution)["Record"]["FailureReason"]
    assert f"is not authorized to perform: sagemaker:{action} on resource: " in reason


def test_a_name_that_is_taken_and_one_that_is_not_made_fail_the_step(server: Server, start: Start) -> None:
    name, uri, role = (
        new_name("run"),
        f"s3://b/{new_name('model')}",
        server.role([allowed(), allowing("sagemaker:ListTags")]),
    )
    ends = {
        "Source": {"Name": "none", "Type": "Action"},
        "Destination": {"Name": "model", "Type": "Artifact"},
    }
    first = start([lineage(name, uri, Associations=[ends])], role=role)
    server.finished(first)
    reason = server.steps(first)["Record"]["FailureReason"]
    assert reason.endswith("An association references Action 'none', which this step does not create.")
    second = start([lineage(name, uri)], role=role)
    server.finished(second)
    assert server.steps(second)["Record"]["FailureReason"].endswith(f":action/{name} already exists.")
