"""RevisionId, SnapStart, runtime versions and update statuses, as AWS's recorded answers have them."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.services.lambda_.conftest import Workshop


def revision(workshop: Workshop, name: str, **more: Any) -> str:
    found: str = workshop.client.get_function_configuration(FunctionName=name, **more)["RevisionId"]
    return found


def allow(workshop: Workshop, name: str, sid: str = "s", **more: Any) -> None:
    workshop.client.add_permission(
        FunctionName=name,
        StatementId=sid,
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        **more,
    )


# shape


def test_a_configuration_has_snap_start_and_the_version_of_its_runtime(workshop: Workshop) -> None:
    name = workshop.create()
    shown = workshop.client.get_function_configuration(FunctionName=name)
    assert shown["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}
    arn = shown["RuntimeVersionConfig"]["RuntimeVersionArn"]
    assert arn.startswith(f"arn:aws:lambda:{workshop.server.region}::runtime:")
    workshop.client.update_function_configuration(FunctionName=name, Runtime="python3.12")
    after = workshop.client.get_function_configuration(FunctionName=name)
    assert after["RuntimeVersionConfig"]["RuntimeVersionArn"] != arn


def test_an_update_in_progress_has_a_reason_and_one_that_is_done_has_none(workshop: Workshop) -> None:
    name = workshop.create()
    answer = workshop.client.update_function_configuration(FunctionName=name, Description="new")
    assert answer["LastUpdateStatus"] == "InProgress"
    assert answer["LastUpdateStatusReason"] == "The function is being created."
    assert answer["LastUpdateStatusReasonCode"] == "Creating"
    later = workshop.client.get_function_configuration(FunctionName=name)
    assert later["LastUpdateStatus"] == "Successful"
    assert not {"LastUpdateStatusReason", "LastUpdateStatusReasonCode", "StateReason"} & set(later)


@pytest.mark.parametrize("operation, member", [("functions", "Functions"), ("versions", "Versions")])
def test_lists_have_the_subset_of_members_that_aws_documents(
    workshop: Workshop, operation: str, member: str
) -> None:
    name = workshop.create()
    client = workshop.client
    listing: dict[str, Callable[[], Any]] = {
        "functions": lambda: client.get_paginator("list_functions").paginate().build_full_result(),
        "versions": lambda: client.list_versions_by_function(FunctionName=name),
    }
    shown = next(each for each in listing[operation]()[member] if each["FunctionName"] == name)
    assert not {"State", "LastUpdateStatus", "RuntimeVersionConfig"} & set(shown)
    assert "SnapStart" in shown


# refusals

ENUM = "at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [nodejs, "


@pytest.mark.parametrize("runtime", ["cobol", "python3.99", "Python3.12"])
@pytest.mark.parametrize("operation", ["create_function", "update_function_configuration"])
def test_a_runtime_that_aws_does_not_know_is_an_invalid_value(
    workshop: Workshop, operation: str, runtime: str
) -> None:
    given: dict[str, Callable[[], dict[str, Any]]] = {
        "create_function": lambda: workshop.parameters(Runtime=runtime),
        "update_function_configuration": lambda: {"FunctionName": workshop.create(), "Runtime": runtime},
    }
    with pytest.raises(ClientError) as caught:
        getattr(workshop.client, operation)(**given[operation]())
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidParameterValueException"
    assert error["Message"].startswith(f"Value {runtime} {ENUM}")
    assert error["Message"].endswith("] or be a valid ARN")


# effect

Change = Callable[[Workshop, str], object]
CHANGES: dict[str, Change] = {
    "code": lambda w, name: w.client.update_function_code(FunctionName=name, ZipFile=w.zip("return 2")),
    "configuration": lambda w, name: w.client.update_function_configuration(FunctionName=name, Timeout=9),
    "permission": allow,
    "tag": lambda w, name: w.client.tag_resource(Resource=w.arn(name), Tags={"a": "b"}),
    "untag": lambda w, name: w.client.untag_resource(Resource=w.arn(name), TagKeys=["a"]),
    "version": lambda w, name: w.client.publish_version(FunctionName=name),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_a_function_gives_it_another_revision(workshop: Workshop, change: str) -> None:
    name = workshop.create()
    before = revision(workshop, name)
    CHANGES[change](workshop, name)
    assert revision(workshop, name) != before


@pytest.mark.parametrize("change", ["permission", "tag", "version"])
def test_what_changes_no_code_leaves_the_processes_that_run_it(workshop: Workshop, change: str) -> None:
    name = workshop.create("return context.log_stream_name")
    before = workshop.client.invoke(FunctionName=name)["Payload"].read()
    CHANGES[change](workshop, name)
    assert workshop.client.invoke(FunctionName=name)["Payload"].read() == before


def test_becoming_active_gives_a_new_revision_to_the_function_and_not_to_a_version(
    workshop: Workshop,
) -> None:
    given = workshop.parameters()
    made = workshop.client.create_function(**given)
    name = given["FunctionName"]
    assert revision(workshop, name) != made["RevisionId"]
    changed = workshop.client.update_function_configuration(FunctionName=name, Timeout=9)
    assert revision(workshop, name) != changed["RevisionId"]
    published = workshop.client.publish_version(FunctionName=name)
    assert revision(workshop, name, Qualifier="1") == published["RevisionId"]


def test_a_policy_has_the_revision_of_what_it_is_attached_to(workshop: Workshop) -> None:
    client, name = workshop.client, workshop.create()
    allow(workshop, name)
    assert client.get_policy(FunctionName=name)["RevisionId"] == revision(workshop, name)
    added = revision(workshop, name)
    client.remove_permission(FunctionName=name, StatementId="s", RevisionId=added)
    assert revision(workshop, name) != added


def test_an_alias_and_its_policy_leave_the_function_as_it_is(workshop: Workshop) -> None:
    client, name = workshop.client, workshop.create()
    client.publish_version(FunctionName=name)
    before = revision(workshop, name), revision(workshop, name, Qualifier="1")
    made = client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    allow(workshop, name, Qualifier="live")
    allowed = client.get_alias(FunctionName=name, Name="live")["RevisionId"]
    assert allowed != made["RevisionId"]
    assert client.get_policy(FunctionName=name, Qualifier="live")["RevisionId"] == allowed
    allow(workshop, name, Qualifier="1")
    assert revision(workshop, name) == before[0]
    assert revision(workshop, name, Qualifier="1") != before[1]
