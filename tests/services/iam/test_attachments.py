"""Attached policies of roles and users: shape, refusals, effect. Both kinds pass the same tests."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

Fresh = Callable[[str], str]
Refused = Callable[[Callable[[], Any]], tuple[int, str, str]]
PIPELINES = "arn:aws:iam::aws:policy/AmazonSageMakerPipelinesIntegrations"
LAMBDA = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


class Holder(NamedTuple):
    """One kind's operations, its name given."""

    noun: str
    attach: Callable[[str], Any]
    detach: Callable[[str], Any]
    listed: Callable[..., Any]


@pytest.fixture(params=["role", "user"])
def holder(request: pytest.FixtureRequest, iam: Any) -> Holder:
    """A new role, then a new user."""
    noun = request.param
    name = {f"{noun.title()}Name": request.getfixturevalue(noun)}
    return Holder(
        noun,
        lambda arn: getattr(iam, f"attach_{noun}_policy")(**name, PolicyArn=arn),
        lambda arn: getattr(iam, f"detach_{noun}_policy")(**name, PolicyArn=arn),
        lambda **given: getattr(iam, f"list_attached_{noun}_policies")(**name, **given),
    )


def test_attached_policies_are_listed_by_name_and_path(holder: Holder) -> None:
    holder.attach(LAMBDA)
    holder.attach(PIPELINES)
    pipelines = {"PolicyName": "AmazonSageMakerPipelinesIntegrations", "PolicyArn": PIPELINES}
    basic = {"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": LAMBDA}
    assert holder.listed()["AttachedPolicies"] == [basic, pipelines]
    assert holder.listed(PathPrefix="/service-role/")["AttachedPolicies"] == [basic]


def test_to_attach_twice_changes_nothing(holder: Holder) -> None:
    holder.attach(PIPELINES)
    holder.attach(PIPELINES)
    assert len(holder.listed()["AttachedPolicies"]) == 1


@pytest.mark.parametrize(
    "arn",
    ["arn:aws:iam::aws:policy/Nothing", "arn:aws:iam::999999999999:policy/own", "not-an-arn-but-long-enough"],
)
def test_a_policy_that_is_not_there_cannot_be_attached(holder: Holder, refusal: Refused, arn: str) -> None:
    sentence = f"Policy {arn} does not exist or is not attachable."
    assert refusal(lambda: holder.attach(arn)) == (404, "NoSuchEntity", sentence)


def test_only_what_is_attached_can_be_detached(holder: Holder, refusal: Refused) -> None:
    holder.attach(LAMBDA)
    assert refusal(lambda: holder.detach(PIPELINES)) == (
        404,
        "NoSuchEntity",
        f"Policy {PIPELINES} was not found.",
    )
    holder.detach(LAMBDA)
    assert holder.listed()["AttachedPolicies"] == []


def test_ten_policies_are_attached_at_most(
    holder: Holder, iam: Any, fresh: Fresh, refusal: Refused, document: Callable[..., str]
) -> None:
    made = [
        iam.create_policy(PolicyName=fresh("p"), PolicyDocument=document("sqs:*"))["Policy"]["Arn"]
        for _ in range(11)
    ]
    for arn in made[:10]:
        holder.attach(arn)
    assert refusal(lambda: holder.attach(made[10])) == (
        409,
        "LimitExceeded",
        f"Cannot exceed quota for PoliciesPer{holder.noun.title()}: 10",
    )


def test_a_policy_counts_while_it_is_attached(
    server: Any, iam: Any, user: str, policy: str, refusal: Refused
) -> None:
    key = iam.create_access_key(UserName=user)["AccessKey"]
    own = server.client_with("iam", key["AccessKeyId"], key["SecretAccessKey"])
    iam.attach_user_policy(UserName=user, PolicyArn=policy)
    own.list_users()
    iam.detach_user_policy(UserName=user, PolicyArn=policy)
    assert refusal(own.list_users)[1] == "AccessDenied"


def test_who_may_attach_can_be_limited_to_one_policy(server: Any, role: str, refusal: Refused) -> None:
    statement = {
        "Effect": "Allow",
        "Action": "iam:AttachRolePolicy",
        "Resource": "*",
        "Condition": {"ArnEquals": {"iam:PolicyARN": PIPELINES}},
    }
    own = server.client("iam", user_policy={"Version": "2012-10-17", "Statement": [statement]})
    own.attach_role_policy(RoleName=role, PolicyArn=PIPELINES)
    assert refusal(lambda: own.attach_role_policy(RoleName=role, PolicyArn=LAMBDA))[1] == "AccessDenied"
