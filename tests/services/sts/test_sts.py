"""GetCallerIdentity and AssumeRole: shape, refusals, effect."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from tests.conftest import Server
from tests.policies import allowing
from tests.refusals import refusal_with_status

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
PIPELINES = "arn:aws:iam::aws:policy/AmazonSageMakerPipelinesIntegrations"
DENY_ALL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}],
}


class Roles:
    """Makes roles that the account trusts, and assumes them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.iam = server.client("iam")
        self.sts = server.client("sts")

    def make(
        self,
        *policies: Mapping[str, Any] | str,
        principal: Mapping[str, str] | None = None,
        condition: Mapping[str, Any] | None = None,
        seconds_max: int = 3600,
        actions: tuple[str, ...] = ("sts:AssumeRole",),
    ) -> str:
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Principal": principal or {"AWS": f"arn:aws:iam::{self.server.account}:root"},
            "Action": list(actions),
            "Condition": condition or {},
        }
        arn: str = self.server.role(policies)
        name = arn.rpartition("/")[2]
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.iam.update_assume_role_policy(RoleName=name, PolicyDocument=document)
        self.iam.update_role(RoleName=name, MaxSessionDuration=seconds_max)
        return arn

    def assume(self, arn: str, sts: Any = None, **given: Any) -> Any:
        return (sts or self.sts).assume_role(RoleArn=arn, **{"RoleSessionName": "work", **given})

    def client(self, service: str, arn: str, **given: Any) -> Any:
        return self.client_with(service, self.assume(arn, **given)["Credentials"])

    def client_with(self, service: str, given: Mapping[str, str]) -> Any:
        return self.server.client_with(
            service, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
        )


@pytest.fixture
def roles(server: Server) -> Roles:
    """Roles of this server."""
    return Roles(server)


def test_a_user_is_told_who_it_is_even_against_a_deny(server: Server) -> None:
    access = server.user(DENY_ALL)
    sts = server.client_with("sts", access["access_key_id"], access["secret_access_key"])
    told = sts.get_caller_identity()
    assert told["Account"] == server.account
    assert told["Arn"] == f"arn:aws:iam::{server.account}:user/{access['user']}"
    assert told["UserId"].startswith("AIDA")


def test_a_session_is_told_who_it_is(roles: Roles) -> None:
    arn = roles.make()
    given = roles.assume(arn)
    told = roles.client_with("sts", given["Credentials"]).get_caller_identity()
    name = arn.rpartition("/")[2]
    assert told["Arn"] == f"arn:aws:sts::{roles.server.account}:assumed-role/{name}/work"
    assert given["AssumedRoleUser"] == {"Arn": told["Arn"], "AssumedRoleId": told["UserId"]}
    assert told["UserId"].startswith("AROA")
    assert told["UserId"].endswith(":work")


@pytest.mark.parametrize("given, seconds", [({}, 3600), ({"DurationSeconds": 900}, 900)])
def test_credentials_last_an_hour_or_as_long_as_asked(
    roles: Roles, given: dict[str, int], seconds: int
) -> None:
    credentials = roles.assume(roles.make(), **given)["Credentials"]
    assert credentials["AccessKeyId"].startswith("ASIA")
    left = (credentials["Expiration"] - datetime.now(UTC)).total_seconds()
    assert seconds - 60 < left <= seconds


def test_a_role_that_is_not_there_is_a_denial(roles: Roles) -> None:
    server = roles.server
    arn = f"arn:aws:iam::{server.account}:role/absent"
    user = f"arn:aws:iam::{server.account}:user/{server.access['user']}"
    assert refusal_with_status(lambda: roles.assume(arn)) == (
        403,
        "AccessDenied",
        f"User: {user} is not authorized to perform: sts:AssumeRole on resource: {arn}",
    )


def test_a_role_is_named_by_its_arn(roles: Roles) -> None:
    text = "AmazonSageMaker-ExecutionRole"
    assert refusal_with_status(lambda: roles.assume(text)) == (400, "ValidationError", f"{text} is invalid")


def test_a_role_that_trusts_only_a_service_refuses_even_the_administrator(roles: Roles) -> None:
    arn = roles.make(principal={"Service": "sagemaker.amazonaws.com"})
    status, code, sentence = refusal_with_status(lambda: roles.assume(arn))
    assert (status, code) == (403, "AccessDenied")
    assert f"is not authorized to perform: sts:AssumeRole on resource: {arn}" in sentence


def test_trust_in_the_account_needs_the_users_own_permission_too(roles: Roles) -> None:
    arn = roles.make()
    without = roles.server.client("sts", user_policy=allowing("sqs:SendMessage"))
    with_it = roles.server.client("sts", user_policy=allowing("sts:AssumeRole"))
    assert refusal_with_status(lambda: roles.assume(arn, without))[1] == "AccessDenied"
    roles.assume(arn, with_it)


def test_the_external_id_is_a_condition_of_trust(roles: Roles) -> None:
    arn = roles.make(condition={"StringEquals": {"sts:ExternalId": "secret-word"}})
    assert refusal_with_status(lambda: roles.assume(arn))[1] == "AccessDenied"
    assert refusal_with_status(lambda: roles.assume(arn, ExternalId="other-word"))[1] == "AccessDenied"
    roles.assume(arn, ExternalId="secret-word")


def test_the_sessions_name_is_a_condition_of_trust(roles: Roles) -> None:
    arn = roles.make(condition={"StringLike": {"sts:RoleSessionName": "ci-*"}})
    assert refusal_with_status(lambda: roles.assume(arn))[1] == "AccessDenied"
    roles.assume(arn, RoleSessionName="ci-42")


@pytest.mark.parametrize("name", ["a b", "a/b", "a:b"])
def test_a_sessions_name_has_aws_letters_only(roles: Roles, name: str) -> None:
    arn = roles.make()
    assert refusal_with_status(lambda: roles.assume(arn, RoleSessionName=name))[:2] == (
        400,
        "ValidationError",
    )


def test_the_roles_maximum_holds(roles: Roles) -> None:
    arn = roles.make(seconds_max=7200)
    roles.assume(arn, DurationSeconds=7200)
    assert refusal_with_status(lambda: roles.assume(arn, DurationSeconds=7201)) == (
        400,
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    )
    assert refusal_with_status(lambda: roles.assume(arn, DurationSeconds=43201))[1] == "ValidationError"


def test_a_chained_role_lasts_an_hour_at_most(roles: Roles) -> None:
    first, second = roles.make(ADMINISTRATOR), roles.make(seconds_max=7200)
    session = roles.client("sts", first)
    assert refusal_with_status(lambda: roles.assume(second, session, DurationSeconds=3601)) == (
        400,
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
    )
    chained = roles.assume(second, session, DurationSeconds=3600)
    told = roles.client_with("sts", chained["Credentials"]).get_caller_identity()
    assert f"assumed-role/{second.rpartition('/')[2]}/work" in told["Arn"]


def test_a_session_may_what_its_role_may_as_the_role_is_now(roles: Roles) -> None:
    arn = roles.make(allowing("iam:ListUsers"))
    session = roles.client("iam", arn)
    session.list_users()
    roles.iam.put_role_policy(
        RoleName=arn.rpartition("/")[2], PolicyName="p0", PolicyDocument=json.dumps(allowing("iam:ListRoles"))
    )
    session.list_roles()
    assert refusal_with_status(session.list_users)[1] == "AccessDenied"


def test_a_session_policy_narrows(roles: Roles) -> None:
    arn = roles.make(allowing("iam:ListUsers", "iam:ListRoles"))
    given = roles.assume(arn, Policy=json.dumps(allowing("iam:ListUsers", "iam:ListPolicies")))
    assert 0 <= given["PackedPolicySize"] <= 100
    session = roles.client_with("iam", given["Credentials"])
    session.list_users()
    assert "because no session policy allows" in refusal_with_status(session.list_roles)[2]
    assert "because no identity-based policy allows" in refusal_with_status(session.list_policies)[2]


def test_session_policies_can_be_managed_ones(roles: Roles) -> None:
    arn = roles.make(ADMINISTRATOR)
    session = roles.client("iam", arn, PolicyArns=[{"arn": PIPELINES}])
    assert "because no session policy allows" in refusal_with_status(session.list_users)[2]


@pytest.mark.parametrize(
    "given, code",
    [
        ({"Policy": "{"}, "MalformedPolicyDocument"),
        (
            {"Policy": json.dumps(allowing("sqs:*")).replace('"Effect"', '"Effect": "Deny", "Effect"')},
            "MalformedPolicyDocument",
        ),
        (
            {"Policy": json.dumps(allowing("sqs:*")).replace('"*"', '"arn:aws:sqs"')},
            "MalformedPolicyDocument",
        ),
        ({"Policy": json.dumps(allowing("sqs:" + "x" * 2048))}, "PackedPolicyTooLarge"),
        ({"PolicyArns": [{"arn": f"{PIPELINES}{n}"} for n in range(11)]}, "PackedPolicyTooLarge"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/Nothing"}]}, "ValidationError"),
        ({"SerialNumber": "arn:aws:iam::111122223333:mfa/ann", "TokenCode": "123456"}, "ValidationError"),
        ({"TransitiveTagKeys": ["team"]}, "ValidationError"),
    ],
)
def test_what_cannot_be_honoured_is_refused(roles: Roles, given: dict[str, Any], code: str) -> None:
    arn = roles.make()
    assert refusal_with_status(lambda: roles.assume(arn, **given))[:2] == (400, code)


def test_session_tags_count_as_the_callers(roles: Roles) -> None:
    statement = {
        **allowing("iam:ListUsers")["Statement"][0],
        "Condition": {"StringEquals": {"aws:PrincipalTag/team": "ml"}},
    }
    arn = roles.make(
        {"Version": "2012-10-17", "Statement": [statement]}, actions=("sts:AssumeRole", "sts:TagSession")
    )
    assert refusal_with_status(roles.client("iam", arn).list_users)[1] == "AccessDenied"
    roles.client("iam", arn, Tags=[{"Key": "team", "Value": "ml"}]).list_users()


def test_tags_need_the_permission_to_tag(roles: Roles) -> None:
    arn = roles.make()
    own = roles.server.client("sts", user_policy=allowing("sts:AssumeRole"))
    tagged = partial(roles.assume, arn, own, Tags=[{"Key": "team", "Value": "ml"}])
    assert f"sts:TagSession on resource: {arn}" in refusal_with_status(tagged)[2]


ASSUMING = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")


def denying(action: str) -> dict[str, Any]:
    statement = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": action}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.parametrize(
    "action, given",
    [
        ("sts:TagSession", {"Tags": [{"Key": "team", "Value": "ml"}]}),
        ("sts:SetSourceIdentity", {"SourceIdentity": "ann"}),
    ],
)
def test_a_trust_policy_decides_about_tags_and_identity_too(
    roles: Roles, action: str, given: dict[str, Any]
) -> None:
    trusting, silent, denied = roles.make(actions=ASSUMING), roles.make(), roles.make(actions=ASSUMING)
    name = denied.rpartition("/")[2]
    trust = roles.iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"] += denying(action)["Statement"]
    roles.iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    roles.assume(trusting, **given)
    assert f"{action} on resource: {silent}" in refusal_with_status(partial(roles.assume, silent, **given))[2]
    explicit = refusal_with_status(partial(roles.assume, denied, **given))[2]
    assert f"{action} on resource: {denied} with an explicit deny" in explicit


def test_what_is_transitive_goes_on_through_a_chain(roles: Roles) -> None:
    first, second = roles.make(ADMINISTRATOR), roles.make(ADMINISTRATOR)
    for arn in (first, second):
        trust = {"Effect": "Allow", "Principal": {"AWS": roles.server.account}, "Action": list(ASSUMING)}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        roles.iam.update_assume_role_policy(RoleName=arn.rpartition("/")[2], PolicyDocument=document)
    tags = [{"Key": "team", "Value": "ml"}, {"Key": "task", "Value": "t"}]
    given = roles.assume(first, Tags=tags, TransitiveTagKeys=["team"], SourceIdentity="ann")
    assert given["SourceIdentity"] == "ann"
    between = roles.client_with("sts", given["Credentials"])
    again = roles.assume(second, between)
    assert again["SourceIdentity"] == "ann"
    narrowed = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "iam:ListUsers",
                "Resource": "*",
                "Condition": {
                    "StringEquals": {"aws:PrincipalTag/team": "ml", "aws:SourceIdentity": "ann"},
                    "Null": {"aws:PrincipalTag/task": "true"},
                },
            }
        ],
    }
    chained = roles.assume(second, between, Policy=json.dumps(narrowed))
    roles.client_with("iam", chained["Credentials"]).list_users()
    assert (
        refusal_with_status(partial(roles.assume, second, between, SourceIdentity="bob"))[1] == "AccessDenied"
    )
    other = [{"Key": "Team", "Value": "other"}]
    assert refusal_with_status(partial(roles.assume, second, between, Tags=other))[1] == "ValidationError"


def test_a_chain_needs_the_permissions_for_what_it_hands_on(roles: Roles) -> None:
    first, second = roles.make(ADMINISTRATOR, actions=ASSUMING), roles.make()
    tagged = roles.assume(first, Tags=[{"Key": "team", "Value": "ml"}], TransitiveTagKeys=["team"])
    between = roles.client_with("sts", tagged["Credentials"])
    assert (
        f"sts:TagSession on resource: {second}"
        in refusal_with_status(partial(roles.assume, second, between))[2]
    )


def test_a_session_of_a_role_that_was_made_anew_is_unknown(roles: Roles) -> None:
    arn = roles.make(allowing("iam:ListUsers"))
    name, session = arn.rpartition("/")[2], roles.client("iam", arn)
    session.list_users()
    trust = json.dumps(roles.iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"])
    roles.iam.delete_role_policy(RoleName=name, PolicyName="p0")
    roles.iam.delete_role(RoleName=name)
    roles.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    roles.iam.put_role_policy(
        RoleName=name, PolicyName="p0", PolicyDocument=json.dumps(allowing("iam:ListUsers"))
    )
    unknown = (403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    assert refusal_with_status(session.list_users) == unknown
    roles.client("iam", arn).list_users()


@pytest.mark.parametrize("change", ["token", "no token", "key"])
def test_credentials_that_were_tampered_with_are_unknown(roles: Roles, change: str) -> None:
    given = dict(roles.assume(roles.make())["Credentials"])
    if change == "token":
        given["SessionToken"] = given["SessionToken"][:-8] + "AAAAAAAA"
    elif change == "no token":
        given["SessionToken"] = ""
    else:
        given["AccessKeyId"] = "ASIA" + "A" * 16
    assert (
        refusal_with_status(roles.client_with("sts", given).get_caller_identity)[1] == "InvalidClientTokenId"
    )
