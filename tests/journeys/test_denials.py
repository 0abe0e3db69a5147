"""What the managed policy does not cover is refused, in AWS's words and with AWS's failure text."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.policies import allowing

from passrole.policy.managed import PIPELINES_INTEGRATIONS, policies

Start = Callable[..., str]
ECHO = "def handler(event, context):\n    return event\n"


def callback(queue_url: str) -> dict[str, Any]:
    return {
        "Name": "Ask",
        "Type": "Callback",
        "SqsQueueUrl": queue_url,
        "Arguments": {},
        "OutputParameters": [],
    }


def invoke(function: str) -> dict[str, Any]:
    return {"Name": "Run", "Type": "Lambda", "FunctionArn": function, "Arguments": {}, "OutputParameters": []}


@pytest.mark.parametrize("name", ["approvals", "team-Sagemaker-approvals", "SAGEMAKER-approvals"])
def test_a_queue_whose_name_the_policy_does_not_know_is_refused(
    server: Server, start: Start, name: str
) -> None:
    queue_url = server.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    execution = start([callback(queue_url)])
    assert server.finished(execution)["FailureReason"] == "Step failure: One or multiple steps failed."
    reason = server.steps(execution)["Ask"]["FailureReason"]
    role = server.access["role_name"]
    session = f"sagemaker-pipeline-{execution.rpartition('/')[2]}-Ask"
    arn = f"arn:aws:sqs:{server.region}:{server.account}:{name}"
    assert reason.startswith(
        "ClientError: Failed to invoke sqs:SendMessage. Error Details: "
        f"User: arn:aws:sts::{server.account}:assumed-role/{role}/{session} is not authorized to perform: "
        f"sqs:sendmessage on resource: {arn} "
        "because no identity-based policy allows the sqs:sendmessage action"
    )
    assert "ApproximateNumberOfMessages" in json.dumps(
        server.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    )


@pytest.mark.parametrize("name", ["count", "count-Sagemaker"])
def test_a_function_whose_name_the_policy_does_not_know_is_refused(
    server: Server, start: Start, name: str
) -> None:
    execution = start([invoke(server.function(name, ECHO))])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    assert (
        "is not authorized to perform: lambda:InvokeFunction"
        in server.steps(execution)["Run"]["FailureReason"]
    )


@pytest.mark.parametrize("name", ["a-sagemaker-q", "a-sageMaker-q", "a-SageMaker-q"])
def test_the_three_spellings_are_covered(server: Server, start: Start, name: str) -> None:
    queue_url = server.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    execution = start([callback(queue_url)])
    body = server.client("sqs").receive_message(QueueUrl=queue_url, WaitTimeSeconds=20)["Messages"][0]["Body"]
    server.client("sagemaker").send_pipeline_execution_step_success(CallbackToken=json.loads(body)["token"])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"


def test_version_one_of_the_policy_still_runs_functions_but_its_role_cannot_read_them(
    server: Server, start: Start
) -> None:
    first = policies()[PIPELINES_INTEGRATIONS].versions[0]
    assert first.id == "v1"
    role = server.role([first.document])
    execution = start([invoke(server.function("v1-sagemaker-echo", ECHO))], role=role)
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"
    audit = [json.loads(line) for line in (server.data / "audit.jsonl").read_text().splitlines()]
    mine = [entry for entry in audit if role.split("/")[-1] in entry["principal"]]
    refused = [check["action"] for entry in mine for check in entry["checks"] if not check["allowed"]]
    assert refused == ["lambda:GetFunction"]


def test_pass_role_is_asked_for_with_the_service_that_the_role_goes_to(server: Server) -> None:
    role = server.access["role_arn"]
    definition = json.dumps(
        {"Version": "2020-12-01", "Steps": [callback("http://127.0.0.1/111122223333/sagemaker")]}
    )
    wrong_service = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    right_service = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    cases: list[tuple[str, list[dict[str, Any]], bool]] = [
        ("none", [], False),
        (
            "wrong",
            [{"Effect": "Allow", "Action": "iam:PassRole", "Resource": role, "Condition": wrong_service}],
            False,
        ),
        (
            "right",
            [{"Effect": "Allow", "Action": "iam:PassRole", "Resource": role, "Condition": right_service}],
            True,
        ),
    ]
    for name, statements, works in cases:
        create = {"Effect": "Allow", "Action": "sagemaker:CreatePipeline", "Resource": "*"}
        client = server.client("sagemaker", {"Version": "2012-10-17", "Statement": [create, *statements]})
        request = {"PipelineName": f"pass-{name}", "RoleArn": role, "PipelineDefinition": definition}
        if works:
            assert client.create_pipeline(**request)["PipelineArn"].endswith(f"pipeline/pass-{name}")
            continue
        with pytest.raises(ClientError) as refused:
            client.create_pipeline(**request)
        error = refused.value.response["Error"]
        assert error["Code"] == "AccessDeniedException"
        assert f"is not authorized to perform: iam:PassRole on resource: {role} because" in error["Message"]


def test_a_function_cannot_do_what_its_own_role_may_not(server: Server) -> None:
    source = """
        import boto3
        from botocore.exceptions import ClientError

        def handler(event, context):
            sqs = boto3.client("sqs")
            try:
                return {"ok": sqs.get_queue_url(QueueName=event["queue"])["QueueUrl"]}
            except ClientError as error:
                return {"refused": error.response["Error"]["Code"], "message": str(error)}
    """
    server.client("sqs").create_queue(QueueName="inside-sagemaker")
    mayed = server.role([allowing("sqs:GetQueueUrl")], trust="lambda.amazonaws.com")
    answers = {}
    for name, role in (("may", mayed), ("may-not", server.access["lambda_role_arn"])):
        server.function(f"inside-{name}", source, role, Timeout=60)
        payload = json.dumps({"queue": "inside-sagemaker"})
        answers[name] = json.load(
            server.client("lambda").invoke(FunctionName=f"inside-{name}", Payload=payload)["Payload"]
        )
    assert answers["may"]["ok"].endswith("/inside-sagemaker")
    assert answers["may-not"]["refused"] == "AccessDenied"
    assert "assumed-role/passrole-lambda-basic/inside-may-not" in answers["may-not"]["message"]


def test_a_role_that_no_longer_trusts_sagemaker_fails_the_step(server: Server) -> None:
    role = server.role([PIPELINES_INTEGRATIONS])
    sagemaker, iam = server.client("sagemaker"), server.client("iam")
    definition = json.dumps(
        {"Version": "2020-12-01", "Steps": [invoke(server.function("trust-sagemaker", ECHO))]}
    )
    sagemaker.create_pipeline(PipelineName="trust", RoleArn=role, PipelineDefinition=definition)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.update_assume_role_policy(RoleName=role.split("/")[-1], PolicyDocument=document)
    execution = sagemaker.start_pipeline_execution(PipelineName="trust")["PipelineExecutionArn"]
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    reason = server.steps(execution)["Run"]["FailureReason"]
    assert reason.startswith("ClientError: Failed to invoke sts:AssumeRole. Error Details: ")
    with pytest.raises(ClientError, match="Could not assume role"):
        sagemaker.create_pipeline(PipelineName="trust-2", RoleArn=role, PipelineDefinition=definition)
