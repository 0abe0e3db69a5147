"""Near misses, as a person reads them."""

from typing import Any

import pytest

from passrole.policy import PolicySet, near_misses, parse_document
from passrole.policy.managed import PIPELINES_INTEGRATIONS, policies
from passrole.policy.near_misses import Distance, rank_near_misses, smallest_statement

A = "111122223333"
V3 = PolicySet(
    identity=((PIPELINES_INTEGRATIONS, parse_document(policies()[PIPELINES_INTEGRATIONS].default.document)),)
)
OF = "of AmazonSageMakerPipelinesIntegrations allows"
NAMES = "names containing `sagemaker`, `sageMaker` or `SageMaker`"

TOLD = [
    (
        ("sqs:SendMessage", f"arn:aws:sqs:us-east-1:{A}:approvals"),
        f"statement 2 {OF} sqs:SendMessage, but only on {NAMES}; this queue is `approvals`",
    ),
    (
        ("sqs:SendMessage", f"arn:aws:sqs:us-east-1:{A}:Sagemaker-q"),
        f"statement 2 {OF} sqs:SendMessage, but only on {NAMES}; this queue is `Sagemaker-q`, "
        "which differs only in letter case",
    ),
    (
        ("lambda:InvokeFunction", f"arn:aws:lambda:us-east-1:{A}:function:etl"),
        f"statement 1 {OF} lambda:InvokeFunction, but only on {NAMES}; this function is `etl`",
    ),
    (
        ("sqs:SendMessage", f"arn:aws-cn:sqs:cn-north-1:{A}:a-sagemaker"),
        f"statement 2 {OF} sqs:SendMessage, but only on `arn:aws:sqs:*:*:*sagemaker*`, "
        "`arn:aws:sqs:*:*:*sageMaker*` or `arn:aws:sqs:*:*:*SageMaker*`; "
        f"this is `arn:aws-cn:sqs:cn-north-1:{A}:a-sagemaker`, whose partition differs",
    ),
    (
        ("iam:PassRole", f"arn:aws:iam::{A}:instance-profile/x"),
        f"statement 3 {OF} iam:PassRole, but only on `arn:aws:iam::*:role/*`; this instance profile is `x`",
    ),
    (
        ("iam:PassRole", f"arn:aws:iam::{A}:role/x", {"iam:PassedToService": "sagemaker.amazonaws.com"}),
        f"statement 3 {OF} iam:PassRole on this role, but only where iam:PassedToService is "
        "`lambda.amazonaws.com`, `elasticmapreduce.amazonaws.com` or `ec2.amazonaws.com`; "
        "here it is `sagemaker.amazonaws.com`",
    ),
    (
        ("iam:PassRole", f"arn:aws:iam::{A}:role/x"),
        f"statement 3 {OF} iam:PassRole on this role, but only where iam:PassedToService is "
        "`lambda.amazonaws.com`, `elasticmapreduce.amazonaws.com` or `ec2.amazonaws.com`; here it is absent",
    ),
    (
        ("elasticmapreduce:RunJobFlow", "*"),
        f"statement 5 {OF} elasticmapreduce:RunJobFlow, but only on "
        "`arn:aws:elasticmapreduce:*:*:cluster/*`; this is `*`",
    ),
    (
        ("events:DeleteRule", f"arn:aws:events:us-east-1:{A}:rule/r"),
        f"statement 4 {OF} `events:DescribeRule`, `events:PutRule` and `events:PutTargets`, "
        "but not events:DeleteRule",
    ),
]


@pytest.mark.parametrize(("asked", "message"), TOLD)
def test_the_nearest_miss_says_what_is_missing(asked: tuple[Any, ...], message: str, ask: Any) -> None:
    assert near_misses(ask(*asked), V3) == (message,)


def test_of_a_stranger_service_nothing_is_near(ask: Any) -> None:
    assert near_misses(ask("s3:GetObject", "arn:aws:s3:::b/k"), V3) == ()


def test_what_is_allowed_has_no_near_miss(ask: Any) -> None:
    assert near_misses(ask(resource=f"arn:aws:sqs:us-east-1:{A}:a-sagemaker"), V3) == ()


def test_the_nearest_comes_first_and_only_a_few_are_told(ask: Any, compiled: Any) -> None:
    policy = compiled(
        {"Action": "sqs:DeleteQueue"},
        {"Resource": f"arn:aws:sqs:eu-west-1:{A}:approvals"},
        {"Resource": f"arn:aws:sqs:us-east-1:{A}:orders*"},
        {"Resource": f"arn:aws:sqs:us-east-1:{A}:Approvals"},
        {"Condition": {"Null": {"aws:SourceVpce": "false"}}},
    )
    asked, applied = ask(), PolicySet(identity=(("p", policy),))
    assert [miss.distance for miss in rank_near_misses(asked, applied)] == [
        Distance.CONDITION, Distance.LETTER_CASE, Distance.NAME, Distance.RESOURCE, Distance.ACTION,
    ]  # fmt: skip
    assert near_misses(asked, applied, most=2) == (
        "statement 5 of p allows sqs:SendMessage on this queue, but only where aws:SourceVpce is present",
        "statement 4 of p allows sqs:SendMessage, but only on the name `Approvals`; "
        "this queue is `approvals`, which differs only in letter case",
    )


def test_an_explicit_deny_is_told_with_its_statement(ask: Any, compiled: Any) -> None:
    guard = compiled(
        {}, {"Sid": "Guard", "Effect": "Deny", "Condition": {"Null": {"aws:SourceVpce": "true"}}}
    )
    assert near_misses(ask(), PolicySet(identity=((f"arn:aws:iam::{A}:policy/x", guard),))) == (
        "statement 2 (`Guard`) of x denies sqs:SendMessage under its condition on `aws:SourceVpce`",
    )


def test_the_layer_that_refused_is_the_one_that_is_told(ask: Any, compiled: Any) -> None:
    named = compiled({"Principal": {"AWS": "444455556666"}}, kind="resource")
    elsewhere = PolicySet(identity=(("p", compiled({})),), resource=named)
    caller = f"arn:aws:sts::{A}:assumed-role/PipeExec/SageMaker"
    assert near_misses(ask(account="444455556666"), elsewhere) == (
        f"statement 1 of resource-based policy allows sqs:SendMessage on this queue, but not to `{caller}`",
    )
    limited = PolicySet(identity=(("p", compiled({})),), boundary=("b", compiled({"Action": "sqs:Get*"})))
    assert near_misses(ask(), limited) == ("statement 1 of b allows `sqs:Get*`, but not sqs:SendMessage",)


def test_the_smallest_statement_allows_exactly_the_request(ask: Any, compiled: Any) -> None:
    request = ask()
    enough = PolicySet(identity=(("p", compiled(smallest_statement(request))),))
    assert near_misses(request, enough) == ()
    assert near_misses(ask("sqs:DeleteQueue"), enough) != ()


def test_the_smallest_statement_passes_a_role_to_its_service_alone(ask: Any, compiled: Any) -> None:
    to_lambda = ask(
        "iam:PassRole", "arn:aws:iam::1:role/${x}", {"iam:PassedToService": "lambda.amazonaws.com"}
    )
    enough = PolicySet(identity=(("p", compiled(smallest_statement(to_lambda))),))
    assert near_misses(to_lambda, enough) == ()
    to_ec2 = ask("iam:PassRole", "arn:aws:iam::1:role/${x}", {"iam:PassedToService": "ec2.amazonaws.com"})
    assert near_misses(to_ec2, enough) != ()
