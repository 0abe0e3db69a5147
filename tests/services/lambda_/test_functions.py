"""CreateFunction, GetFunction, ListFunctions, DeleteFunction through boto3: shape, refusals, effect."""

import base64
import hashlib
import json
from datetime import datetime
from typing import Any

import pytest
from tests.policies import allowing
from tests.refusals import refusal_with_status
from tests.services.lambda_.conftest import Workshop

# shape


def test_a_new_function_is_pending_in_the_answer_and_active_right_after(workshop: Workshop) -> None:
    archive = workshop.zip("return 1")
    given = workshop.parameters(
        Code={"ZipFile": archive},
        Description="what it does",
        Timeout=7,
        MemorySize=256,
        Environment={"Variables": {"KEY": "value"}},
        Tags={"team": "ml"},
        Publish=False,
        VpcConfig={},
        Layers=[],
    )
    made = workshop.client.create_function(**given)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["State"] == "Pending"
    assert made["StateReason"] == "The function is being created."
    assert made["StateReasonCode"] == "Creating"
    name = given["FunctionName"]
    found = workshop.client.get_function(FunctionName=name)
    expected = {
        "FunctionName": name,
        "FunctionArn": workshop.arn(name),
        "Runtime": "python3.11",
        "Role": workshop.role,
        "Handler": "h.handler",
        "CodeSize": len(archive),
        "Description": "what it does",
        "Timeout": 7,
        "MemorySize": 256,
        "CodeSha256": base64.b64encode(hashlib.sha256(archive).digest()).decode(),
        "Version": "$LATEST",
        "Environment": {"Variables": {"KEY": "value"}},
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
    }
    shown = found["Configuration"]
    assert {key: shown[key] for key in expected} == expected
    assert datetime.strptime(shown["LastModified"], "%Y-%m-%dT%H:%M:%S.%f%z").utcoffset() is not None
    assert found["Tags"] == {"team": "ml"}
    configuration = workshop.client.get_function_configuration(FunctionName=name)
    assert configuration["RevisionId"] == shown["RevisionId"] != made["RevisionId"]


def test_what_is_not_given_has_awss_defaults(workshop: Workshop) -> None:
    shown = workshop.client.get_function_configuration(FunctionName=workshop.create())
    assert (shown["Timeout"], shown["MemorySize"], shown["Description"]) == (3, 128, "")
    assert "Environment" not in shown


@pytest.mark.parametrize(
    "form", ["{name}", "{account}:function:{name}", "{arn}", "{arn}:$LATEST", "{name}:$LATEST"]
)
def test_a_function_is_found_by_every_form_of_its_name(workshop: Workshop, form: str) -> None:
    name = workshop.create()
    text = form.format(name=name, account=workshop.server.account, arn=workshop.arn(name))
    assert workshop.client.get_function(FunctionName=text)["Configuration"]["FunctionName"] == name


def test_functions_are_listed_by_name_page_by_page(workshop: Workshop) -> None:
    names = sorted(workshop.create() for _ in range(3))
    pages = workshop.client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    shown = [[function["FunctionName"] for function in page["Functions"]] for page in pages]
    listed = [name for page in shown for name in page]
    assert max(len(page) for page in shown) == 2
    assert listed == sorted(listed)
    assert set(names) <= set(listed)


def test_another_python_is_warned_of(workshop: Workshop) -> None:
    name = workshop.create(Runtime="python3.8")
    error = workshop.client.get_function_configuration(FunctionName=name)["RuntimeVersionConfig"]["Error"]
    assert "asks for python3.8" in error["Message"]


def test_a_waiter_finds_it_active_at_once(workshop: Workshop) -> None:
    name = workshop.create()
    workshop.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"MaxAttempts": 1})


# refusals

INVALID = "InvalidParameterValueException"
NOT_ASSUMED = "The role defined for the function cannot be assumed by Lambda."
UNZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."
NO_RUNTIME = "Runtime and Handler are mandatory parameters for functions created with deployment packages."
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"Code": {"ZipFile": b"no zip"}}, INVALID, UNZIP),
    ({"Code": {}}, INVALID, "Please provide a source for function code."),
    ({"Code": {"ImageUri": "image"}}, INVALID, "passrole does not support ImageUri"),
    ({"Runtime": "ruby3.3"}, INVALID, "passrole does not support the runtime ruby3.3"),
    ({"Runtime": "cobol"}, INVALID, "Value cobol at 'runtime' failed to satisfy constraint"),
    ({"Role": "arn:aws:iam::111122223333:role/nobody"}, INVALID, NOT_ASSUMED),
    ({"Timeout": 901}, "ValidationException", "Value '901' at 'timeout' failed to satisfy constraint"),
    ({"MemorySize": 10241}, "ValidationException", "Value '10241' at 'memorySize' failed"),
    ({"FunctionName": "n" * 65}, "ValidationException", "length less than or equal to 64"),
    (
        {"Environment": {"Variables": {"AWS_REGION": "x"}}},
        INVALID,
        "Reserved keys used in this request: AWS_REGION",
    ),
    ({"Environment": {"Variables": {"KEY": "x" * 4096}}}, INVALID, "exceeded the 4KB limit"),
    ({"VpcConfig": {"SubnetIds": ["subnet-1"]}}, INVALID, "SubnetIds and SecurityIds must coexist"),
    ({"Layers": ["arn:aws:lambda:us-east-1:111122223333:layer:l:1"]}, INVALID, "layer:l:1 does not exist"),
    ({"PackageType": "Image"}, INVALID, "passrole does not support the package type Image"),
    ({"KMSKeyArn": "arn:aws:kms:us-east-1:111122223333:key/k"}, "ValidationException", "parameter KMSKeyArn"),
]


@pytest.mark.parametrize("changes, code, message", REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_be_is_refused_and_makes_nothing(
    workshop: Workshop, changes: dict[str, Any], code: str, message: str
) -> None:
    given = workshop.parameters(**changes)
    status, told, sentence = refusal_with_status(lambda: workshop.client.create_function(**given))
    assert (status, told) == (400, code)
    assert message in sentence
    if len(given["FunctionName"]) <= 64:
        missing = refusal_with_status(
            lambda: workshop.client.get_function(FunctionName=given["FunctionName"])
        )
        assert missing[:2] == (404, "ResourceNotFoundException")


@pytest.mark.parametrize("missing", ["Runtime", "Handler"])
def test_a_zip_needs_a_runtime_and_a_handler(workshop: Workshop, missing: str) -> None:
    given = workshop.parameters()
    del given[missing]
    assert refusal_with_status(lambda: workshop.client.create_function(**given)) == (400, INVALID, NO_RUNTIME)


def test_a_role_that_trusts_another_service_is_refused(workshop: Workshop) -> None:
    given = workshop.parameters(Role=workshop.server.role(trust="sagemaker.amazonaws.com"))
    assert refusal_with_status(lambda: workshop.client.create_function(**given)) == (
        400,
        INVALID,
        NOT_ASSUMED,
    )


def test_a_name_is_taken_once(workshop: Workshop) -> None:
    name = workshop.create()
    again = workshop.parameters(FunctionName=name)
    expected = (409, "ResourceConflictException", f"Function already exist: {name}")
    assert refusal_with_status(lambda: workshop.client.create_function(**again)) == expected


NOWHERE = [
    ("nowhere", 404, "ResourceNotFoundException", "Function not found: {arn}:nowhere"),
    ("nowhere:3", 404, "ResourceNotFoundException", "Function not found: {arn}:nowhere:3"),
    (
        "arn:aws:lambda:eu-west-1:{account}:function:f",
        404,
        "ResourceNotFoundException",
        "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    ),
    ("arn:aws:lambda:us-east-1:999999999999:function:f", 403, "AccessDeniedException", ""),
]


@pytest.mark.parametrize("text, status, code, message", NOWHERE)
def test_a_function_that_is_not_here_is_not_found(
    workshop: Workshop, text: str, status: int, code: str, message: str
) -> None:
    account, arn = workshop.server.account, workshop.arn("")[:-1]
    name = text.format(account=account)
    found = refusal_with_status(lambda: workshop.client.get_function(FunctionName=name))
    assert found[:2] == (status, code)
    if message:
        assert found[2] == message.format(arn=arn)


def test_creating_needs_the_action_and_the_role_to_be_passed(workshop: Workshop) -> None:
    given = workshop.parameters()
    arn = workshop.arn(given["FunctionName"])
    nobody = workshop.server.client("lambda", user_policy=allowing("lambda:GetFunction"))
    status, code, message = refusal_with_status(lambda: nobody.create_function(**given))
    assert (status, code) == (403, "AccessDeniedException")
    assert (
        f"not authorized to perform: lambda:CreateFunction on resource: {arn} because no identity-based"
        in message
    )
    creator = workshop.server.client("lambda", user_policy=allowing("lambda:*"))
    status, code, message = refusal_with_status(lambda: creator.create_function(**given))
    assert (status, code) == (403, "AccessDeniedException")
    assert f"not authorized to perform: iam:PassRole on resource: {workshop.role} because" in message


def test_tags_at_creation_need_to_be_allowed_too(workshop: Workshop) -> None:
    policy = allowing("lambda:CreateFunction")
    policy["Statement"] += allowing("iam:PassRole")["Statement"]
    client = workshop.server.client("lambda", user_policy=policy)
    given = workshop.parameters()
    _, _, message = refusal_with_status(lambda: client.create_function(**given, Tags={"a": "b"}))
    assert "lambda:TagResource" in message
    assert client.create_function(**given)["FunctionName"] == given["FunctionName"]


READERS = ["get_function", "get_function_configuration", "delete_function", "invoke"]


@pytest.mark.parametrize("operation", READERS)
def test_a_function_is_authorised_by_its_arn(workshop: Workshop, operation: str) -> None:
    mine, other = workshop.create(), workshop.create()
    client = workshop.server.client("lambda", user_policy=allowing("lambda:*", resource=workshop.arn(mine)))
    status, code, message = refusal_with_status(lambda: getattr(client, operation)(FunctionName=other))
    assert (status, code) == (403, "AccessDeniedException")
    assert f"on resource: {workshop.arn(other)} because" in message
    getattr(client, operation)(FunctionName=mine)


# effect


def test_a_deleted_function_is_gone_with_its_code_and_its_name_is_free(workshop: Workshop) -> None:
    name = workshop.create("return 'first'")
    workshop.client.invoke(FunctionName=name)
    place = workshop.server.data / "functions" / workshop.server.region / name
    assert len(list(place.iterdir())) == 1
    answer = workshop.client.delete_function(FunctionName=name)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert (
        refusal_with_status(lambda: workshop.client.invoke(FunctionName=name))[1]
        == "ResourceNotFoundException"
    )
    workshop.waited(lambda: list(place.iterdir()) == [])
    workshop.create("return 'second'", FunctionName=name)
    assert json.load(workshop.client.invoke(FunctionName=name)["Payload"]) == "second"


def test_the_latest_version_alone_cannot_be_deleted(workshop: Workshop) -> None:
    name = workshop.create()
    assert (
        refusal_with_status(lambda: workshop.client.delete_function(FunctionName=name, Qualifier="$LATEST"))[
            1
        ]
        == INVALID
    )
    assert workshop.client.get_function(FunctionName=name)
