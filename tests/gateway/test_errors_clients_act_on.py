"""The errors that clients tell apart, exactly: code, status, message, and the class that boto3 makes of it.

The SDK's `upsert`, its Lambda helper and session, Terraform and the AWS CLI all branch on these.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
Call = Callable[[Any], Any]

# service, call, exception class, code, status, what the message contains
CASES: list[tuple[str, Call, str, str, int, str]] = [
    (
        "sagemaker",
        lambda client: client.describe_pipeline(PipelineName="nowhere"),
        "ResourceNotFound",
        "ResourceNotFound",
        400,
        "nowhere",
    ),
    (
        "lambda",
        lambda client: client.get_function(FunctionName="nowhere"),
        "ResourceNotFoundException",
        "ResourceNotFoundException",
        404,
        "Function not found: arn:aws:lambda:us-east-1:111122223333:function:nowhere",
    ),
    (
        "iam",
        lambda client: client.get_role(RoleName="nowhere"),
        "NoSuchEntityException",
        "NoSuchEntity",
        404,
        "The role with name nowhere cannot be found.",
    ),
    (
        "iam",
        lambda client: [
            client.create_role(RoleName="taken", AssumeRolePolicyDocument=json.dumps(TRUST)) for _ in range(2)
        ],
        "EntityAlreadyExistsException",
        "EntityAlreadyExists",
        409,
        "Role with name taken already exists.",
    ),
    (
        "sqs",
        lambda client: client.get_queue_url(QueueName="nowhere"),
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        400,
        "The specified queue does not exist",
    ),
    (
        "s3",
        lambda client: client.head_bucket(Bucket="sagemaker-nowhere"),
        "ClientError",
        "404",
        404,
        "Not Found",
    ),
    (
        "s3",
        lambda client: client.list_objects_v2(Bucket="sagemaker-nowhere"),
        "NoSuchBucket",
        "NoSuchBucket",
        404,
        "The specified bucket does not exist",
    ),
    (
        "s3",
        lambda client: (
            client.create_bucket(Bucket="sagemaker-errors"),
            client.get_object(Bucket="sagemaker-errors", Key="nowhere"),
        ),
        "NoSuchKey",
        "NoSuchKey",
        404,
        "The specified key does not exist.",
    ),
    (
        "logs",
        lambda client: client.describe_log_streams(logGroupName="nowhere"),
        "ResourceNotFoundException",
        "ResourceNotFoundException",
        400,
        "The specified log group does not exist.",
    ),
    (
        "logs",
        lambda client: [client.create_log_group(logGroupName="taken") for _ in range(2)],
        "ResourceAlreadyExistsException",
        "ResourceAlreadyExistsException",
        400,
        "The specified log group already exists",
    ),
    (
        "sts",
        lambda client: client.assume_role(
            RoleArn="arn:aws:iam::111122223333:role/nowhere", RoleSessionName="me"
        ),
        "ClientError",
        "AccessDenied",
        403,
        "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/nowhere",
    ),
]


@pytest.mark.parametrize(
    ("service", "call", "kind", "code", "status", "message"),
    CASES,
    ids=[f"{service}-{code}" for service, _, _, code, _, _ in CASES],
)
def test_an_error_is_exact(
    server: Server, service: str, call: Call, kind: str, code: str, status: int, message: str
) -> None:
    with pytest.raises(ClientError) as caught:
        call(server.client(service))
    error = caught.value.response
    assert type(caught.value).__name__ == kind
    assert error["Error"]["Code"] == code
    assert error["ResponseMetadata"]["HTTPStatusCode"] == status
    assert message in error["Error"]["Message"]


def test_a_function_that_exists_is_a_conflict(server: Server) -> None:
    server.function("sagemaker-taken", "def handler(event, context): pass")
    with pytest.raises(server.client("lambda").exceptions.ResourceConflictException) as caught:
        server.function("sagemaker-taken", "def handler(event, context): pass")
    error = caught.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert error["Error"]["Message"] == "Function already exist: sagemaker-taken"


def test_a_pipeline_that_exists_is_told_in_the_words_that_upsert_looks_for(server: Server) -> None:
    step = {"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    given = {
        "PipelineName": "taken",
        "RoleArn": server.access["role_arn"],
        "PipelineDefinition": json.dumps({"Version": "2020-12-01", "Steps": [step]}),
    }
    sagemaker = server.client("sagemaker")
    sagemaker.create_pipeline(**given)
    with pytest.raises(ClientError) as caught:
        sagemaker.create_pipeline(**given)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert "Pipeline names must be unique within an AWS account and region" in error["Message"]
    assert "already exists" in error["Message"]


def test_a_denial_has_the_code_and_the_status_of_its_service(server: Server) -> None:
    nothing = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "logs:TestMetricFilter", "Resource": "*"}],
    }
    access = server.user(nothing)
    calls: dict[str, tuple[Call, str, int]] = {
        "sagemaker": (lambda client: client.list_pipelines(), "AccessDeniedException", 400),
        "lambda": (lambda client: client.list_functions(), "AccessDeniedException", 403),
        "sqs": (lambda client: client.list_queues(), "AccessDenied", 403),
        "iam": (lambda client: client.list_roles(), "AccessDenied", 403),
        "s3": (lambda client: client.list_buckets(), "AccessDenied", 403),
        "logs": (lambda client: client.describe_log_groups(), "AccessDeniedException", 400),
    }
    for service, (call, code, status) in calls.items():
        client = server.client_with(service, access["access_key_id"], access["secret_access_key"])
        with pytest.raises(ClientError) as caught:
            call(client)
        error = caught.value.response
        assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == (code, status), (
            service
        )
