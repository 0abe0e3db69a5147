"""CreateRole, GetRole, ListRoles, UpdateRole, UpdateAssumeRolePolicy, DeleteRole: shape, refusals, effect."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests.conftest import Server
from tests.refusals import refusal_with_status

Fresh = Callable[[str], str]


def test_a_created_role_is_answered_in_full(server: Server, iam: Any, fresh: Fresh, trust: str) -> None:
    name = fresh("runner")
    made = iam.create_role(
        RoleName=name,
        Path="/service-role/",
        AssumeRolePolicyDocument=trust,
        Description="runs pipelines",
        MaxSessionDuration=7200,
        Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}],
    )["Role"]
    assert made["Arn"] == f"arn:aws:iam::{server.account}:role/service-role/{name}"
    assert made["RoleId"].startswith("AROA")
    assert made["AssumeRolePolicyDocument"] == json.loads(trust)
    assert (made["Description"], made["MaxSessionDuration"]) == ("runs pipelines", 7200)
    assert made["Tags"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert iam.get_role(RoleName=name)["Role"] == made


def test_sessions_last_an_hour_at_most_unless_told_otherwise(iam: Any, role: str) -> None:
    assert iam.get_role(RoleName=role)["Role"]["MaxSessionDuration"] == 3600


def test_a_roles_name_is_taken_in_every_letter_case(iam: Any, fresh: Fresh, trust: str) -> None:
    name = fresh("Runner")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    again = partial(iam.create_role, RoleName=name.upper(), AssumeRolePolicyDocument=trust)
    assert refusal_with_status(again) == (
        409,
        "EntityAlreadyExists",
        f"Role with name {name.upper()} already exists.",
    )


@pytest.mark.parametrize(
    "document, sentence",
    [
        ("{", "This policy contains invalid Json"),
        ('{"Version":"2012-10-17","Statement":[]}', "Could not parse the policy: Statement is empty!"),
        (
            '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
            '"Principal":{"Service":"sagemaker.amazonaws.com"},"Resource":"*"}]}',
            "Has prohibited field Resource",
        ),
    ],
)
def test_a_trust_that_is_none_is_refused_and_nothing_made(
    iam: Any, fresh: Fresh, document: str, sentence: str
) -> None:
    name = fresh("runner")
    create = partial(iam.create_role, RoleName=name, AssumeRolePolicyDocument=document)
    assert refusal_with_status(create) == (400, "MalformedPolicyDocument", sentence)
    assert refusal_with_status(lambda: iam.get_role(RoleName=name))[1] == "NoSuchEntity"


def test_a_trust_has_2048_characters_at_most(iam: Any, role: str, trust: str) -> None:
    spaced = trust.replace(" ", " " * 3000)
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=spaced)  # white space is free
    long = trust.replace("2012-10-17", '2012-10-17", "Id": "' + "x" * 2048)
    assert refusal_with_status(lambda: iam.update_assume_role_policy(RoleName=role, PolicyDocument=long)) == (
        409,
        "LimitExceeded",
        "Cannot exceed quota for ACLSizePerRole: 2048",
    )


def test_a_session_lasts_twelve_hours_at_most(iam: Any, role: str) -> None:
    iam.update_role(RoleName=role, MaxSessionDuration=43200)
    update = partial(iam.update_role, RoleName=role, MaxSessionDuration=43201)
    assert refusal_with_status(update)[:2] == (400, "ValidationError")


def test_a_missing_role_is_told_by_name(iam: Any, trust: str) -> None:
    expected = (404, "NoSuchEntity", "The role with name nobody cannot be found.")
    calls: list[Callable[[], Any]] = [
        lambda: iam.get_role(RoleName="nobody"),
        lambda: iam.update_role(RoleName="nobody", Description="x"),
        lambda: iam.update_assume_role_policy(RoleName="nobody", PolicyDocument=trust),
        lambda: iam.delete_role(RoleName="nobody"),
        lambda: iam.list_role_policies(RoleName="nobody"),
        lambda: iam.list_attached_role_policies(RoleName="nobody"),
        lambda: iam.list_instance_profiles_for_role(RoleName="nobody"),
        lambda: iam.tag_role(RoleName="nobody", Tags=[{"Key": "a", "Value": "1"}]),
    ]
    assert [refusal_with_status(call) for call in calls] == [expected] * len(calls)


def test_roles_are_listed_by_path_in_pages_without_tags(iam: Any, fresh: Fresh, trust: str) -> None:
    path, names = f"/{fresh('path')}/", [fresh("r") for _ in range(3)]
    for name in names:
        iam.create_role(
            RoleName=name, Path=path, AssumeRolePolicyDocument=trust, Tags=[{"Key": "a", "Value": "1"}]
        )
    pages = iam.get_paginator("list_roles").paginate(PathPrefix=path, PaginationConfig={"PageSize": 1})
    found = [role for page in pages for role in page["Roles"]]
    assert [role["RoleName"] for role in found] == sorted(names)
    assert "Tags" not in found[0]
    assert found[0]["AssumeRolePolicyDocument"] == json.loads(trust)


def test_update_role_leaves_what_is_not_given(iam: Any, role: str) -> None:
    iam.update_role(RoleName=role, Description="first", MaxSessionDuration=7200)
    iam.update_role(RoleName=role, Description="second")
    updated = iam.get_role(RoleName=role)["Role"]
    assert (updated["Description"], updated["MaxSessionDuration"]) == ("second", 7200)


def test_another_trust_decides_who_may_assume_the_role(server: Server, iam: Any, role: str) -> None:
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    assume = partial(server.client("sts").assume_role, RoleArn=arn, RoleSessionName="work")
    assert refusal_with_status(assume)[1] == "AccessDenied"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{server.account}:root"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)
    assert assume()["AssumedRoleUser"]["Arn"].endswith(f"assumed-role/{role}/work")


def test_a_role_goes_when_nothing_is_left_of_it(
    iam: Any, role: str, fresh: Fresh, document: Callable[..., str], policy: str
) -> None:
    profile = fresh("profile")
    iam.create_instance_profile(InstanceProfileName=profile)
    both = {"InstanceProfileName": profile, "RoleName": role}
    iam.add_role_to_instance_profile(**both)
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document("iam:*"))
    iam.attach_role_policy(RoleName=role, PolicyArn=policy)
    leftovers = [
        (
            "remove roles from instance profile",
            partial(iam.remove_role_from_instance_profile, **both),
        ),
        ("detach all policies", partial(iam.detach_role_policy, RoleName=role, PolicyArn=policy)),
        ("delete policies", partial(iam.delete_role_policy, RoleName=role, PolicyName="p")),
    ]
    for must, undo in leftovers:
        assert refusal_with_status(lambda: iam.delete_role(RoleName=role)) == (
            409,
            "DeleteConflict",
            f"Cannot delete entity, must {must} first.",
        )
        undo()
    iam.delete_role(RoleName=role)
    assert refusal_with_status(lambda: iam.get_role(RoleName=role))[1] == "NoSuchEntity"


def test_a_description_is_changed_by_itself_too(iam: Any, role: str) -> None:
    answer = iam.update_role_description(RoleName=role, Description="what it is for")
    assert answer["Role"]["Description"] == "what it is for"
    assert iam.get_role(RoleName=role)["Role"]["Description"] == "what it is for"
    missing = lambda: iam.update_role_description(RoleName="nowhere", Description="x")  # noqa: E731
    assert refusal_with_status(missing)[:2] == (404, "NoSuchEntity")
