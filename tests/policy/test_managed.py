"""The managed policies that come with passrole."""

import pytest

from passrole.policy import PolicySet, Principal, Request, evaluate, parse_document
from passrole.policy.managed import (
    ADMINISTRATOR_ACCESS,
    LAMBDA_BASIC_EXECUTION,
    LAMBDA_SQS_EXECUTION,
    PIPELINES_INTEGRATIONS,
    ManagedPolicy,
    policies,
)


def test_the_pipelines_policy_has_its_three_versions_with_their_dates() -> None:
    policy = policies()[PIPELINES_INTEGRATIONS]
    assert [(version.id, version.created) for version in policy.versions] == [
        ("v1", 1627662910.0),  # 2021-07-30T16:35:10Z
        ("v2", 1650479946.0),  # 2022-04-20T18:39:06Z
        ("v3", 1676669299.0),  # 2023-02-17T21:28:19Z
    ]
    assert policy.default.id == "v3"


@pytest.mark.parametrize(
    ("arn", "name", "path"),
    [
        (PIPELINES_INTEGRATIONS, "AmazonSageMakerPipelinesIntegrations", "/"),
        (ADMINISTRATOR_ACCESS, "AdministratorAccess", "/"),
        (LAMBDA_BASIC_EXECUTION, "AWSLambdaBasicExecutionRole", "/service-role/"),
        (LAMBDA_SQS_EXECUTION, "AWSLambdaSQSQueueExecutionRole", "/service-role/"),
    ],
)
def test_a_managed_policy_has_the_name_and_path_of_its_arn(arn: str, name: str, path: str) -> None:
    policy = policies()[arn]
    assert (policy.arn, policy.name, policy.path) == (arn, name, path)


@pytest.mark.parametrize("policy", policies().values(), ids=lambda policy: policy.name)
def test_every_version_has_a_date_and_the_newest_is_last(policy: ManagedPolicy) -> None:
    created = [version.created for version in policy.versions]
    assert created == sorted(created) and created[0] > 0
    assert policy.default is policy.versions[-1]


@pytest.mark.parametrize("policy", policies().values(), ids=lambda policy: policy.name)
def test_every_version_is_a_policy_document(policy: ManagedPolicy) -> None:
    for version in policy.versions:
        assert parse_document(version.document).statements


def test_a_function_with_the_sqs_role_may_empty_a_queue_and_not_fill_it() -> None:
    document = parse_document(policies()[LAMBDA_SQS_EXECUTION].default.document)
    caller = Principal("user", "arn:aws:iam::111122223333:user/ann", "111122223333", "AIDAANN", "ann")
    queue = "arn:aws:sqs:us-east-1:111122223333:approvals"

    def allows(action: str) -> bool:
        request = Request(caller, action, queue, "111122223333", {})
        return evaluate(request, PolicySet(identity=(("sqs", document),))).allowed

    asked = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage")
    assert [allows(action) for action in asked] == [True, True, True, False]
