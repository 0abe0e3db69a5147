"""A function's archive in S3, read as the caller."""

import json
from typing import Any

import pytest
from tests.refusals import refusal
from tests.services.lambda_.conftest import Workshop

BUCKET = "code-of-functions"


@pytest.fixture(scope="module", autouse=True)
def _bucket(workshop: Workshop) -> None:
    workshop.server.client("s3").create_bucket(Bucket=BUCKET)


def put(workshop: Workshop, key: str, body: bytes) -> dict[str, str]:
    """The code of a function."""
    workshop.server.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
    return {"S3Bucket": BUCKET, "S3Key": key}


def test_code_in_s3_runs_and_is_updated_from_there(workshop: Workshop) -> None:
    name = workshop.create(Code=put(workshop, "old.zip", workshop.zip("return 'old'")))
    assert json.load(workshop.client.invoke(FunctionName=name)["Payload"]) == "old"
    new = workshop.zip("return 'new'")
    answer = workshop.client.update_function_code(FunctionName=name, **put(workshop, "new.zip", new))
    assert answer["CodeSize"] == len(new)
    assert json.load(workshop.client.invoke(FunctionName=name)["Payload"]) == "new"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            {"S3Bucket": BUCKET, "S3Key": "none"},
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key"
            " does not exist.",
        ),
        (
            {"S3Bucket": "no-such-bucket", "S3Key": "k"},
            "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified"
            " bucket does not exist",
        ),
        ({"S3Bucket": BUCKET}, "Please provide a source for function code."),
        (
            {"S3Bucket": BUCKET, "S3Key": "k", "ZipFile": b"x"},
            "Please do not provide other FunctionCode parameters when providing a ZipFile.",
        ),
        (
            {"S3Bucket": BUCKET, "S3Key": "k", "S3ObjectVersion": "1"},
            "passrole does not support S3ObjectVersion as a function's code:"
            " it takes ZipFile, S3Bucket and S3Key",
        ),
    ],
    ids=["key", "bucket", "half", "both", "version"],
)
def test_code_that_is_nowhere_or_in_two_places_is_refused(
    workshop: Workshop, code: dict[str, Any], sentence: str
) -> None:
    assert refusal(lambda: workshop.create(Code=code)) == ("InvalidParameterValueException", sentence)


def test_what_lies_there_must_be_an_archive(workshop: Workshop) -> None:
    code = put(workshop, "text", b"no archive")
    wrong, _ = refusal(lambda: workshop.create(Code=code))
    assert wrong == "InvalidParameterValueException"


def test_the_caller_needs_to_be_allowed_to_read_the_object(workshop: Workshop) -> None:
    code = put(workshop, "secret.zip", workshop.zip("return 1"))
    allowed = {"Effect": "Allow", "Action": ["lambda:CreateFunction", "iam:PassRole"], "Resource": "*"}
    client = workshop.server.client("lambda", {"Version": "2012-10-17", "Statement": [allowed]})
    given = workshop.parameters(Code=code)
    wrong, sentence = refusal(lambda: client.create_function(**given))
    assert wrong == "InvalidParameterValueException"
    assert "S3 Error Code: AccessDenied." in sentence and "s3:GetObject" in sentence
