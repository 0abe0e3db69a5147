"""What is listed is what the door is really asked while a pipeline runs: nothing more, nothing less."""

import json
from collections.abc import Callable

import pytest
from tests.conftest import Server, new_name
from tests.journeys.conftest import S3_ALONE
from tests.journeys.test_emr import running
from tests.services.emr.conftest import Fleet

from passrole.needs import Need, Place, needs_of_role, read_definition

ECHO = "def handler(event, context):\n    return event\n"


def test_the_needs_of_a_pipeline_are_what_its_role_is_asked_for(server: Server) -> None:
    function = server.function("needs-sagemaker-echo", ECHO)
    queue = server.client("sqs").create_queue(QueueName="needs-sagemaker-ask")["QueueUrl"]
    steps = [
        {"Name": "Run", "Type": "Lambda", "FunctionArn": function, "Arguments": {}, "OutputParameters": []},
        {
            "Name": "Ask",
            "Type": "Callback",
            "SqsQueueUrl": queue,
            "Arguments": {},
            "OutputParameters": [],
            "DependsOn": ["Run"],
        },
    ]
    text = json.dumps({"Version": "2020-12-01", "Steps": steps})
    needs = needs_of_role(read_definition(text, {}), Place(server.region, server.account))
    role = may_do_everything(server)
    sagemaker = server.client("sagemaker")
    sagemaker.create_pipeline(PipelineName="needs", RoleArn=role, PipelineDefinition=text)
    execution = sagemaker.start_pipeline_execution(PipelineName="needs")["PipelineExecutionArn"]
    message = server.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"][0]
    sagemaker.send_pipeline_execution_step_success(CallbackToken=json.loads(message["Body"])["token"])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"
    assert asked_for(server, role) == {(need.action, need.resource) for need in needs if need.when != "stop"}


@pytest.mark.parametrize("stopped", [False, True], ids=["to-its-end", "stopped"])
@pytest.mark.parametrize("own_cluster", [False, True], ids=["a-cluster", "its-own-cluster"])
def test_the_needs_of_an_emr_step_are_what_its_role_is_asked_for(
    start_server: Callable[..., Server], own_cluster: bool, stopped: bool
) -> None:
    server = start_server()
    fleet = Fleet(server)
    script = "sleep 60" if stopped else "true"
    jar = {"HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["bash", "-c", script]}}
    group = {"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}
    config = {
        "Instances": {"InstanceGroups": [group]},
        "ReleaseLabel": "emr-7.1.0",
        "JobFlowRole": fleet.instance_role.rpartition("/")[2],
        "ServiceRole": fleet.service_role,
        "Tags": [{"Key": "team", "Value": "a"}],
    }
    iam, role_name = server.client("iam"), fleet.instance_role.rpartition("/")[2]
    iam.create_instance_profile(InstanceProfileName=role_name)  # as the console makes them: named as the role
    iam.add_role_to_instance_profile(InstanceProfileName=role_name, RoleName=role_name)
    cluster = {"ClusterConfig": config} if own_cluster else {"ClusterId": fleet.run()}
    step = {"Name": "Job", "Type": "EMR", "Arguments": {**cluster, "StepConfig": jar}}
    text = json.dumps({"Version": "2020-12-01", "Steps": [step]})
    needs = needs_of_role(read_definition(text, {}), Place(server.region, server.account))
    role, sagemaker = may_do_everything(server), server.client("sagemaker")
    sagemaker.create_pipeline(PipelineName="needs", RoleArn=role, PipelineDefinition=text)
    execution = sagemaker.start_pipeline_execution(PipelineName="needs")["PipelineExecutionArn"]
    if stopped:
        running(server, execution, fleet)
        sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    expected = "Stopped" if stopped else "Succeeded"
    assert server.finished(execution)["PipelineExecutionStatus"] == expected
    asked = asked_for(server, role)
    for need in needs:
        if stopped or need.when != "stop":
            assert any(fits(need, *each) for each in asked), need
    for each in asked:
        assert any(fits(need, *each) for need in needs), each
    fleet.end()


def test_the_needs_of_steps_that_create_models_are_what_their_role_is_asked_for(server: Server) -> None:
    s3, sagemaker, bucket = server.client("s3"), server.client("sagemaker"), new_name("needs-models")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=b"x")
    role = may_do_everything(server)
    container = {"Image": "111122223333.dkr.ecr.us-east-1.amazonaws.com/i:1"}
    container["ModelDataUrl"] = f"s3://{bucket}/model.tar.gz"
    specification = {"InferenceSpecification": {"Containers": [container]}}
    model = {"ExecutionRoleArn": server.role([S3_ALONE]), "PrimaryContainer": container}
    arguments = {
        "Create": ("Model", model),
        "Register": ("RegisterModel", {"ModelPackageGroupName": bucket, **specification}),
        "Alone": ("RegisterModel", {"ModelPackageName": bucket, **specification}),
    }
    steps = [{"Name": name, "Type": type_, "Arguments": given} for name, (type_, given) in arguments.items()]
    text = json.dumps({"Version": "2020-12-01", "Steps": steps})
    needs = needs_of_role(read_definition(text, {}), Place(server.region, server.account))
    sagemaker.create_pipeline(PipelineName=bucket, RoleArn=role, PipelineDefinition=text)
    execution = sagemaker.start_pipeline_execution(PipelineName=bucket)["PipelineExecutionArn"]
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded", server.steps(execution)
    asked = asked_for(server, role)
    for need in needs:
        assert not need.is_required or any(fits(need, *each) for each in asked), need
    for each in asked:
        assert any(fits(need, *each) for need in needs), each


def fits(need: Need, action: str, resource: str) -> bool:
    """A need whose resource is a pattern (a cluster that is not there yet) is met by what fits it."""
    if need.action != action:
        return False
    return resource == need.resource or (need.is_pattern and resource.startswith(need.resource.rstrip("*")))


def may_do_everything(server: Server) -> str:
    every = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    role: str = server.role([{"Version": "2012-10-17", "Statement": [every]}])
    return role


def asked_for(server: Server, role: str) -> set[tuple[str, str]]:
    """What the door was asked on behalf of the role."""
    session = f":assumed-role/{role.rpartition('/')[2]}/"
    audit = [json.loads(line) for line in (server.data / "audit.jsonl").read_text().splitlines()]
    return {
        (check["action"], check["resource"])
        for entry in audit
        if session in entry["principal"]
        for check in entry["checks"]
    }
