"""Managed policies and their versions, AWS's and the account's own: shape, refusals, effect."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from tests.conftest import Server
from tests.refusals import refusal_with_status

Fresh = Callable[[str], str]
Document = Callable[..., str]
PIPELINES = "arn:aws:iam::aws:policy/AmazonSageMakerPipelinesIntegrations"


def versions(iam: Any, arn: str) -> list[tuple[str, bool]]:
    listed = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    return [(version["VersionId"], version["IsDefaultVersion"]) for version in listed]


def test_a_created_policy_is_answered_in_full(
    server: Server, iam: Any, fresh: Fresh, document: Document
) -> None:
    name = fresh("send")
    made = iam.create_policy(
        PolicyName=name,
        Path="/team/",
        PolicyDocument=document("sqs:*"),
        Description="sends",
        Tags=[{"Key": "a", "Value": "1"}],
    )["Policy"]
    assert made["Arn"] == f"arn:aws:iam::{server.account}:policy/team/{name}"
    assert made["PolicyId"].startswith("ANPA")
    assert (made["DefaultVersionId"], made["AttachmentCount"], made["IsAttachable"]) == ("v1", 0, True)
    assert iam.get_policy(PolicyArn=made["Arn"])["Policy"] == {**made, "Description": "sends"}


def test_a_policys_name_is_taken_under_every_path(iam: Any, fresh: Fresh, document: Document) -> None:
    name = fresh("send")
    iam.create_policy(PolicyName=name, PolicyDocument=document("sqs:*"))
    again = partial(iam.create_policy, PolicyName=name, Path="/x/", PolicyDocument=document("sqs:*"))
    assert refusal_with_status(again) == (
        409,
        "EntityAlreadyExists",
        f"A policy called {name} already exists. Duplicate names are not allowed.",
    )


def test_what_is_no_policy_is_refused_and_nothing_made(iam: Any, fresh: Fresh, document: Document) -> None:
    name = fresh("send")
    create = partial(iam.create_policy, PolicyName=name)
    assert refusal_with_status(partial(create, PolicyDocument="{"))[:2] == (400, "MalformedPolicyDocument")
    assert refusal_with_status(partial(create, PolicyDocument=document("sqs:" + "x" * 6144))) == (
        409,
        "LimitExceeded",
        "Cannot exceed quota for PolicySize: 6144",
    )
    iam.create_policy(PolicyName=name, PolicyDocument=document("sqs:*"))


def test_the_policy_for_pipelines_is_there_with_its_three_versions(iam: Any) -> None:
    policy = iam.get_policy(PolicyArn=PIPELINES)["Policy"]
    assert (policy["PolicyName"], policy["Path"], policy["DefaultVersionId"]) == (
        "AmazonSageMakerPipelinesIntegrations",
        "/",
        "v3",
    )
    assert policy["CreateDate"].date() == datetime(2021, 7, 30, tzinfo=UTC).date()
    assert policy["UpdateDate"].date() == datetime(2023, 2, 17, tzinfo=UTC).date()
    assert versions(iam, PIPELINES) == [("v3", True), ("v2", False), ("v1", False)]


@pytest.mark.parametrize(
    "version, day, has_get_function",
    [("v1", "2021-07-30", False), ("v2", "2022-04-20", True), ("v3", "2023-02-17", True)],
)
def test_each_version_of_an_aws_policy_can_be_read(
    iam: Any, version: str, day: str, has_get_function: bool
) -> None:
    found = iam.get_policy_version(PolicyArn=PIPELINES, VersionId=version)["PolicyVersion"]
    assert found["CreateDate"].date().isoformat() == day
    assert ("lambda:GetFunction" in json.dumps(found["Document"])) is has_get_function


def test_an_aws_policy_cannot_be_changed(iam: Any, document: Document) -> None:
    changes: list[Callable[[], Any]] = [
        lambda: iam.delete_policy(PolicyArn=PIPELINES),
        lambda: iam.create_policy_version(PolicyArn=PIPELINES, PolicyDocument=document("sqs:*")),
        lambda: iam.set_default_policy_version(PolicyArn=PIPELINES, VersionId="v1"),
        lambda: iam.delete_policy_version(PolicyArn=PIPELINES, VersionId="v1"),
    ]
    assert [refusal_with_status(change)[:2] for change in changes] == [(403, "AccessDenied")] * 4


def test_policies_are_listed_by_scope_path_and_use(
    iam: Any, fresh: Fresh, user: str, document: Document
) -> None:
    path = f"/{fresh('path')}/"
    used, idle = (
        iam.create_policy(PolicyName=fresh("p"), Path=path, PolicyDocument=document("sqs:*"))["Policy"]["Arn"]
        for _ in range(2)
    )
    iam.attach_user_policy(UserName=user, PolicyArn=used)

    def listed(**given: Any) -> list[str]:
        pages = iam.get_paginator("list_policies").paginate(**given, PaginationConfig={"PageSize": 2})
        return [policy["Arn"] for page in pages for policy in page["Policies"]]

    assert listed(PathPrefix=path) == [used, idle]
    assert listed(PathPrefix=path, OnlyAttached=True) == [used]
    assert PIPELINES in listed(Scope="AWS")
    assert used not in listed(Scope="AWS")
    assert used in listed(Scope="Local")
    assert PIPELINES not in listed(Scope="Local")
    assert {used, PIPELINES} <= set(listed())


def test_a_policy_counts_its_uses(iam: Any, fresh: Fresh, user: str, role: str, policy: str) -> None:
    iam.attach_user_policy(UserName=user, PolicyArn=policy)
    iam.attach_role_policy(RoleName=role, PolicyArn=policy)
    iam.create_user(UserName=fresh("bounded"), PermissionsBoundary=policy)
    found = iam.get_policy(PolicyArn=policy)["Policy"]
    assert (found["AttachmentCount"], found["PermissionsBoundaryUsageCount"]) == (2, 1)


def test_a_policy_goes_when_nobody_uses_it_and_one_version_is_left(
    iam: Any, user: str, policy: str, document: Document
) -> None:
    iam.attach_user_policy(UserName=user, PolicyArn=policy)
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=document("sqs:*"))
    delete = partial(iam.delete_policy, PolicyArn=policy)
    assert refusal_with_status(delete) == (
        409,
        "DeleteConflict",
        "Cannot delete a policy attached to entities.",
    )
    iam.detach_user_policy(UserName=user, PolicyArn=policy)
    status, code, sentence = refusal_with_status(delete)
    assert (status, code) == (409, "DeleteConflict")
    assert sentence.startswith("This policy has more than one version.")
    iam.delete_policy_version(PolicyArn=policy, VersionId="v2")
    delete()
    assert refusal_with_status(lambda: iam.get_policy(PolicyArn=policy)) == (
        404,
        "NoSuchEntity",
        f"Policy {policy} was not found.",
    )


def test_a_version_is_answered_without_its_document_and_read_with_it(
    iam: Any, policy: str, document: Document
) -> None:
    made = iam.create_policy_version(PolicyArn=policy, PolicyDocument=document("sqs:*"))["PolicyVersion"]
    assert (made["VersionId"], made["IsDefaultVersion"]) == ("v2", False)
    read = iam.get_policy_version(PolicyArn=policy, VersionId="v2")["PolicyVersion"]
    assert read == {**made, "Document": json.loads(document("sqs:*"))}


def test_there_are_five_versions_at_most_and_no_number_comes_twice(
    iam: Any, policy: str, document: Document
) -> None:
    add = partial(iam.create_policy_version, PolicyArn=policy, PolicyDocument=document("sqs:*"))
    for _ in range(4):
        add()
    assert refusal_with_status(add) == (
        409,
        "LimitExceeded",
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an"
        " existing version.",
    )
    iam.delete_policy_version(PolicyArn=policy, VersionId="v5")
    assert add()["PolicyVersion"]["VersionId"] == "v6"
    assert versions(iam, policy) == [(f"v{n}", n == 1) for n in (6, 4, 3, 2, 1)]


def test_the_default_version_cannot_be_deleted(iam: Any, policy: str) -> None:
    assert refusal_with_status(lambda: iam.delete_policy_version(PolicyArn=policy, VersionId="v1")) == (
        409,
        "DeleteConflict",
        "Cannot delete the default version of a policy.",
    )


def test_a_version_that_is_not_there_is_told(iam: Any, policy: str) -> None:
    expected = (
        404,
        "NoSuchEntity",
        f"Policy {policy} version v9 does not exist or is not attachable.",
    )
    calls: list[Callable[[], Any]] = [
        lambda: iam.get_policy_version(PolicyArn=policy, VersionId="v9"),
        lambda: iam.set_default_policy_version(PolicyArn=policy, VersionId="v9"),
        lambda: iam.delete_policy_version(PolicyArn=policy, VersionId="v9"),
    ]
    assert [refusal_with_status(call) for call in calls] == [expected] * 3


@pytest.mark.parametrize("how", ["set_default_policy_version", "create_policy_version"])
def test_the_default_version_is_what_counts(
    server: Server, iam: Any, user: str, policy: str, document: Document, how: str
) -> None:
    key = iam.create_access_key(UserName=user)["AccessKey"]
    own = server.client_with("iam", key["AccessKeyId"], key["SecretAccessKey"])
    iam.attach_user_policy(UserName=user, PolicyArn=policy)
    other = document("iam:ListRoles")
    if how == "create_policy_version":
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=other, SetAsDefault=True)
    else:
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=other)
        own.list_users()
        iam.set_default_policy_version(PolicyArn=policy, VersionId="v2")
    own.list_roles()
    assert refusal_with_status(own.list_users)[1] == "AccessDenied"


def test_a_policy_does_not_own_the_versions_of_policies_under_its_name_as_a_path(
    iam: Any, fresh: Fresh, document: Document
) -> None:
    team = fresh("team")
    guard = iam.create_policy(PolicyName=fresh("guard"), Path=f"/{team}/", PolicyDocument=document("sqs:*"))
    outer = iam.create_policy(PolicyName=team, PolicyDocument=document("sqs:*"))
    arn, guarded = outer["Policy"]["Arn"], guard["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=guarded, PolicyDocument=document("s3:*"))
    assert guarded.startswith(f"{arn}/")

    assert versions(iam, arn) == [("v1", True)]
    iam.delete_policy(PolicyArn=arn)
    assert versions(iam, guarded) == [("v2", False), ("v1", True)]
