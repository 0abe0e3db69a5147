"""Invoke through boto3: shape, refusals, effect."""

import base64
import json
from typing import Any

import pytest
from tests.policies import allowing
from tests.refusals import refusal_with_status
from tests.services.lambda_.conftest import Workshop

# shape


def test_an_answer_says_which_version_ran(workshop: Workshop) -> None:
    answer = workshop.client.invoke(FunctionName=workshop.create(), Payload=b'{"a": 1}')
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert "LogResult" not in answer
    assert json.load(answer["Payload"]) == {"a": 1}


def test_no_payload_is_an_empty_object(workshop: Workshop) -> None:
    assert json.load(workshop.client.invoke(FunctionName=workshop.create())["Payload"]) == {}


def test_a_failing_function_is_an_answer(workshop: Workshop) -> None:
    answer = workshop.client.invoke(FunctionName=workshop.create("raise ValueError('no')"))
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    told = json.load(answer["Payload"])
    assert (told["errorType"], told["errorMessage"]) == ("ValueError", "no")
    assert told["requestId"] == answer["ResponseMetadata"]["RequestId"]


def test_the_tail_of_the_log_is_its_last_4_kb(workshop: Workshop) -> None:
    name = workshop.create("print('x' * event); print('the end')")
    short = workshop.client.invoke(FunctionName=name, LogType="Tail", Payload=b"1")
    log = base64.b64decode(short["LogResult"]).decode()
    assert log.startswith(f"START RequestId: {short['ResponseMetadata']['RequestId']} Version: $LATEST\nx\n")
    long = workshop.client.invoke(FunctionName=name, LogType="Tail", Payload=b"9000")
    log = base64.b64decode(long["LogResult"]).decode()
    assert len(log) == 4096
    assert "x\nthe end\nEND RequestId" in log


def test_an_event_is_accepted_without_an_answer(workshop: Workshop) -> None:
    answer = workshop.client.invoke(FunctionName=workshop.create(), InvocationType="Event")
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")


def test_a_dry_run_runs_nothing(workshop: Workshop) -> None:
    name = workshop.create("raise SystemExit(1)")
    answer = workshop.client.invoke(FunctionName=name, InvocationType="DryRun")
    assert answer["StatusCode"] == 204


# refusals

TOO_LARGE = "Request must be smaller than {} bytes for the InvokeFunction operation"
REFUSED = [
    (
        {"Payload": b"{not json"},
        400,
        "InvalidRequestContentException",
        "Could not parse request body into json: ",
    ),
    ({"Payload": b"\xff"}, 400, "InvalidRequestContentException", "Could not parse request body into json: "),
    ({"Qualifier": "3"}, 404, "ResourceNotFoundException", "Function not found: {arn}:3"),
    (
        {"Payload": b'"' + b"x" * 6_291_455 + b'"'},
        413,
        "RequestTooLargeException",
        TOO_LARGE.format(6_291_456),
    ),
    (
        {"Payload": b'"' + b"x" * 1_048_575 + b'"', "InvocationType": "Event"},
        413,
        "RequestTooLargeException",
        TOO_LARGE.format(1_048_576),
    ),
]


@pytest.mark.parametrize("changes, status, code, message", REFUSED, ids=lambda value: str(value)[:30])
def test_what_cannot_be_invoked_is_refused(
    workshop: Workshop, changes: dict[str, Any], status: int, code: str, message: str
) -> None:
    name = workshop.create()
    refused = refusal_with_status(lambda: workshop.client.invoke(FunctionName=name, **changes))
    assert refused[:2] == (status, code)
    assert refused[2].startswith(message.replace("{arn}", workshop.arn(name)))


def test_two_different_qualifiers_are_refused(workshop: Workshop) -> None:
    name = workshop.create()
    call = lambda: workshop.client.invoke(FunctionName=f"{name}:1", Qualifier="2")  # noqa: E731
    assert refusal_with_status(call)[:2] == (400, "InvalidParameterValueException")


def test_a_dry_run_tells_who_may_not(workshop: Workshop) -> None:
    client = workshop.server.client("lambda", user_policy=allowing("lambda:GetFunction"))
    name = workshop.create()
    status, code, message = refusal_with_status(
        lambda: client.invoke(FunctionName=name, InvocationType="DryRun")
    )
    assert (status, code) == (403, "AccessDeniedException")
    assert (
        f"not authorized to perform: lambda:InvokeFunction on resource: {workshop.arn(name)} because"
        in message
    )


def test_a_qualifier_is_part_of_what_is_authorised(workshop: Workshop) -> None:
    name = workshop.create()
    client = workshop.server.client(
        "lambda", user_policy=allowing("lambda:InvokeFunction", resource=workshop.arn(name))
    )
    assert client.invoke(FunctionName=name)["StatusCode"] == 200
    _, _, message = refusal_with_status(lambda: client.invoke(FunctionName=name, Qualifier="$LATEST"))
    assert f"on resource: {workshop.arn(name)}:$LATEST because" in message


# effect

CALLS_SQS = """
import boto3
from botocore.exceptions import ClientError
try:
    return boto3.client("sqs").create_queue(QueueName=event["name"])["QueueUrl"]
except ClientError as error:
    return error.response["Error"]
"""


def test_boto3_inside_a_function_has_the_rights_of_the_functions_role_and_no_more(workshop: Workshop) -> None:
    server = workshop.server
    arn = f"arn:aws:sqs:{server.region}:{server.account}:mine"
    role = server.role([allowing("sqs:CreateQueue", resource=arn)], trust="lambda.amazonaws.com")
    name = workshop.create(CALLS_SQS, Role=role, Timeout=60, MemorySize=512)

    def call(queue: str) -> Any:
        return json.load(
            workshop.client.invoke(FunctionName=name, Payload=json.dumps({"name": queue}))["Payload"]
        )

    assert call("mine").endswith("/mine")
    denied = call("others")
    session = f"arn:aws:sts::{server.account}:assumed-role/{role.rpartition('/')[2]}/{name}"
    assert denied["Code"] == "AccessDenied"
    assert denied["Message"].startswith(f"User: {session} is not authorized to perform: sqs:createqueue")


def test_a_role_that_no_longer_trusts_lambda_fails_the_next_cold_start(workshop: Workshop) -> None:
    iam = workshop.server.client("iam")
    role = workshop.server.role(trust="lambda.amazonaws.com")
    name = workshop.create(Role=role)
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    iam.update_assume_role_policy(RoleName=role.rpartition("/")[2], PolicyDocument=json.dumps(trust))
    expected = (
        403,
        "AccessDeniedException",
        "The role defined for the function cannot be assumed by Lambda.",
    )
    assert refusal_with_status(lambda: workshop.client.invoke(FunctionName=name)) == expected


def test_the_payload_may_be_six_megabytes_each_way(workshop: Workshop) -> None:
    name = workshop.create(Timeout=30, MemorySize=512)
    payload = json.dumps("x" * 6_291_454).encode()
    answer = workshop.client.invoke(FunctionName=name, Payload=payload)
    assert answer["Payload"].read() == payload
