"""ListEntitiesForPolicy: shape, refusals, effect."""

import json
from collections.abc import Callable
from typing import Any

from tests.refusals import refusal_with_status


def test_users_and_roles_are_told_with_their_ids(iam: Any, policy: str, user: str, role: str) -> None:
    iam.attach_user_policy(UserName=user, PolicyArn=policy)
    iam.attach_role_policy(RoleName=role, PolicyArn=policy)
    answer = iam.list_entities_for_policy(PolicyArn=policy)
    user_id = iam.get_user(UserName=user)["User"]["UserId"]
    role_id = iam.get_role(RoleName=role)["Role"]["RoleId"]
    assert answer["PolicyUsers"] == [{"UserName": user, "UserId": user_id}]
    assert answer["PolicyRoles"] == [{"RoleName": role, "RoleId": role_id}]
    assert (answer["PolicyGroups"], answer["IsTruncated"]) == ([], False)


def test_they_are_chosen_by_kind_by_use_by_path_and_paged(
    iam: Any, policy: str, user: str, fresh: Callable[[str], str], role: str
) -> None:
    bounded = fresh("bounded")
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    iam.create_role(
        RoleName=bounded,
        Path="/team/",
        AssumeRolePolicyDocument=json.dumps(trust),
        PermissionsBoundary=policy,
    )
    iam.attach_user_policy(UserName=user, PolicyArn=policy)

    def names(**given: Any) -> list[str]:
        pages = iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=policy, **given)
        return [
            each.get("UserName") or each["RoleName"]
            for page in pages
            for each in [*page["PolicyUsers"], *page["PolicyRoles"]]
        ]

    assert names() == [user, bounded]
    assert names(PaginationConfig={"PageSize": 1}) == [user, bounded]
    assert names(EntityFilter="User") == [user]
    assert names(EntityFilter="Role") == [bounded]
    assert names(EntityFilter="Group") == []
    assert names(PolicyUsageFilter="PermissionsBoundary") == [bounded]
    assert names(PolicyUsageFilter="PermissionsPolicy") == [user]
    assert names(PathPrefix="/team/") == [bounded]


def test_a_policy_that_is_not_there_is_refused(iam: Any) -> None:
    arn = "arn:aws:iam::111122223333:policy/nowhere"
    assert refusal_with_status(lambda: iam.list_entities_for_policy(PolicyArn=arn)) == (
        404,
        "NoSuchEntity",
        f"Policy {arn} was not found.",
    )


def test_who_no_longer_uses_it_is_no_longer_told(iam: Any, policy: str, user: str) -> None:
    iam.attach_user_policy(UserName=user, PolicyArn=policy)
    iam.detach_user_policy(UserName=user, PolicyArn=policy)
    assert iam.list_entities_for_policy(PolicyArn=policy)["PolicyUsers"] == []
