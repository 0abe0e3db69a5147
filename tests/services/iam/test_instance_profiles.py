"""Instance profiles: shape, refusals, effect."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests.conftest import Server
from tests.refusals import refusal_with_status

Fresh = Callable[[str], str]


@pytest.fixture
def profile(iam: Any, fresh: Fresh) -> str:
    """The name of a new instance profile."""
    name = fresh("profile")
    iam.create_instance_profile(InstanceProfileName=name)
    return name


def test_a_created_profile_is_answered_in_full(server: Server, iam: Any, fresh: Fresh) -> None:
    name = fresh("EMR_EC2")
    made = iam.create_instance_profile(
        InstanceProfileName=name, Path="/emr/", Tags=[{"Key": "a", "Value": "1"}]
    )["InstanceProfile"]
    assert made["Arn"] == f"arn:aws:iam::{server.account}:instance-profile/emr/{name}"
    assert made["InstanceProfileId"].startswith("AIPA")
    assert made["Roles"] == []
    assert iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"] == made


def test_a_profiles_name_is_taken(iam: Any, profile: str) -> None:
    assert refusal_with_status(lambda: iam.create_instance_profile(InstanceProfileName=profile)) == (
        409,
        "EntityAlreadyExists",
        f"Instance Profile {profile} already exists.",
    )


def test_a_missing_profile_is_told_by_name(iam: Any, role: str) -> None:
    expected = (404, "NoSuchEntity", "Instance Profile none cannot be found.")
    calls: list[Callable[[], Any]] = [
        lambda: iam.get_instance_profile(InstanceProfileName="none"),
        lambda: iam.delete_instance_profile(InstanceProfileName="none"),
        lambda: iam.add_role_to_instance_profile(InstanceProfileName="none", RoleName=role),
        lambda: iam.remove_role_from_instance_profile(InstanceProfileName="none", RoleName=role),
    ]
    assert [refusal_with_status(call) for call in calls] == [expected] * 4


def test_a_profile_holds_one_role_that_exists(server: Server, iam: Any, profile: str, role: str) -> None:
    add = partial(iam.add_role_to_instance_profile, InstanceProfileName=profile)
    assert (
        refusal_with_status(partial(add, RoleName="nobody"))[2]
        == "The role with name nobody cannot be found."
    )
    add(RoleName=role)
    [held] = iam.get_instance_profile(InstanceProfileName=profile)["InstanceProfile"]["Roles"]
    assert held["RoleName"] == role
    other = server.role().rpartition("/")[2]
    assert refusal_with_status(partial(add, RoleName=other)) == (
        409,
        "LimitExceeded",
        "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
    )


def test_profiles_are_listed_by_path_and_by_role(iam: Any, fresh: Fresh, role: str) -> None:
    path, names = f"/{fresh('path')}/", [fresh("p") for _ in range(3)]
    for name in names:
        iam.create_instance_profile(InstanceProfileName=name, Path=path)
    iam.add_role_to_instance_profile(InstanceProfileName=names[1], RoleName=role)
    pages = iam.get_paginator("list_instance_profiles").paginate(
        PathPrefix=path, PaginationConfig={"PageSize": 2}
    )
    found = [one["InstanceProfileName"] for page in pages for one in page["InstanceProfiles"]]
    assert found == sorted(names)
    [only] = iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"]
    assert (only["InstanceProfileName"], only["Roles"][0]["RoleName"]) == (names[1], role)


def test_a_profile_goes_when_it_is_empty(iam: Any, profile: str, role: str) -> None:
    both = {"InstanceProfileName": profile, "RoleName": role}
    assert refusal_with_status(lambda: iam.remove_role_from_instance_profile(**both))[1] == "NoSuchEntity"
    iam.add_role_to_instance_profile(**both)
    delete = partial(iam.delete_instance_profile, InstanceProfileName=profile)
    assert refusal_with_status(delete) == (
        409,
        "DeleteConflict",
        "Cannot delete entity, must remove roles from instance profile first.",
    )
    iam.remove_role_from_instance_profile(**both)
    delete()
    assert (
        refusal_with_status(lambda: iam.get_instance_profile(InstanceProfileName=profile))[1]
        == "NoSuchEntity"
    )


def test_a_role_is_put_into_a_profile_by_who_may_pass_it(server: Server, profile: str, role: str) -> None:
    statement = {"Effect": "Allow", "Action": "iam:AddRoleToInstanceProfile", "Resource": "*"}
    own = server.client("iam", user_policy={"Version": "2012-10-17", "Statement": [statement]})
    call = partial(own.add_role_to_instance_profile, InstanceProfileName=profile, RoleName=role)
    status, code, sentence = refusal_with_status(call)
    assert (status, code) == (403, "AccessDenied")
    assert f"iam:PassRole on resource: arn:aws:iam::{server.account}:role/{role} because" in sentence
