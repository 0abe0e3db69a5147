"""Permissions boundaries of users and roles: shape, refusals, effect."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server
from tests.refusals import refusal_with_status


@pytest.fixture
def bounded_user(server: Server) -> tuple[str, Any]:
    """A user who may list users and roles, and the user's own client."""
    statement = {"Effect": "Allow", "Action": ["iam:ListUsers", "iam:ListRoles"], "Resource": "*"}
    keys = server.user({"Version": "2012-10-17", "Statement": [statement]})
    return keys["user"], server.client_with("iam", keys["access_key_id"], keys["secret_access_key"])


def test_a_boundary_is_shown_with_the_thing_and_not_in_lists(
    iam: Any, policy: str, user: str, role: str
) -> None:
    iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=policy)
    iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=policy)
    shown = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": policy}
    assert iam.get_user(UserName=user)["User"]["PermissionsBoundary"] == shown
    assert iam.get_role(RoleName=role)["Role"]["PermissionsBoundary"] == shown
    listed = [*iam.list_users()["Users"], *iam.list_roles()["Roles"]]
    assert not any("PermissionsBoundary" in each for each in listed)
    assert iam.get_policy(PolicyArn=policy)["Policy"]["PermissionsBoundaryUsageCount"] == 2
    used = iam.list_entities_for_policy(PolicyArn=policy, PolicyUsageFilter="PermissionsBoundary")
    assert [each["UserName"] for each in used["PolicyUsers"]] == [user]
    assert [each["RoleName"] for each in used["PolicyRoles"]] == [role]


def test_a_boundary_or_a_bearer_that_is_not_there_is_refused(iam: Any, policy: str, user: str) -> None:
    nowhere = "arn:aws:iam::111122223333:policy/nowhere"
    assert refusal_with_status(
        lambda: iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=nowhere)
    ) == (
        404,
        "NoSuchEntity",
        f"Scope ARN: {nowhere} does not exist or is not attachable.",
    )
    assert refusal_with_status(
        lambda: iam.put_role_permissions_boundary(RoleName="no", PermissionsBoundary=policy)
    )[2] == ("The role with name no cannot be found.")
    assert (
        refusal_with_status(lambda: iam.delete_user_permissions_boundary(UserName="no"))[1] == "NoSuchEntity"
    )
    assert (
        refusal_with_status(lambda: iam.delete_role_permissions_boundary(RoleName="no"))[1] == "NoSuchEntity"
    )


def test_a_policy_that_bounds_cannot_be_deleted_until_it_bounds_nobody(
    iam: Any, policy: str, user: str
) -> None:
    iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=policy)
    assert refusal_with_status(lambda: iam.delete_policy(PolicyArn=policy))[1] == "DeleteConflict"
    iam.delete_user_permissions_boundary(UserName=user)
    iam.delete_user_permissions_boundary(UserName=user)
    iam.delete_policy(PolicyArn=policy)
    assert "PermissionsBoundary" not in iam.get_user(UserName=user)["User"]


def test_a_boundary_decides_from_the_next_call_on(
    iam: Any, policy: str, bounded_user: tuple[str, Any]
) -> None:
    name, client = bounded_user
    client.list_roles()
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=policy)
    client.list_users()
    assert refusal_with_status(client.list_roles)[2].endswith(
        "because no permissions boundary allows the iam:ListRoles action"
    )
    iam.delete_user_permissions_boundary(UserName=name)
    client.list_roles()


@pytest.mark.parametrize("bounded", [True, False])
def test_a_delegate_may_manage_only_what_the_right_boundary_bounds(
    server: Server,
    iam: Any,
    policy: str,
    role: str,
    document: Callable[..., str],
    bounded: bool,
) -> None:
    statement = {
        "Effect": "Allow",
        "Action": ["iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"],
        "Resource": "*",
        "Condition": {"StringEquals": {"iam:PermissionsBoundary": policy}},
    }
    delegate = server.client("iam", user_policy={"Version": "2012-10-17", "Statement": [statement]})
    calls: list[Callable[[], Any]] = [
        lambda: delegate.put_role_policy(
            RoleName=role, PolicyName="p", PolicyDocument=document("iam:ListUsers")
        ),
        lambda: delegate.attach_role_policy(RoleName=role, PolicyArn=policy),
    ]
    if bounded:
        delegate.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=policy)
    for call in calls:
        if bounded:
            call()
        else:
            assert refusal_with_status(call)[1] == "AccessDenied"
