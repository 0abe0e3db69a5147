"""CreateUser, GetUser, ListUsers, DeleteUser: shape, refusals, effect."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from tests.conftest import Server
from tests.refusals import refusal_with_status

Fresh = Callable[[str], str]


def test_a_created_user_is_answered_in_full(server: Server, iam: Any, fresh: Fresh) -> None:
    name = fresh("ann")
    made = iam.create_user(UserName=name, Path="/team/", Tags=[{"Key": "a", "Value": "1"}])["User"]
    assert made["Arn"] == f"arn:aws:iam::{server.account}:user/team/{name}"
    assert (made["UserName"], made["Path"], made["Tags"]) == (name, "/team/", [{"Key": "a", "Value": "1"}])
    assert made["UserId"].startswith("AIDA")
    assert len(made["UserId"]) == 21
    assert abs(datetime.now(UTC) - made["CreateDate"]) < timedelta(minutes=5)
    assert iam.get_user(UserName=name)["User"] == made


@pytest.mark.parametrize("spelled", [str.lower, str.upper])
def test_a_users_name_is_taken_in_every_letter_case(
    iam: Any, fresh: Fresh, spelled: Callable[[str], str]
) -> None:
    name = fresh("Ann")
    iam.create_user(UserName=name)
    assert refusal_with_status(lambda: iam.create_user(UserName=spelled(name))) == (
        409,
        "EntityAlreadyExists",
        f"User with name {spelled(name)} already exists.",
    )


def test_bad_names_and_paths_are_refused(iam: Any) -> None:
    for parameters in ({"UserName": "a b"}, {"UserName": "a/b"}, {"UserName": "ok", "Path": "no-slash"}):
        status, code, _ = refusal_with_status(partial(iam.create_user, **parameters))
        assert (status, code) == (400, "ValidationError")


def test_tag_keys_that_differ_in_letter_case_only_are_refused(iam: Any, fresh: Fresh) -> None:
    tags = [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]
    name = fresh("ann")
    assert refusal_with_status(lambda: iam.create_user(UserName=name, Tags=tags))[:2] == (400, "InvalidInput")
    assert refusal_with_status(lambda: iam.get_user(UserName=name))[1] == "NoSuchEntity"


def test_a_boundary_must_exist(iam: Any, fresh: Fresh) -> None:
    arn = "arn:aws:iam::aws:policy/Nothing"
    assert refusal_with_status(lambda: iam.create_user(UserName=fresh("ann"), PermissionsBoundary=arn)) == (
        404,
        "NoSuchEntity",
        f"Scope ARN: {arn} does not exist or is not attachable.",
    )


def test_a_boundary_limits_what_the_user_may_do(server: Server, iam: Any, fresh: Fresh, policy: str) -> None:
    name = fresh("ann")
    made = iam.create_user(UserName=name, PermissionsBoundary=policy)["User"]
    assert made["PermissionsBoundary"] == {
        "PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": policy,
    }
    iam.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = iam.create_access_key(UserName=name)["AccessKey"]
    own = server.client_with("iam", key["AccessKeyId"], key["SecretAccessKey"])
    own.list_users()
    with pytest.raises(own.exceptions.ClientError, match="no permissions boundary allows"):
        own.list_roles()


def test_get_user_without_a_name_is_the_caller(server: Server, iam: Any) -> None:
    assert iam.get_user()["User"]["UserName"] == server.access["user"]


def test_get_user_without_a_name_needs_a_user(server: Server) -> None:
    arn = server.role(["arn:aws:iam::aws:policy/AdministratorAccess"], trust="sagemaker.amazonaws.com")
    iam = server.client("iam")
    iam.update_assume_role_policy(RoleName=arn.rpartition("/")[2], PolicyDocument=trusting_account(server))
    given = server.client("sts").assume_role(RoleArn=arn, RoleSessionName="work")["Credentials"]
    session = server.client_with("iam", given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert refusal_with_status(session.get_user) == (
        400,
        "ValidationError",
        "Must specify userName when calling with non-User credentials",
    )


def trusting_account(server: Server) -> str:
    return (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
        f'"Principal":{{"AWS":"arn:aws:iam::{server.account}:root"}}}}]}}'
    )


def test_a_missing_user_is_told_by_name(iam: Any) -> None:
    expected = (404, "NoSuchEntity", "The user with name nobody cannot be found.")
    assert refusal_with_status(lambda: iam.get_user(UserName="nobody")) == expected
    assert refusal_with_status(lambda: iam.delete_user(UserName="nobody")) == expected


def test_users_are_listed_by_path_in_pages(iam: Any, fresh: Fresh) -> None:
    path = f"/{fresh('path')}/"
    names = sorted(fresh(prefix) for prefix in ("c", "A", "b"))
    for name in names:
        iam.create_user(UserName=name, Path=path, Tags=[{"Key": "a", "Value": "1"}])
    pages = iam.get_paginator("list_users").paginate(PathPrefix=path, PaginationConfig={"PageSize": 2})
    found = [page["Users"] for page in pages]
    assert [len(page) for page in found] == [2, 1]
    listed = [user for page in found for user in page]
    assert [user["UserName"] for user in listed] == sorted(names, key=str.lower)
    assert "Tags" not in listed[0]


def test_a_marker_that_is_none_is_refused(iam: Any) -> None:
    assert refusal_with_status(lambda: iam.list_users(Marker="no base64!"))[:2] == (400, "ValidationError")


def test_a_user_goes_when_nothing_is_left_of_it(
    iam: Any, user: str, document: Callable[..., str], policy: str
) -> None:
    key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document("iam:*"))
    iam.attach_user_policy(UserName=user, PolicyArn=policy)
    leftovers = [
        ("delete access keys", partial(iam.delete_access_key, UserName=user, AccessKeyId=key)),
        ("detach all policies", partial(iam.detach_user_policy, UserName=user, PolicyArn=policy)),
        ("delete policies", partial(iam.delete_user_policy, UserName=user, PolicyName="p")),
    ]
    for must, undo in leftovers:
        assert refusal_with_status(lambda: iam.delete_user(UserName=user)) == (
            409,
            "DeleteConflict",
            f"Cannot delete entity, must {must} first.",
        )
        undo()
    iam.delete_user(UserName=user)
    assert refusal_with_status(lambda: iam.get_user(UserName=user))[1] == "NoSuchEntity"
