"""Attached policies of roles and users: shape, refusals, effect. Both kinds pass the same tests."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from tests.conftest import Server
from tests.refusals import refusal_with_status

Fresh = Callable[[str], str]
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
    ["arn:aws:iam::aws:policy/Nothing", "arn:aws:iam::999999999999:policy/own"],
)
def test_a_policy_that_is_not_there_cannot_be_attached(holder: Holder, arn: str) -> None:
    sentence = f"Policy {arn} does not exist or is not attachable."
    assert refusal_with_status(lambda: holder.attach(arn)) == (404, "NoSuchEntity", sentence)


UNPARSED = "Invalid ARN:  Could not be parsed!"
MALFORMED = [
    ("not-an-arn-but-long-enough", UNPARSED),
    ("arn:aws-cn:iam::aws:policy/AdministratorAccess", "Invalid ARN partition"),
    ("arn:aws:s3::aws:policy/AdministratorAccess", "ARN {} is not valid."),
    ("arn:aws:iam:us-east-1:aws:policy/AdministratorAccess", "ARN {} is not valid."),
    ("arn:aws:iam::111122223333:role/no-policy", "ARN {} is not valid."),
]


@pytest.mark.parametrize("arn, sentence", MALFORMED, ids=[arn for arn, _ in MALFORMED])
def test_a_malformed_arn_is_a_validation_error_wherever_a_policy_is_named(
    iam: Any, holder: Holder, role: str, arn: str, sentence: str
) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: holder.attach(arn),
        lambda: holder.detach(arn),
        lambda: iam.get_policy(PolicyArn=arn),
        lambda: iam.list_policy_versions(PolicyArn=arn),
        lambda: iam.delete_policy(PolicyArn=arn),
        lambda: iam.list_entities_for_policy(PolicyArn=arn),
        lambda: iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=arn),
    ]
    for call in calls:
        assert refusal_with_status(call) == (400, "ValidationError", sentence.format(arn))


PUBLISHED = [
    ("AmazonSageMakerFullAccess", "/"),
    ("AmazonSageMakerPipelinesIntegrations", "/"),
    ("AmazonElasticMapReduceRole", "/service-role/"),
    ("AmazonElasticMapReduceforEC2Role", "/service-role/"),
    ("AmazonEMRServicePolicy_v2", "/service-role/"),
    ("AWSLambdaRole", "/service-role/"),
    ("AWSLambdaVPCAccessExecutionRole", "/service-role/"),
    ("AWSGlueServiceRole", "/service-role/"),
    ("AmazonECSTaskExecutionRolePolicy", "/service-role/"),
    ("ComprehendDataAccessRolePolicy", "/service-role/"),
    ("ReadOnlyAccess", "/"),
]


@pytest.mark.parametrize("name, path", PUBLISHED, ids=[name for name, _ in PUBLISHED])
def test_what_aws_publishes_can_be_attached_and_read(iam: Any, holder: Holder, name: str, path: str) -> None:
    arn = f"arn:aws:iam::aws:policy{path}{name}"
    holder.attach(arn)
    assert {"PolicyName": name, "PolicyArn": arn} in holder.listed()["AttachedPolicies"]
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    assert policy["Path"] == path
    version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    assert version["IsDefaultVersion"] and version["Document"]["Statement"]
    holder.detach(arn)


def test_only_what_is_attached_can_be_detached(holder: Holder) -> None:
    holder.attach(LAMBDA)
    assert refusal_with_status(lambda: holder.detach(PIPELINES)) == (
        404,
        "NoSuchEntity",
        f"Policy {PIPELINES} was not found.",
    )
    holder.detach(LAMBDA)
    assert holder.listed()["AttachedPolicies"] == []


def test_ten_policies_are_attached_at_most(
    holder: Holder, iam: Any, fresh: Fresh, document: Callable[..., str]
) -> None:
    made = [
        iam.create_policy(PolicyName=fresh("p"), PolicyDocument=document("sqs:*"))["Policy"]["Arn"]
        for _ in range(11)
    ]
    for arn in made[:10]:
        holder.attach(arn)
    assert refusal_with_status(lambda: holder.attach(made[10])) == (
        409,
        "LimitExceeded",
        f"Cannot exceed quota for PoliciesPer{holder.noun.title()}: 10",
    )


def test_a_policy_counts_while_it_is_attached(server: Server, iam: Any, user: str, policy: str) -> None:
    key = iam.create_access_key(UserName=user)["AccessKey"]
    own = server.client_with("iam", key["AccessKeyId"], key["SecretAccessKey"])
    iam.attach_user_policy(UserName=user, PolicyArn=policy)
    own.list_users()
    iam.detach_user_policy(UserName=user, PolicyArn=policy)
    assert refusal_with_status(own.list_users)[1] == "AccessDenied"


def test_who_may_attach_can_be_limited_to_one_policy(server: Server, role: str) -> None:
    statement = {
        "Effect": "Allow",
        "Action": "iam:AttachRolePolicy",
        "Resource": "*",
        "Condition": {"ArnEquals": {"iam:PolicyARN": PIPELINES}},
    }
    own = server.client("iam", user_policy={"Version": "2012-10-17", "Statement": [statement]})
    own.attach_role_policy(RoleName=role, PolicyArn=PIPELINES)
    assert (
        refusal_with_status(lambda: own.attach_role_policy(RoleName=role, PolicyArn=LAMBDA))[1]
        == "AccessDenied"
    )
