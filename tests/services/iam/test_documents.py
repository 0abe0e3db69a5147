"""Every door of IAM and STS that a policy document comes through refuses what AWS refuses."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.conftest import Server
from tests.refusals import refusal_with_status

from passrole.api import authorise
from passrole.services.iam import policy_sources

Doors = Mapping[str, Callable[[str], Any]]

STATEMENT = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
TRUSTED = {
    "Effect": "Allow",
    "Principal": {"Service": "sagemaker.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"
NO_JSON = "This policy contains invalid Json"
SID = (
    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression"
    " [0-9A-Za-z]*"
)


def document(version: str | None = "2012-10-17", **changes: Any) -> str:
    return json.dumps({**({"Version": version} if version else {}), "Statement": [{**STATEMENT, **changes}]})


def trust(**changes: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{**TRUSTED, **changes}]})


def twice(text: str) -> str:
    return text.replace('"Effect": "Allow"', '"Effect": "Deny", "Effect": "Allow"')


@pytest.fixture
def doors(server: Server, iam: Any, user: str, role: str, fresh: Callable[[str], str]) -> Doors:
    """What takes a policy of a user or role, by operation; each is a fresh call with the document."""
    arn = iam.create_policy(PolicyName=fresh("policy"), PolicyDocument=document())["Policy"]["Arn"]
    role_arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    asked = {"ActionNames": ["sqs:SendMessage"]}
    return {
        "CreatePolicy": lambda text: iam.create_policy(PolicyName=fresh("policy"), PolicyDocument=text),
        "CreatePolicyVersion": lambda text: iam.create_policy_version(PolicyArn=arn, PolicyDocument=text),
        "PutUserPolicy": lambda text: iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=text),
        "PutRolePolicy": lambda text: iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=text),
        "SimulateCustomPolicy": lambda text: iam.simulate_custom_policy(PolicyInputList=[text], **asked),
        "SimulatePrincipalPolicy": lambda text: iam.simulate_principal_policy(
            PolicySourceArn=role_arn, PolicyInputList=[text], **asked
        ),
        "CreateRole": lambda text: iam.create_role(RoleName=fresh("role"), AssumeRolePolicyDocument=text),
        "UpdateAssumeRolePolicy": lambda text: iam.update_assume_role_policy(
            RoleName=role, PolicyDocument=text
        ),
    }


IDENTITY = ("CreatePolicy", "CreatePolicyVersion", "PutUserPolicy", "PutRolePolicy")
SIMULATED = ("SimulateCustomPolicy", "SimulatePrincipalPolicy")
TRUST_DOORS = ("CreateRole", "UpdateAssumeRolePolicy")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (twice(document()), SYNTAX),
        (document(Sid="a-b"), SID),
        (document(Resource="arn:aws:s3::b"), LEGACY),
        (document(Condition={"DateLessThan": {"aws:CurrentTime": "soon"}}), LEGACY),
        (
            document(Resource="arn:aws-cn:s3:::b"),
            'Partition "aws-cn" is not valid for resource "arn:aws-cn:s3:::b".',
        ),
        (document(Condition={"StringEquals": {"aws:RequestTag/a*": "x"}}), SYNTAX),
    ],
)
def test_a_policy_of_a_user_or_role_is_refused_at_every_door(doors: Doors, text: str, sentence: str) -> None:
    for door in IDENTITY:
        assert refusal_with_status(lambda: doors[door](text)) == (400, "MalformedPolicyDocument", sentence)  # noqa: B023
    for door in SIMULATED:
        code, words = refusal_with_status(lambda: doors[door](text))[1:]  # noqa: B023
        assert (code, words.endswith(sentence)) == ("InvalidInput", True)


def test_a_managed_policy_is_of_the_newer_version(doors: Doors) -> None:
    for version in (None, "2008-10-17"):
        text = document(version)
        for door in IDENTITY[:2]:
            words = refusal_with_status(lambda: doors[door](text))[2]  # noqa: B023
            assert words == "Policy document must be version 2012-10-17 or greater."
        doors["PutUserPolicy"](text)
        doors["PutRolePolicy"](text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (twice(trust()), NO_JSON),
        (trust(Sid="a b"), SID),
        (trust().replace("Principal", "NotPrincipal"), "Allow with NotPrincipal is not allowed."),
        (
            trust(Effect="Deny").replace("Principal", "NotPrincipal"),
            "Has prohibited field NotPrincipal",
        ),
    ],
)
def test_a_trust_policy_is_refused_at_both_doors(doors: Doors, text: str, sentence: str) -> None:
    for door in TRUST_DOORS:
        assert refusal_with_status(lambda: doors[door](text)) == (400, "MalformedPolicyDocument", sentence)  # noqa: B023


def test_what_aws_accepts_comes_in_at_every_door(doors: Doors) -> None:
    good = document(Resource=["arn:aws:sqs", "arn:aws:s3:::b"], Action=["sqs:New", "new-service:Action"])
    for door in (*IDENTITY, *SIMULATED):
        doors[door](good)
    for door in TRUST_DOORS:
        doors[door](trust(Sid="Abc1"))


def test_what_was_stored_under_earlier_rules_still_counts() -> None:
    by_exception = trust().replace("Principal", "NotPrincipal")
    assert len(authorise._compiled((by_exception,), "trust").statements) == 1
    kept = policy_sources._stored("old", twice(document(Condition={"StringEquals": {"aws:username": "ann"}})))
    assert (len(kept.policy.statements), kept.keys) == (1, [["aws:username"]])
