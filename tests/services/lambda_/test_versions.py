"""PublishVersion, ListVersionsByFunction and what is called by a version: shape, refusals, effect."""

import json
from typing import Any

import pytest
from tests.policies import allowing
from tests.refusals import refusal_with_status
from tests.services.lambda_.conftest import Workshop

ANSWERS = "import os\nreturn [os.environ['AWS_LAMBDA_FUNCTION_VERSION'], context.invoked_function_arn, {}]"


def invoked(workshop: Workshop, name: str, qualifier: str | None = None) -> dict[str, Any]:
    asked = {"FunctionName": name} | ({"Qualifier": qualifier} if qualifier else {})
    answer: dict[str, Any] = workshop.client.invoke(**asked)
    return {**answer, "Payload": json.loads(answer["Payload"].read())}


# shape


def test_a_version_is_the_function_as_it_was_under_a_number(workshop: Workshop) -> None:
    name = workshop.create(Description="the function", Tags={"team": "ml"})
    before = workshop.client.get_function_configuration(FunctionName=name)
    made = workshop.client.publish_version(FunctionName=name, Description="the first")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (made["Version"], made["FunctionArn"]) == ("1", f"{workshop.arn(name)}:1")
    assert (made["Description"], made["CodeSha256"]) == ("the first", before["CodeSha256"])
    assert made["RevisionId"] != before["RevisionId"]
    found = workshop.client.get_function(FunctionName=name, Qualifier="1")
    assert found["Configuration"]["FunctionArn"] == f"{workshop.arn(name)}:1"
    assert found["Configuration"]["Version"] == "1"
    assert "Tags" not in found
    workshop.client.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1")


def test_create_and_update_publish_at_once(workshop: Workshop) -> None:
    given = workshop.parameters(Publish=True)
    name = given["FunctionName"]
    made = workshop.client.create_function(**given)
    assert (made["Version"], made["FunctionArn"]) == ("1", workshop.arn(name))
    code = workshop.zip("return 2")
    updated = workshop.client.update_function_code(FunctionName=name, ZipFile=code, Publish=True)
    assert (updated["Version"], updated["FunctionArn"]) == ("2", f"{workshop.arn(name)}:2")


def test_versions_are_listed_behind_the_latest_in_their_order_by_pages(workshop: Workshop) -> None:
    name = workshop.create()
    for number in range(11):
        code = workshop.zip(f"return {number}")
        workshop.client.update_function_code(FunctionName=name, ZipFile=code, Publish=True)
    pages = workshop.client.get_paginator("list_versions_by_function").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 5}
    )
    shown = [[each["Version"] for each in page["Versions"]] for page in pages]
    assert shown == [["$LATEST", "1", "2", "3", "4"], ["5", "6", "7", "8", "9"], ["10", "11"]]
    first = workshop.client.list_versions_by_function(FunctionName=name)["Versions"][0]
    assert first["FunctionArn"] == f"{workshop.arn(name)}:$LATEST"
    everything = workshop.client.get_paginator("list_functions").paginate(FunctionVersion="ALL")
    mine = [each for page in everything for each in page["Functions"] if each["FunctionName"] == name]
    assert [each["Version"] for each in mine] == ["$LATEST", *(str(number) for number in range(1, 12))]


# refusals


def test_what_is_published_must_be_what_was_meant(workshop: Workshop) -> None:
    name = workshop.create()
    sha = workshop.client.get_function_configuration(FunctionName=name)["CodeSha256"]
    assert refusal_with_status(
        lambda: workshop.client.publish_version(FunctionName=name, CodeSha256="other")
    ) == (
        400,
        "InvalidParameterValueException",
        f"CodeSHA256 (other) is different from current CodeSHA256 in $LATEST ({sha}). Please try again with"
        " the CodeSHA256 in $LATEST.",
    )
    status, code, _ = refusal_with_status(
        lambda: workshop.client.publish_version(FunctionName=name, RevisionId="old")
    )
    assert (status, code) == (412, "PreconditionFailedException")
    status, code, _ = refusal_with_status(lambda: workshop.client.publish_version(FunctionName="nowhere"))
    assert (status, code) == (404, "ResourceNotFoundException")
    assert len(workshop.client.list_versions_by_function(FunctionName=name)["Versions"]) == 1


def test_a_version_that_is_not_there_is_not_found(workshop: Workshop) -> None:
    name = workshop.create()
    for call in (
        lambda: workshop.client.invoke(FunctionName=name, Qualifier="7"),
        lambda: workshop.client.get_function(FunctionName=f"{name}:7"),
        lambda: workshop.client.get_function_configuration(FunctionName=f"{workshop.arn(name)}:7"),
    ):
        assert refusal_with_status(call) == (
            404,
            "ResourceNotFoundException",
            f"Function not found: {workshop.arn(name)}:7",
        )
    assert (
        refusal_with_status(lambda: workshop.client.list_versions_by_function(FunctionName="nowhere"))[0]
        == 404
    )


def test_only_the_latest_changes(workshop: Workshop) -> None:
    name = workshop.create()
    workshop.client.publish_version(FunctionName=name)
    for call in (
        lambda: workshop.client.update_function_code(
            FunctionName=f"{name}:1", ZipFile=workshop.zip("return 2")
        ),
        lambda: workshop.client.update_function_configuration(FunctionName=f"{name}:1", Timeout=9),
    ):
        assert refusal_with_status(call)[1] == "ResourceNotFoundException"
    assert workshop.client.get_function_configuration(FunctionName=name)["Timeout"] == 3


def test_a_right_for_one_version_is_none_for_another(workshop: Workshop) -> None:
    name = workshop.create()
    workshop.client.publish_version(FunctionName=name)
    user = workshop.server.client(
        "lambda", allowing("lambda:InvokeFunction", resource=f"{workshop.arn(name)}:1")
    )
    assert user.invoke(FunctionName=name, Qualifier="1")["ExecutedVersion"] == "1"
    assert refusal_with_status(lambda: user.invoke(FunctionName=name))[1] == "AccessDeniedException"


# effect


def test_a_version_keeps_its_code_whatever_becomes_of_the_latest(workshop: Workshop) -> None:
    name = workshop.create(ANSWERS.format(1))
    workshop.client.publish_version(FunctionName=name)
    code = workshop.zip(ANSWERS.format(2))
    workshop.client.update_function_code(FunctionName=name, ZipFile=code)
    old, new = invoked(workshop, name, "1"), invoked(workshop, name)
    assert (old["ExecutedVersion"], new["ExecutedVersion"]) == ("1", "$LATEST")
    assert old["Payload"] == ["1", f"{workshop.arn(name)}:1", 1]
    assert new["Payload"] == ["$LATEST", workshop.arn(name), 2]


def test_nothing_new_is_published_where_nothing_changed(workshop: Workshop) -> None:
    name = workshop.create()
    assert workshop.client.publish_version(FunctionName=name)["Version"] == "1"
    assert workshop.client.publish_version(FunctionName=name)["Version"] == "1"
    workshop.client.update_function_configuration(FunctionName=name, Timeout=9)
    assert workshop.client.publish_version(FunctionName=name)["Version"] == "2"


def test_a_version_is_deleted_alone_and_its_number_not_given_again(workshop: Workshop) -> None:
    name = workshop.create()
    workshop.client.publish_version(FunctionName=name)
    workshop.client.delete_function(FunctionName=name, Qualifier="1")
    assert refusal_with_status(lambda: workshop.client.invoke(FunctionName=name, Qualifier="1"))[0] == 404
    assert workshop.client.publish_version(FunctionName=name)["Version"] == "2"
    assert refusal_with_status(
        lambda: workshop.client.delete_function(FunctionName=name, Qualifier="$LATEST")
    )[2] == ("$LATEST version cannot be deleted without deleting the function.")


def test_versions_and_aliases_go_with_the_function(workshop: Workshop) -> None:
    name = workshop.create()
    workshop.client.publish_version(FunctionName=name)
    workshop.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    workshop.client.delete_function(FunctionName=name)
    workshop.create(FunctionName=name)
    assert refusal_with_status(lambda: workshop.client.invoke(FunctionName=name, Qualifier="1"))[0] == 404
    assert workshop.client.list_aliases(FunctionName=name)["Aliases"] == []


@pytest.mark.parametrize("by", ["name:1", "arn:1"])
def test_a_function_is_invoked_by_its_qualified_name(workshop: Workshop, by: str) -> None:
    name = workshop.create()
    workshop.client.publish_version(FunctionName=name)
    called = f"{name}:1" if by == "name:1" else f"{workshop.arn(name)}:1"
    assert workshop.client.invoke(FunctionName=called)["ExecutedVersion"] == "1"
