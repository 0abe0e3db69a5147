"""Aliases of functions: shape, refusals, effect."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.policies import allowing
from tests.refusals import refusal_with_status
from tests.services.lambda_.conftest import Workshop

from passrole.arns import Account, Region
from passrole.services.lambda_.qualifiers import Alias


def of_two_versions(workshop: Workshop) -> str:
    name: str = workshop.create("return [1, context.invoked_function_arn]", Publish=True)
    code = workshop.zip("return [2, context.invoked_function_arn]")
    workshop.client.update_function_code(FunctionName=name, ZipFile=code, Publish=True)
    return name


# shape


def test_an_alias_is_shown_as_it_was_made(workshop: Workshop) -> None:
    name = of_two_versions(workshop)
    made = workshop.client.create_alias(
        FunctionName=name,
        Name="live",
        FunctionVersion="1",
        Description="what users get",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}},
    )
    assert made.pop("ResponseMetadata")["HTTPStatusCode"] == 201
    assert made.pop("RevisionId")
    assert made == {
        "AliasArn": f"{workshop.arn(name)}:live",
        "Name": "live",
        "FunctionVersion": "1",
        "Description": "what users get",
        "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.25}},
    }
    found = workshop.client.get_alias(FunctionName=name, Name="live")
    assert {member: found[member] for member in made} == made
    shown = workshop.client.get_function(FunctionName=name, Qualifier="live")["Configuration"]
    assert (shown["FunctionArn"], shown["Version"]) == (f"{workshop.arn(name)}:live", "1")


def test_aliases_are_listed_by_name_by_version_and_by_pages(workshop: Workshop) -> None:
    name = of_two_versions(workshop)
    for alias, version in (("b", "1"), ("c", "2"), ("a", "1")):
        workshop.client.create_alias(FunctionName=name, Name=alias, FunctionVersion=version)
    pages = workshop.client.get_paginator("list_aliases").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 2}
    )
    assert [[each["Name"] for each in page["Aliases"]] for page in pages] == [["a", "b"], ["c"]]
    of_one = workshop.client.list_aliases(FunctionName=name, FunctionVersion="1")["Aliases"]
    assert [each["Name"] for each in of_one] == ["a", "b"]


# refusals


def test_an_alias_that_is_not_there_is_not_found(workshop: Workshop) -> None:
    name = workshop.create()
    sentence = f"Cannot find alias arn: {workshop.arn(name)}:live"
    for call in (
        lambda: workshop.client.get_alias(FunctionName=name, Name="live"),
        lambda: workshop.client.update_alias(FunctionName=name, Name="live", Description="x"),
    ):
        assert refusal_with_status(call) == (404, "ResourceNotFoundException", sentence)
    assert refusal_with_status(lambda: workshop.client.invoke(FunctionName=name, Qualifier="live")) == (
        404,
        "ResourceNotFoundException",
        f"Function not found: {workshop.arn(name)}:live",
    )
    workshop.client.delete_alias(FunctionName=name, Name="live")
    assert refusal_with_status(lambda: workshop.client.list_aliases(FunctionName="nowhere"))[0] == 404
    assert (
        refusal_with_status(lambda: workshop.client.delete_alias(FunctionName="nowhere", Name="live"))[0]
        == 404
    )


def test_a_name_is_given_once_and_to_a_version_that_is_there(workshop: Workshop) -> None:
    name = of_two_versions(workshop)
    workshop.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")

    def made(**given: Any) -> tuple[int, str, str]:
        asked = {"FunctionName": name, "Name": "other", "FunctionVersion": "1", **given}
        return refusal_with_status(lambda: workshop.client.create_alias(**asked))

    arn = workshop.arn(name)
    assert made(Name="live") == (409, "ResourceConflictException", f"Alias already exists: {arn}:live")
    assert made(FunctionVersion="9") == (404, "ResourceNotFoundException", f"Function not found: {arn}:9")
    assert made(Name="12")[1] == "ValidationException"
    assert made(FunctionVersion="$LATEST", RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}})[2] == (
        "$LATEST is not supported for an alias pointing to more than 1 version"
    )
    assert made(RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}})[1] == "InvalidParameterValueException"
    assert made(RoutingConfig={"AdditionalVersionWeights": {"2": 1.5}})[1] == "ValidationException"
    two = {"AdditionalVersionWeights": {"1": 0.5, "2": 0.1}}
    assert made(RoutingConfig=two)[1] == "InvalidParameterValueException"
    assert [each["Name"] for each in workshop.client.list_aliases(FunctionName=name)["Aliases"]] == ["live"]


def test_a_version_that_an_alias_means_stays(workshop: Workshop) -> None:
    name = of_two_versions(workshop)
    workshop.client.create_alias(
        FunctionName=name,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
    )
    for version in ("1", "2"):
        assert refusal_with_status(
            lambda v=version: workshop.client.delete_function(FunctionName=name, Qualifier=v)
        ) == (
            409,
            "ResourceConflictException",
            "Unable to delete version because the following aliases reference it: [live]",
        )
    assert refusal_with_status(lambda: workshop.client.delete_function(FunctionName=name, Qualifier="live"))[
        2
    ] == ("Deletion of aliases is not currently supported.")


def test_an_update_that_does_not_know_the_last_one_is_refused(workshop: Workshop) -> None:
    name = workshop.create()
    made = workshop.client.create_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
    updated = workshop.client.update_alias(
        FunctionName=name, Name="live", Description="new", RevisionId=made["RevisionId"]
    )
    assert (updated["Description"], updated["FunctionVersion"]) == ("new", "$LATEST")
    call = lambda: workshop.client.update_alias(  # noqa: E731
        FunctionName=name, Name="live", Description="newer", RevisionId=made["RevisionId"]
    )
    assert refusal_with_status(call)[:2] == (412, "PreconditionFailedException")


# effect


def test_who_calls_the_alias_gets_the_version_of_the_moment(workshop: Workshop) -> None:
    name = of_two_versions(workshop)
    workshop.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    arn = f"{workshop.arn(name)}:live"

    def answer() -> tuple[str, Any]:
        given = workshop.client.invoke(FunctionName=name, Qualifier="live")
        return given["ExecutedVersion"], json.loads(given["Payload"].read())

    assert answer() == ("1", [1, arn])
    workshop.client.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert answer() == ("2", [2, arn])
    weights = {"AdditionalVersionWeights": {"1": 1.0}}
    workshop.client.update_alias(FunctionName=name, Name="live", RoutingConfig=weights)
    assert answer() == ("1", [1, arn])
    workshop.client.update_alias(FunctionName=name, Name="live", RoutingConfig={})
    assert answer() == ("2", [2, arn])


@pytest.mark.parametrize(("draw", "version"), [(0.0, "2"), (0.24, "2"), (0.25, "1"), (0.99, "1"), (1.0, "1")])
def test_an_additional_version_gets_its_share(draw: float, version: str) -> None:
    alias = Alias(Account("111122223333"), Region("us-east-1"), "f", "live", "1", "", "", {"2": 0.25})
    assert alias.version_for(draw) == version


def test_a_permission_for_an_alias_is_none_for_the_function(workshop: Workshop) -> None:
    name = of_two_versions(workshop)
    workshop.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    user = workshop.server.user(allowing("lambda:ListFunctions"))
    caller = workshop.server.client_with("lambda", user["access_key_id"], user["secret_access_key"])
    workshop.client.add_permission(
        FunctionName=name,
        Qualifier="live",
        StatementId="one",
        Action="lambda:InvokeFunction",
        Principal=f"arn:aws:iam::{workshop.server.account}:user/{user['user']}",
    )
    statement = json.loads(workshop.client.get_policy(FunctionName=name, Qualifier="live")["Policy"])[
        "Statement"
    ]
    assert statement[0]["Resource"] == f"{workshop.arn(name)}:live"
    assert caller.invoke(FunctionName=name, Qualifier="live")["StatusCode"] == 200
    assert refusal_with_status(lambda: caller.invoke(FunctionName=name))[1] == "AccessDeniedException"
    assert (
        refusal_with_status(lambda: workshop.client.get_policy(FunctionName=name))[1]
        == "ResourceNotFoundException"
    )
    workshop.client.remove_permission(FunctionName=name, Qualifier="live", StatementId="one")
    assert (
        refusal_with_status(lambda: caller.invoke(FunctionName=name, Qualifier="live"))[1]
        == "AccessDeniedException"
    )
    missing = refusal_with_status(
        lambda: workshop.client.add_permission(
            FunctionName=name, Qualifier="gone", StatementId="one", Action="lambda:*", Principal="*"
        )
    )
    assert missing[2] == f"Cannot find alias arn: {workshop.arn(name)}:gone"


def test_an_event_that_waits_is_run_by_the_alias(workshop: Workshop, tmp_path: Path) -> None:
    told = tmp_path / "told"
    body = f"open({str(told)!r}, 'a').write(context.invoked_function_arn + ' ' + context.function_version)"
    name = workshop.create(body, Publish=True)
    workshop.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    workshop.client.invoke(FunctionName=name, Qualifier="live", InvocationType="Event")
    workshop.waited(lambda: told.exists() and told.read_text() == f"{workshop.arn(name)}:live 1")
