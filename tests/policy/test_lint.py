"""What `lint` finds: AWS's refusals by statement, and warnings about documents that AWS takes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.api import table
from passrole.policy.lint import known_actions, lint
from passrole.policy.managed import policies

ROLE = "arn:aws:iam::123456789012:role/x"


def document(*statements: dict[str, Any], version: str | None = "2012-10-17") -> str:
    listed = [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*", **each} for each in statements]
    return json.dumps({**({"Version": version} if version else {}), "Statement": listed})


def found(text: str, **options: Any) -> list[tuple[str, int | None, str]]:
    return [(each.level, each.statement, each.message) for each in lint(text, **options)]


@pytest.mark.parametrize(
    "text, statement, message",
    [
        ("{", None, "Syntax errors in policy. (line 1, column 2: "),
        ("[]", None, "Syntax errors in policy. (the document is not a JSON object)"),
        ("{}", None, "Syntax errors in policy."),
        (document({}, {"Action": "nonsense"}), 1, "Actions/Conditions must be prefaced by a vendor"),
        (document({"Resource": "queue"}), 0, 'Resource queue must be in ARN format or "*".'),
        (document({"Sid": "A"}, {"Sid": "A"}), None, "Statement IDs (SID) in a single policy must be unique"),
        (document({}, version="2020-01-01"), None, "Syntax errors in policy."),
    ],
)
def test_what_aws_refuses_is_told_in_its_words_and_of_its_statement(
    text: str, statement: int | None, message: str
) -> None:
    ((level, where, words),) = found(text)
    assert (level, where) == ("error", statement)
    assert words.startswith(message)


def test_every_statement_that_is_refused_is_told_and_no_warning_beside() -> None:
    text = document({"Action": "x"}, {"Action": "sqs:Nonsense"}, {"Resource": "y"})
    assert [(level, where) for level, where, _ in found(text)] == [("error", 0), ("error", 2)]


def test_a_trust_policy_is_judged_as_one() -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}
    good = json.dumps({"Version": "2012-10-17", "Statement": [{**trust, "Action": "sts:AssumeRole"}]})
    assert (found(good, kind="trust"), found(good)[0][0]) == ([], "error")


DENY = {"Effect": "Deny", "Action": "sqs:*"}


@pytest.mark.parametrize(
    "statement, warnings",
    [
        ({}, []),
        ({"Action": "*"}, ["it allows iam:PassRole of every role"]),
        ({"Action": "iam:*", "Resource": "arn:aws:iam::*:role/*"}, ["it allows iam:PassRole of every role"]),
        ({"Action": "iam:passrole", "Resource": ["arn:aws:iam::*:*"]}, ["it allows iam:PassRole of every"]),
        ({"Action": ["iam:PassRole", "sqs:*"], "Resource": [ROLE, "arn:aws:sqs:*:*:*"]}, []),
        (
            {
                "Action": "iam:PassRole",
                "Condition": {"StringEquals": {"IAM:passedToService": "x"}},
            },
            [],
        ),
        ({**DENY, "Action": "iam:PassRole"}, []),
        ({"Resource": None, "NotResource": "arn:aws:sqs:*:*:a"}, ["an Allow with NotResource allows every"]),
        ({"Action": None, "NotAction": "iam:*"}, ["an Allow with NotAction allows every action"]),
        ({**DENY, "Resource": None, "NotResource": "arn:aws:sqs:*:*:a"}, []),
        (
            {"Action": "sqs:SendMesage"},
            ["there is no action `sqs:SendMesage`; did you mean `sqs:SendMessage"],
        ),
        ({"Action": "lambda:Invoke"}, ["there is no action `lambda:Invoke`; did you mean `lambda:Invoke"]),
        ({"Action": "sqs:Zzz"}, ["there is no action `sqs:Zzz`"]),
        ({"Action": ["SQS:sendmessage", "lambda:Invoke*", "s3:GetObjec?", "ec2:Nonsense"]}, []),
        ({"Action": "sqs:Xyz*"}, ["there is no action `sqs:Xyz*`"]),
        (
            {"Resource": "arn:aws:sqs:*:*:*Sagemaker*"},
            ["`Sagemaker` in `arn:aws:sqs:*:*:*Sagemaker*` matches"],
        ),
        ({"Resource": [f"arn:aws:sqs:*:*:*{each}*" for each in ("sagemaker", "sageMaker", "SageMaker")]}, []),
        (
            {**DENY, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}},
            ["the Deny does not hold for requests without `aws:MultiFactorAuthPresent`; where "],
        ),
        ({**DENY, "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}, []),
        ({**DENY, "Condition": {"StringNotEquals": {"aws:ResourceTag/team": "a"}}}, []),
        ({**DENY, "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}}, []),
        (
            {**DENY, "Condition": {"ForAnyValue:StringNotEquals": {"aws:TagKeys": "a"}}},
            ["the Deny does not hold for requests without `aws:TagKeys`"],
        ),
        ({**DENY, "Condition": {"Null": {"aws:TagKeys": "true"}}}, []),
        ({**DENY, "Condition": {"ArnLike": {"aws:PrincipalArn": ROLE}}}, []),
        (
            {**DENY, "Action": "iam:PassRole", "Condition": {"StringEquals": {"iam:PassedToService": "x"}}},
            [],
        ),
        ({"Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}, []),
    ],
)
def test_what_is_suspicious_is_told_with_its_statement(
    statement: dict[str, Any], warnings: list[str]
) -> None:
    elements = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*", **statement}
    kept = {name: value for name, value in elements.items() if value is not None}
    text = json.dumps({"Version": "2012-10-17", "Statement": [{**DENY, "Resource": "*"}, kept]})
    told = found(text)
    assert [(level, where) for level, where, _ in told] == [("warning", 1)] * len(warnings)
    for (_, _, message), expected in zip(told, warnings, strict=True):
        assert message.startswith(expected)


def test_a_variable_needs_the_newer_version() -> None:
    mine = {"Resource": "arn:aws:sqs:*:*:${aws:username}"}
    assert [message[:35] for _, _, message in found(document(mine, version=None))] == [
        'without "Version": "2012-10-17" a p'
    ]
    assert found(document(mine)) == []


def test_aws_own_policies_have_no_error_and_only_actions_that_exist() -> None:
    for policy in policies().values():
        for version in policy.versions:
            told = found(json.dumps(version.document))
            assert not [each for each in told if each[0] == "error" or "there is no action" in each[2]]


def test_every_action_that_is_asked_for_here_exists() -> None:
    asked = {operation.action for operation in table.operations().values() if operation.action}
    listed = {f"{service}:{name}" for service, names in known_actions().items() for name in names}
    assert asked - listed == set()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.sampled_from(["Allow", "Deny", "*", "sqs:*"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["Statement", "Effect", "Action", "Resource", "Condition", "Bool", "Sid"]),
                inner,
                max_size=5,
            )
        ),
        max_leaves=15,
    )
)
def test_no_document_crashes(value: Any) -> None:
    lint(json.dumps(value))
    lint(json.dumps({"Version": "2012-10-17", "Statement": value}))
