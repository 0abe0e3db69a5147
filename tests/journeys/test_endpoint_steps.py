"""EndpointConfig and Endpoint steps: an endpoint that answers, its update by the next run, each denial."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from tests.conftest import Server, new_name
from tests.eventually import eventually
from tests.needs.test_against_the_door import asked_for, fits, may_do_everything
from tests.policies import allowing
from tests.services.sagemaker.hosting.conftest import Host

from passrole.cli import main
from passrole.needs import Place, needs_of_role, read_definition

pytestmark = pytest.mark.usefixtures("sandboxed")
Start = Callable[..., str]
CONFIG = ("sagemaker:CreateEndpointConfig", "sagemaker:AddTags", "sagemaker:DescribeEndpointConfig")
ENDPOINT = ("sagemaker:CreateEndpoint", "sagemaker:AddTags", "sagemaker:DescribeEndpoint")


@pytest.fixture(scope="module")
def host(server: Server) -> Iterator[Host]:
    made = Host(server)
    yield made
    made.close()


def config(model: str, name: Any, **members: Any) -> dict[str, Any]:
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1,
    }
    arguments: dict[str, Any] = {
        "EndpointConfigName": name,
        "ProductionVariants": [variant],
        "Tags": [],
        **members,
    }
    return {"Name": "Config", "Type": "EndpointConfig", "Arguments": arguments}


def endpoint(name: str, config: Any = None) -> dict[str, Any]:
    given = config or {"Get": "Steps.Config.EndpointConfigName"}
    arguments: dict[str, Any] = {"EndpointName": name, "EndpointConfigName": given, "Tags": []}
    return {"Name": "Endpoint", "Type": "Endpoint", "Arguments": arguments}


def each_execution(name: str) -> dict[str, Any]:
    return {"Std:Join": {"On": "-", "Values": [name, {"Get": "Execution.PipelineExecutionId"}]}}


def everything(server: Server) -> str:
    return server.role([allowing("sagemaker:*", "iam:PassRole")])


def test_a_pipeline_deploys_and_its_next_execution_updates(host: Host, server: Server) -> None:
    name, sagemaker = new_name("steps"), server.client("sagemaker")
    models = [host.model(2), host.model(5)]
    role = everything(server)
    for model, expected in zip(models, ([2.0, 4.0], [5.0, 10.0]), strict=True):
        steps = [config(model, each_execution(name)), endpoint(name)]
        text = json.dumps({"Version": "2020-12-01", "Steps": steps})
        save = sagemaker.create_pipeline if model == models[0] else sagemaker.update_pipeline
        save(PipelineName=name, RoleArn=role, PipelineDefinition=text)
        execution = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
        assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded", server.steps(execution)
        assert host.ask(name) == expected
    described = server.steps(execution)["Endpoint"]
    arn = sagemaker.describe_endpoint(EndpointName=name)["EndpointArn"]
    assert described["Metadata"]["Endpoint"]["Arn"] == arn
    tags = {each["Key"]: each["Value"] for each in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    assert tags["sagemaker:pipeline-step-name"] == "Endpoint"
    host.gone(name)


def test_an_endpoint_that_fails_fails_its_step_for_its_reason(
    host: Host, server: Server, start: Start
) -> None:
    name = new_name("fails")
    broken = host.model(code="raise RuntimeError('no such library')\n")
    execution = start([config(broken, name), endpoint(name)], role=everything(server))
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    reason = server.steps(execution)["Endpoint"]["FailureReason"]
    assert reason.startswith("ClientError: The primary container for production variant AllTraffic did not ")
    command = ["logs", "--data", str(server.data), execution.rpartition("/")[2], "Endpoint"]
    done = CliRunner().invoke(main, command, prog_name="passrole")
    assert "RuntimeError: no such library" in done.stdout, done.output
    host.gone(name)


def test_a_name_that_is_taken_fails_the_configuration(host: Host, server: Server, start: Start) -> None:
    taken = host.config()
    execution = start([config(host.model(), taken)], role=everything(server))
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    reason = server.steps(execution)["Config"]["FailureReason"]
    assert "Cannot create already existing endpoint configuration" in reason


def test_a_stop_waits_until_the_endpoint_is_in_service(host: Host, server: Server, start: Start) -> None:
    name, sagemaker = new_name("stopped"), server.client("sagemaker")
    execution = start([config(host.model(), name), endpoint(name)], role=everything(server))
    eventually(lambda: host.exists(name))
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    assert server.finished(execution)["PipelineExecutionStatus"] == "Stopped"
    host.in_service(name)
    host.gone(name)


@pytest.mark.parametrize("action", CONFIG)
def test_each_missing_action_of_a_configuration_is_named(
    host: Host, server: Server, start: Start, action: str
) -> None:
    role = server.role([allowing(*(each for each in CONFIG if each != action))])
    reason = refused(server, start([config(host.model(), new_name("denied"))], role=role), "Config")
    assert f"is not authorized to perform: {action} on resource: " in reason


@pytest.mark.parametrize("action", ENDPOINT)
def test_each_missing_action_of_an_endpoint_is_named(
    host: Host, server: Server, start: Start, action: str
) -> None:
    name, configured = new_name("denied"), host.config()
    role = server.role([allowing(*(each for each in ENDPOINT if each != action))])
    reason = refused(server, start([endpoint(name, configured)], role=role), "Endpoint")
    assert f"is not authorized to perform: {action} on resource: " in reason
    assert host.exists(name) == (action == "sagemaker:DescribeEndpoint")
    if host.exists(name):
        host.gone(name)


def test_the_update_of_an_endpoint_is_asked_of_the_role(host: Host, server: Server, start: Start) -> None:
    name, configured = host.endpoint(), host.config()
    host.in_service(name)
    role = server.role([allowing(*ENDPOINT)])
    reason = refused(server, start([endpoint(name, configured)], role=role), "Endpoint")
    assert "is not authorized to perform: sagemaker:UpdateEndpoint on resource: " in reason
    host.gone(name)


def refused(server: Server, execution: str, step: str) -> str:
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    reason: str = server.steps(execution)[step]["FailureReason"]
    return reason


def test_the_needs_of_the_steps_are_what_their_role_is_asked_for(host: Host, server: Server) -> None:
    name, sagemaker = new_name("needs"), server.client("sagemaker")
    given = config(host.model(), name, ExecutionRoleArn=host.role)
    text = json.dumps({"Version": "2020-12-01", "Steps": [given, endpoint(name)]})
    needs = needs_of_role(read_definition(text, {}), Place(server.region, server.account))
    role = may_do_everything(server)
    sagemaker.create_pipeline(PipelineName=name, RoleArn=role, PipelineDefinition=text)
    execution = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded", server.steps(execution)
    asked = asked_for(server, role)
    for need in needs:
        assert not need.is_required or any(fits(need, *each) for each in asked), need
    for each in asked:
        assert any(fits(need, *each) for need in needs), each
    host.gone(name)
