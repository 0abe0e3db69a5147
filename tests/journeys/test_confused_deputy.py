"""Roles whose trust policy names what a service must act for, as the guides against confused deputies show.

A service that assumes a role names its resource as aws:SourceArn and the account as aws:SourceAccount.
"""

import json
from collections.abc import Mapping

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server, new_name
from tests.refusals import refusal
from tests.services.emr.conftest import EC2, EMR, Fleet, shell

ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
HANDLER = "def handler(event, context):\n    return {'x': 1}\n"


def role(server: Server, service: str, **conditions: Mapping[str, str]) -> str:
    """The ARN of a role that may do anything and trusts a service under conditions."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": conditions,
    }
    arn = server.role([ANYTHING])
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    server.client("iam").update_assume_role_policy(RoleName=arn.rpartition("/")[2], PolicyDocument=trust)
    return arn


def source(server: Server, service: str, resource: str) -> dict[str, dict[str, str]]:
    """The condition on aws:SourceArn and aws:SourceAccount."""
    arn = f"arn:aws:{service}:*:{server.account}:{resource}"
    return {"ArnLike": {"aws:SourceArn": arn}, "StringEquals": {"aws:SourceAccount": server.account}}


@pytest.mark.parametrize("resource", ["pipeline/*", "pipeline/{name}/*"])
def test_a_pipeline_runs_as_a_role_that_trusts_its_executions(server: Server, resource: str) -> None:
    sagemaker, name = server.client("sagemaker"), new_name("deputy")
    function = server.function(new_name("sagemaker-f"), HANDLER)
    step = {"Name": "L", "Type": "Lambda", "FunctionArn": function, "Arguments": {}}
    given = {
        "PipelineDefinition": json.dumps({"Version": "2020-12-01", "Steps": [step]}),
        "RoleArn": role(
            server, "sagemaker.amazonaws.com", **source(server, "sagemaker", resource.format(name=name))
        ),
    }
    sagemaker.create_pipeline(PipelineName=name, **given)
    execution = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"
    if "{name}" in resource:
        assert (
            refusal(sagemaker.create_pipeline, PipelineName=f"{name}x", **given)[0] == "ValidationException"
        )


def test_a_pipeline_runs_as_a_role_that_trusts_sessions_of_pipelines(server: Server) -> None:
    sagemaker, name = server.client("sagemaker"), new_name("deputy")
    function = server.function(new_name("sagemaker-f"), HANDLER)
    step = {"Name": "L", "Type": "Lambda", "FunctionArn": function, "Arguments": {}}
    named = {"StringLike": {"sts:RoleSessionName": "sagemaker-pipeline-*"}}
    sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [step]}),
        RoleArn=role(server, "sagemaker.amazonaws.com", **named),
    )
    execution = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"


def test_a_role_that_is_narrowed_afterwards_fails_the_step(server: Server) -> None:
    sagemaker, name = server.client("sagemaker"), new_name("deputy")
    arn = role(server, "sagemaker.amazonaws.com", **source(server, "sagemaker", "pipeline/*"))
    step = {
        "Name": "C",
        "Type": "Callback",
        "SqsQueueUrl": "https://sqs.eu-west-1.amazonaws.com/1/q",
        "Arguments": {},
    }
    text = json.dumps({"Version": "2020-12-01", "Steps": [step]})
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=arn)
    other = {"ArnLike": {"aws:SourceArn": f"arn:aws:sagemaker:*:{server.account}:pipeline/other/*"}}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": other,
    }
    server.client("iam").update_assume_role_policy(
        RoleName=arn.rpartition("/")[2],
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    execution = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    assert "sts:AssumeRole" in server.steps(execution)["C"]["FailureReason"]


def test_a_function_runs_as_a_role_that_trusts_it_alone(server: Server) -> None:
    lambda_, name = server.client("lambda"), new_name("deputy")
    arn = role(server, "lambda.amazonaws.com", **source(server, "lambda", f"function:{name}"))
    server.function(name, HANDLER, arn)
    assert json.loads(lambda_.invoke(FunctionName=name)["Payload"].read()) == {"x": 1}
    lambda_.invoke(FunctionName=name, InvocationType="Event")
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        server.function(f"{name}-other", HANDLER, arn)


def test_a_rule_delivers_as_a_role_that_trusts_it_alone(server: Server) -> None:
    events, sqs, name = server.client("events"), server.client("sqs"), new_name("deputy")
    arn = role(server, "events.amazonaws.com", **source(server, "events", f"rule/{name}"))
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = f"arn:aws:sqs:{server.region}:{server.account}:{name}"
    targets = [{"Id": "q", "Arn": queue, "RoleArn": arn}]
    for rule in (name, f"{name}-other"):
        events.put_rule(Name=rule, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=targets)
    assert refusal(events.put_targets, Rule=f"{name}-other", Targets=targets)[0] == "ValidationException"
    events.put_events(Entries=[{"Source": name, "DetailType": "t", "Detail": "{}"}])
    received = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)
    assert json.loads(received["Messages"][0]["Body"])["source"] == name


@pytest.mark.parametrize(
    ("resource", "state"), [("*", "WAITING"), ("cluster/j-OTHER", "TERMINATED_WITH_ERRORS")]
)
def test_a_cluster_runs_as_roles_that_trust_its_account(server: Server, resource: str, state: str) -> None:
    fleet = Fleet(server)
    service_role = role(server, EMR, **source(server, "elasticmapreduce", resource))
    profile = fleet.new_profile(role(server, EC2, **source(server, "ec2", "instance/*")))
    cluster = fleet.run(ServiceRole=service_role, JobFlowRole=profile)
    try:
        fleet.until(cluster, state)
        if state == "WAITING":
            (step,) = fleet.add(cluster, shell("true"))
            assert fleet.step_until(cluster, step)["State"] == "COMPLETED"
    finally:
        fleet.end()
