"""Every operation asks for its own action on its own resource, and tells strangers nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server
from tests.refusals import refusal_with_status

NOTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}],
}
POLICY = "arn:aws:iam::111122223333:policy/team/own"
DOCUMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}'

USER = {"UserName": "absent"}
ROLE = {"RoleName": "absent"}
PROFILE = {"InstanceProfileName": "absent"}
ARN = {"PolicyArn": POLICY}
INLINE = {"PolicyName": "p"}
TEXT = {"PolicyDocument": DOCUMENT}
KEY = {"AccessKeyId": "AKIAAAAAAAAAAAAAAAAA"}
TAGS = {"Tags": [{"Key": "a", "Value": "1"}]}
TAG_KEYS = {"TagKeys": ["a"]}
PATH = {"Path": "/team/"}
BOUNDARY = {"PermissionsBoundary": POLICY}
SOURCE = {"PolicySourceArn": "arn:aws:iam::111122223333:role/absent"}
INPUTS = {"PolicyInputList": [DOCUMENT]}
ACTIONS = {"ActionNames": ["sqs:SendMessage"]}
ALIAS = {"AccountAlias": "our-team"}
LINKED = "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"

CASES: list[tuple[str, dict[str, Any], str]] = [
    ("AddRoleToInstanceProfile", PROFILE | ROLE, "instance-profile/absent"),
    ("AttachRolePolicy", ROLE | ARN, "role/absent"),
    ("AttachUserPolicy", USER | ARN, "user/absent"),
    ("CreateAccessKey", USER, "user/absent"),
    ("CreateAccountAlias", ALIAS, "*"),
    ("CreateInstanceProfile", PROFILE | PATH, "instance-profile/team/absent"),
    ("CreatePolicy", INLINE | TEXT | PATH, "policy/team/p"),
    ("CreatePolicyVersion", ARN | TEXT, "policy/team/own"),
    ("CreateRole", ROLE | PATH | {"AssumeRolePolicyDocument": "{}"}, "role/team/absent"),
    ("CreateServiceLinkedRole", {"AWSServiceName": "ecs.amazonaws.com"}, LINKED),
    ("CreateUser", USER | PATH, "user/team/absent"),
    ("DeleteAccessKey", USER | KEY, "user/absent"),
    ("DeleteAccountAlias", ALIAS, "*"),
    ("DeleteInstanceProfile", PROFILE, "instance-profile/absent"),
    ("DeletePolicy", ARN, "policy/team/own"),
    ("DeletePolicyVersion", ARN | {"VersionId": "v1"}, "policy/team/own"),
    ("DeleteRole", ROLE, "role/absent"),
    ("DeleteRolePermissionsBoundary", ROLE, "role/absent"),
    ("DeleteRolePolicy", ROLE | INLINE, "role/absent"),
    ("DeleteServiceLinkedRole", ROLE, "role/absent"),
    ("DeleteUser", USER, "user/absent"),
    ("DeleteUserPermissionsBoundary", USER, "user/absent"),
    ("DeleteUserPolicy", USER | INLINE, "user/absent"),
    ("DetachRolePolicy", ROLE | ARN, "role/absent"),
    ("DetachUserPolicy", USER | ARN, "user/absent"),
    ("GetAccountAuthorizationDetails", {}, "*"),
    ("GetContextKeysForCustomPolicy", INPUTS, "*"),
    ("GetContextKeysForPrincipalPolicy", SOURCE, "role/absent"),
    ("GetInstanceProfile", PROFILE, "instance-profile/absent"),
    ("GetPolicy", ARN, "policy/team/own"),
    ("GetPolicyVersion", ARN | {"VersionId": "v1"}, "policy/team/own"),
    ("GetRole", ROLE, "role/absent"),
    ("GetRolePolicy", ROLE | INLINE, "role/absent"),
    ("GetServiceLinkedRoleDeletionStatus", {"DeletionTaskId": f"task/{LINKED[5:]}/1"}, LINKED),
    ("GetUser", USER, "user/absent"),
    ("GetUserPolicy", USER | INLINE, "user/absent"),
    ("ListAccessKeys", USER, "user/absent"),
    ("ListAccountAliases", {}, "*"),
    ("ListAttachedRolePolicies", ROLE, "role/absent"),
    ("ListAttachedUserPolicies", USER, "user/absent"),
    ("ListEntitiesForPolicy", ARN, "policy/team/own"),
    ("ListInstanceProfileTags", PROFILE, "instance-profile/absent"),
    ("ListInstanceProfiles", {}, "*"),
    ("ListInstanceProfilesForRole", ROLE, "role/absent"),
    ("ListPolicies", {}, "*"),
    ("ListPolicyTags", ARN, "policy/team/own"),
    ("ListPolicyVersions", ARN, "policy/team/own"),
    ("ListRolePolicies", ROLE, "role/absent"),
    ("ListRoleTags", ROLE, "role/absent"),
    ("ListRoles", {}, "*"),
    ("ListUserPolicies", USER, "user/absent"),
    ("ListUserTags", USER, "user/absent"),
    ("ListUsers", {}, "*"),
    ("PutRolePermissionsBoundary", ROLE | BOUNDARY, "role/absent"),
    ("PutRolePolicy", ROLE | INLINE | TEXT, "role/absent"),
    ("PutUserPermissionsBoundary", USER | BOUNDARY, "user/absent"),
    ("PutUserPolicy", USER | INLINE | TEXT, "user/absent"),
    ("RemoveRoleFromInstanceProfile", PROFILE | ROLE, "instance-profile/absent"),
    ("SetDefaultPolicyVersion", ARN | {"VersionId": "v1"}, "policy/team/own"),
    ("SimulateCustomPolicy", INPUTS | ACTIONS, "*"),
    ("SimulatePrincipalPolicy", SOURCE | ACTIONS, "role/absent"),
    ("TagInstanceProfile", PROFILE | TAGS, "instance-profile/absent"),
    ("TagPolicy", ARN | TAGS, "policy/team/own"),
    ("TagRole", ROLE | TAGS, "role/absent"),
    ("TagUser", USER | TAGS, "user/absent"),
    ("UntagInstanceProfile", PROFILE | TAG_KEYS, "instance-profile/absent"),
    ("UntagPolicy", ARN | TAG_KEYS, "policy/team/own"),
    ("UntagRole", ROLE | TAG_KEYS, "role/absent"),
    ("UntagUser", USER | TAG_KEYS, "user/absent"),
    ("UpdateAccessKey", USER | KEY | {"Status": "Active"}, "user/absent"),
    ("UpdateAssumeRolePolicy", ROLE | TEXT, "role/absent"),
    ("UpdateRole", ROLE, "role/absent"),
    ("UpdateRoleDescription", ROLE | {"Description": "d"}, "role/absent"),
]


@pytest.fixture(scope="module")
def stranger(server: Server) -> Any:
    """A user who may do nothing in IAM."""
    return server.client("iam", user_policy=NOTHING)


@pytest.mark.parametrize("operation, parameters, resource", CASES, ids=[case[0] for case in CASES])
def test_a_stranger_is_told_the_action_and_the_resource_and_no_more(
    server: Server, stranger: Any, operation: str, parameters: dict[str, Any], resource: str
) -> None:
    method = getattr(stranger, _snake(operation))
    status, code, sentence = refusal_with_status(lambda: method(**parameters))
    arn = resource if resource == "*" else f"arn:aws:iam::{server.account}:{resource}"
    assert (status, code) == (403, "AccessDenied")
    assert sentence.endswith(
        f"is not authorized to perform: iam:{operation} on resource: {arn}"
        f" because no identity-based policy allows the iam:{operation} action"
    )


def test_every_operation_stands_in_the_table() -> None:
    from passrole.api import table

    supported = {name for service, name in table.operations() if service == "iam"}
    assert supported == {_snake(operation) for operation, _, _ in CASES}


def test_a_thing_that_exists_is_authorised_under_its_path(
    server: Server, iam: Any, fresh: Callable[[str], str], trust: str
) -> None:
    statement = {
        "Effect": "Allow",
        "Action": "iam:GetRole",
        "Resource": f"arn:aws:iam::{server.account}:role/service-role/*",
    }
    own = server.client("iam", user_policy={"Version": "2012-10-17", "Statement": [statement]})
    inside, outside = fresh("r"), fresh("r")
    iam.create_role(RoleName=inside, Path="/service-role/", AssumeRolePolicyDocument=trust)
    iam.create_role(RoleName=outside, AssumeRolePolicyDocument=trust)
    assert own.get_role(RoleName=inside)["Role"]["RoleName"] == inside
    assert refusal_with_status(lambda: own.get_role(RoleName=outside))[1] == "AccessDenied"


def _snake(operation: str) -> str:
    from botocore import xform_name

    return str(xform_name(operation))
