"""GetAccountAuthorizationDetails: shape, refusals, effect."""

import json
from collections.abc import Callable
from typing import Any

from tests.refusals import refusal_with_status

READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")


def everything(iam: Any, size: int = 1000, **given: Any) -> dict[str, list[Any]]:
    paginator = iam.get_paginator("get_account_authorization_details")
    pages = list(paginator.paginate(**given, PaginationConfig={"PageSize": size}))
    assert all(sum(len(page[name]) for name in LISTS) <= size for page in pages)
    return {name: [each for page in pages for each in page[name]] for name in LISTS}


def named(details: list[Any], member: str, name: str) -> Any:
    (found,) = [each for each in details if each[member] == name]
    return found


def test_a_user_is_told_with_all_its_policies(
    iam: Any, user: str, policy: str, document: Callable[..., str]
) -> None:
    text = document("sqs:SendMessage")
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=text)
    iam.attach_user_policy(UserName=user, PolicyArn=policy)
    iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=policy)
    iam.tag_user(UserName=user, Tags=[{"Key": "team", "Value": "a"}])
    told = named(everything(iam)["UserDetailList"], "UserName", user)
    assert told == iam.get_user(UserName=user)["User"] | {
        "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": json.loads(text)}],
        "GroupList": [],
        "AttachedManagedPolicies": [{"PolicyName": policy.rpartition("/")[2], "PolicyArn": policy}],
    }


def test_a_role_is_told_with_its_trust_and_its_instance_profiles(
    iam: Any, role: str, instance_profile: str, trust: str
) -> None:
    iam.add_role_to_instance_profile(InstanceProfileName=instance_profile, RoleName=role)
    iam.attach_role_policy(RoleName=role, PolicyArn=READ_ONLY)
    told = named(everything(iam)["RoleDetailList"], "RoleName", role)
    assert told["AssumeRolePolicyDocument"] == json.loads(trust)
    assert [each["InstanceProfileName"] for each in told["InstanceProfileList"]] == [instance_profile]
    assert told["AttachedManagedPolicies"] == [
        {"PolicyName": "AmazonS3ReadOnlyAccess", "PolicyArn": READ_ONLY}
    ]
    assert (told["RolePolicyList"], told["RoleLastUsed"]) == ([], {})
    assert not {"MaxSessionDuration", "Description"} & set(told)


def test_a_policy_is_told_with_its_versions(iam: Any, policy: str, document: Callable[..., str]) -> None:
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=document("sqs:*"), SetAsDefault=True)
    told = named(everything(iam)["Policies"], "Arn", policy)
    assert [(each["VersionId"], each["IsDefaultVersion"]) for each in told["PolicyVersionList"]] == [
        ("v2", True),
        ("v1", False),
    ]
    assert told["PolicyVersionList"][0]["Document"] == json.loads(document("sqs:*"))
    assert (told["DefaultVersionId"], told["AttachmentCount"]) == ("v2", 0)


def test_filters_choose_lists_and_pages_lose_nothing(iam: Any, user: str, role: str, policy: str) -> None:
    iam.attach_user_policy(UserName=user, PolicyArn=READ_ONLY)
    whole = everything(iam)
    some = 1 + sum(map(len, whole.values())) // 20  # other tests' roles are listed, too
    assert everything(iam, size=some) == whole
    assert whole["GroupDetailList"] == []
    empty: dict[str, list[Any]] = {name: [] for name in LISTS}
    assert everything(iam, Filter=["User"]) == empty | {"UserDetailList": whole["UserDetailList"]}
    assert everything(iam, Filter=["Role"]) == empty | {"RoleDetailList": whole["RoleDetailList"]}
    assert everything(iam, Filter=["Group"]) == empty
    of_aws = everything(iam, Filter=["AWSManagedPolicy"])["Policies"]
    own = everything(iam, Filter=["LocalManagedPolicy"])["Policies"]
    assert READ_ONLY in [each["Arn"] for each in of_aws]
    assert policy in [each["Arn"] for each in own]
    assert len(of_aws) + len(own) == len(whole["Policies"])


def test_a_marker_that_is_none_is_refused(iam: Any) -> None:
    status, code, _ = refusal_with_status(lambda: iam.get_account_authorization_details(Marker="!"))
    assert (status, code) == (400, "ValidationError")


def test_what_is_deleted_is_no_longer_told(iam: Any, user: str, policy: str) -> None:
    iam.delete_user(UserName=user)
    iam.delete_policy(PolicyArn=policy)
    whole = everything(iam)
    assert user not in [each["UserName"] for each in whole["UserDetailList"]]
    assert policy not in [each["Arn"] for each in whole["Policies"]]
