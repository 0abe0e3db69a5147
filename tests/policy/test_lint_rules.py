"""Each rule of `lint`: what it tells of a statement, and where it keeps silent."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.policy.lint import lint
from passrole.policy.lint.pattern_overlap import overlap
from passrole.policy.matching import glob
from passrole.policy.variables import read

A = "123456789012"
ROLE = f"arn:aws:iam::{A}:role/x"


def told(*statements: dict[str, Any], kind: Any = "identity", version: str = "2012-10-17") -> list[str]:
    filled = [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"} | each for each in statements]
    kept = [{name: value for name, value in each.items() if value is not None} for each in filled]
    found = lint(json.dumps({"Version": version, "Statement": kept}), kind)
    assert all(each.level == "warning" for each in found), found
    return [each.message for each in found]


def when(operator: str, key: str, values: Any, **more: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: values}}, **more}


RULES = [
    # wrong values
    (when("NumericLessThan", "s3:max-keys", "many"), ["`many` is no number, as `NumericLessThan` wants it"]),
    (when("NumericEquals", "s3:max-keys", ["1", 2, "3.5"]), []),
    (when("NumericEquals", "s3:max-keys", "${aws:username}"), ["`${aws:username}` is no number, as"]),
    (when("Bool", "aws:SecureTransport", "yes"), ["`yes` is no `true` or `false`, as `Bool` wants it"]),
    (when("BoolIfExists", "aws:SecureTransport", [True, "FALSE", "${aws:PrincipalTag/tls}"]), []),
    (when("IpAddress", "aws:SourceIp", "10.0.0.0/33"), ["`10.0.0.0/33` is no address or range (CIDR)"]),
    (when("NotIpAddress", "aws:SourceIp", ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]), []),
    (when("ArnLike", "aws:SourceArn", "myqueue"), ["`myqueue` is no whole ARN, as `ArnLike` wants it"]),
    (when("ArnEquals", "aws:SourceArn", ["arn:aws:sqs:*:*:q", "arn:aws:sqs:*", "*"]), []),
    (when("ArnEquals", "aws:SourceArn", "arn:aws:sqs:us-east-1"), ["`arn:aws:sqs:us-east-1` is no whole AR"]),
    (when("Null", "aws:TokenIssueTime", "maybe"), ["`maybe` is no `true` or `false`, as `Null` wants it"]),
    (when("Null", "aws:TokenIssueTime", [True]), []),
    (when("BinaryEquals", "k:b", "%"), ["`%` is no text in base64"]),
    (when("StringEquals", "k:b", []), ["`StringEquals` of `k:b` has an empty list of values"]),
    # wrong operators
    (when("StringEquals", "aws:SourceIp", "10.0.0.1"), ["`StringEquals` compares `aws:SourceIp` as it is"]),
    (when("StringLike", "aws:CurrentTime", "2026*"), ["`StringLike` compares `aws:CurrentTime` as it is"]),
    (when("NumericLessThan", "aws:EpochTime", "1767225600"), []),
    (when("StringEquals", "s3:prefix", "home/*"), ["the `*` under `StringEquals` of `s3:prefix` is a lette"]),
    (when("StringLike", "s3:prefix", "home/*"), []),
    (when("StringEquals", "s3:prefix", "${*}"), []),
    # keys
    (when("StringEquals", "aws:SourceIpp", "x"), ["there is no global condition key `aws:SourceIpp`; did y"]),
    (when("StringEquals", "aws:Nonsense", "x"), ["there is no global condition key `aws:Nonsense`"]),
    (when("StringEquals", "aws:PrincipalTag/Any Key", "x"), []),
    (when("StringEquals", "aws:ResourceTag", "x"), ["`aws:ResourceTag` lacks the key of a tag, as in"]),
    (when("StringEquals", "mine:Nonsense", "x"), []),
    (
        {"Condition": {"StringEquals": {"s3:prefix": "a", "S3:Prefix": "b"}}},
        ["`s3:prefix` occurs in several letter cases under `stringequals`"],
    ),
    # set operators
    (
        when("ForAllValues:StringEquals", "aws:TagKeys", "a"),
        ["`ForAllValues:StringEquals` holds for requests without `aws:TagKeys`, which the Allow lets"],
    ),
    (
        {"Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": "a"}, "Null": {"AWS:TagKeys": "false"}}},
        [],
    ),
    (
        {"Condition": {"ForAllValues:StringLike": {"k:a": "a"}, "ForAnyValue:StringLike": {"k:a": "*"}}},
        [],
    ),
    (when("ForAllValues:StringEquals", "aws:TagKeys", "a", Effect="Deny"), []),
    (when("ForAnyValue:StringEquals", "aws:RequestedRegion", "a"), ["`aws:RequestedRegion` has one value,"]),
    (when("StringEquals", "aws:TagKeys", "a"), ["`aws:TagKeys` is multivalued; use ForAnyValue or"]),
    # actions and services
    ({"Action": "sqss:SendMessage"}, ["there is no service with the prefix `sqss` of `sqss:SendMessage`; d"]),
    ({"Action": ["ec2:RunInstances", "S3:GetObject", "*"], "Effect": "Deny"}, []),
    ({"Action": None, "NotAction": "zzzzz:*", "Effect": "Deny"}, ["there is no service with the prefix `zz"]),
    # actions and resources that never meet
    (
        {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b"},
        ["no resource of the statement is one for `s3:GetObject`", "no action of the statement is one for"],
    ),
    ({"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b/*"}, ["no resource of", "no action of"]),
    ({"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]}, []),
    (
        {"Action": ["sqs:SendMessage", "lambda:InvokeFunction"], "Resource": f"arn:aws:sqs:us-east-1:{A}:q"},
        ["no resource of the statement is one for `lambda:InvokeFunction`"],
    ),
    (
        {"Action": "sqs:*", "Resource": [f"arn:aws:sqs:*:{A}:q", f"arn:aws:sns:*:{A}:q"]},
        [f"no action of the statement is one for `arn:aws:sns:*:{A}:q`, so it does nothing; remove it"],
    ),
    (
        {"Action": "s3:ListAllMyBuckets", "Resource": "arn:aws:s3:::b"},
        ["no resource of the statement is one for `s3:ListAllMyBuckets`", "no action of the statement"],
    ),
    ({"Action": ["ec2:RunInstances", "sqs:SendMessage"], "Resource": f"arn:aws:sqs:*:{A}:q"}, []),
    ({"Action": "elasticmapreduce:RunJobFlow", "Resource": "arn:aws:elasticmapreduce:*:*:cluster/*"}, []),
    ({"Action": "sqs:Send*", "Resource": "arn:aws:sqs:*:*:${aws:username}-q"}, []),
    # resources
    ({"Resource": "arn:aws:sqs"}, ["`arn:aws:sqs` lacks 3 of an ARN's six parts, which AWS fills with wild"]),
    (
        {"Resource": ["arn:aws:sqs:*:*:a", "arn:aws-cn:sqs:*:*:a"]},
        ["it has ARNs of `aws` and `aws-cn`; an account is in one partition"],
    ),
    # variables
    ({"Resource": "arn:aws:sqs:*:*:${aws:username"}, ["`${` in `arn:aws:sqs:*:*:${aws:username` has no clo"]),
    ({"Resource": "arn:aws:sqs:*:*:${}"}, ["`${}` in `arn:aws:sqs:*:*:${}` names no key"]),
    (when("StringEquals", "k:a", "${aws:username, x}"), ["`${aws:username, x}` in `${aws:username, x}` has"]),
    (when("StringEquals", "k:a", "${aws user}"), ["`${aws user}` in `${aws user}` is no condition key"]),
    (when("StringEquals", "k:a", "${aws:TagKeys}"), ["`${aws:TagKeys}` in `${aws:TagKeys}` has many values"]),
    (when("StringEquals", "k:a", ["${aws:username, 'x'}", "${*}", "${$}", "$5"]), []),
    (
        {"Resource": "arn:aws:sqs:*:${aws:PrincipalAccount}:q"},
        ["`arn:aws:sqs:*:${aws:PrincipalAccount}:q` has a variable before the fifth colon"],
    ),
]  # fmt: skip


@pytest.mark.parametrize("statement, messages", RULES, ids=lambda part: json.dumps(part)[:60])
def test_a_rule_tells_what_is_wrong_and_nothing_else_does(
    statement: dict[str, Any], messages: list[str]
) -> None:
    found = told(statement)
    assert len(found) == len(messages), found
    for message, expected in zip(found, messages, strict=True):
        assert message.startswith(expected)


TRUSTED = {"Action": "sts:AssumeRole", "Resource": None}
ANYBODY = "anybody in any account may assume the role"


@pytest.mark.parametrize(
    "principal, condition, messages",
    [
        ("*", None, [ANYBODY]),
        ({"AWS": ["*", A]}, None, [ANYBODY]),
        ({"AWS": "*"}, {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, [ANYBODY]),
        ({"AWS": "*"}, {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, []),
        ({"AWS": A}, None, []),
        ({"Service": "sagemaker.amazonaws.com"}, None, []),
    ],
)
def test_a_trust_policy_names_somebody(principal: Any, condition: Any, messages: list[str]) -> None:
    found = told({**TRUSTED, "Principal": principal, "Condition": condition}, kind="trust")
    assert [each[: len(ANYBODY)] for each in found] == messages
    assert told({**TRUSTED, "Effect": "Deny", "Principal": "*"}, kind="trust") == []


def test_not_principal_has_a_better_way() -> None:
    (message,) = told({"Effect": "Deny", "Principal": None, "NotPrincipal": {"AWS": A}}, kind="resource")
    assert message.startswith("NotPrincipal denies everybody who has a permissions boundary")


PASS_ANY = {"Action": "iam:PassRole", "Condition": {"StringEquals": {"iam:PassedToService": "x"}}}


@pytest.mark.parametrize(
    "statements, at, words",
    [
        (
            [{"Action": "iam:PutRolePolicy"}],
            0,
            "with iam:PutRolePolicy on all resources its holder can write any policy",
        ),
        ([{"Action": "iam:create*version"}], 0, "with iam:CreatePolicyVersion"),
        (
            [{"Action": "iam:PutUserPolicy", "Resource": f"arn:aws:iam::{A}:user/${{aws:username}}"}],
            0,
            "with iam:PutUserPolicy",
        ),
        (
            [PASS_ANY, {"Action": "lambda:*"}],
            0,
            "with iam:PassRole of every role and lambda:CreateFunction and",
        ),
        (
            [{}, PASS_ANY, {"Action": ["sagemaker:CreatePipeline", "sagemaker:StartPipelineExecution"]}],
            1,
            "with iam:PassRole of every role and sagemaker:CreatePipeline and sagemaker:StartPipelineE",
        ),
        (
            [PASS_ANY, {"Action": "ec2:Run*"}],
            0,
            "with iam:PassRole of every role and ec2:RunInstances its holder",
        ),
    ],
)
def test_known_ways_to_all_permissions_are_told(
    statements: list[dict[str, Any]], at: int, words: str
) -> None:
    whole = {"Effect": "Allow", "Resource": "*", "Action": "sqs:*"}
    document = {"Version": "2012-10-17", "Statement": [whole | each for each in statements]}
    found = [each for each in lint(json.dumps(document)) if f"privilege escalation: {words}" in each.message]
    assert {(each.level, each.statement) for each in found} == {("warning", at)}


@pytest.mark.parametrize(
    "statements",
    [
        [{"Action": "iam:PutRolePolicy", "Resource": ROLE}],
        [{"Action": "iam:PutRolePolicy"}, {"Effect": "Deny", "Action": "iam:Put*"}],
        [when("StringEquals", "iam:PermissionsBoundary", "arn:aws:iam::1:b", Action="iam:PutRolePolicy")],
        [{"Action": "iam:CreateAccessKey", "Resource": f"arn:aws:iam::{A}:user/${{aws:username}}"}],
        [{**PASS_ANY, "Resource": ROLE}, {"Action": ["lambda:CreateFunction", "lambda:InvokeFunction"]}],
        [PASS_ANY, {"Action": "lambda:CreateFunction"}],
        [{"Action": "*"}],
        [{"Action": ["lambda:CreateFunction", "lambda:InvokeFunction"]}],
    ],
)  # fmt: skip
def test_what_gives_no_more_is_not_told(statements: list[dict[str, Any]]) -> None:
    assert not [each for each in told(*statements) if "privilege escalation" in each]


def test_a_key_that_is_there_twice_is_told_with_its_place() -> None:
    text = '{"Statement": [{"Effect": "Deny \\" {",\n "Resource": ["{", "a:b"],\n "Effect": "Allow"}]}'
    (finding,) = lint(text)
    assert (finding.level, finding.statement) == ("error", None)
    assert finding.message.startswith(
        "Syntax errors in policy. (line 3, column 2: the key `Effect` occurs twice"
    )


@pytest.mark.parametrize(
    "kind, change, message",
    [
        ("managed", {"Version": "2008-10-17"}, "Policy document must be version 2012-10-17 or greater."),
        ("session", {}, "The policy failed legacy parsing"),
    ],
)
def test_stricter_kinds_are_judged_as_such(kind: Any, change: dict[str, Any], message: str) -> None:
    statement = {"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement], **change})
    assert [(each.level, each.message) for each in lint(text, kind)] == [("error", message)]


PIECES = st.lists(st.sampled_from(("a", "b", "*", "?")), max_size=5).map("".join)
LETTERS = st.lists(st.sampled_from("ab"), max_size=6).map("".join)


@given(PIECES, PIECES, LETTERS)
def test_patterns_with_a_text_in_common_overlap(one: str, other: str, text: str) -> None:
    both = all(glob(read(pattern, variables=False))(text) for pattern in (one, other))
    assert not both or overlap(f"arn:aws:x:::{one}", f"arn:aws:x:::{other}")


@pytest.mark.parametrize(
    "resource, shape",
    [("a", "b"), ("a*", "b*"), ("*a", "*b"), ("role/x", "user/*"), ("b", "*/*"), ("a?", "a"), ("", "?")],
)
def test_patterns_without_a_text_in_common_do_not_overlap(resource: str, shape: str) -> None:
    assert not overlap(f"arn:aws:x:::{resource}", f"arn:aws:x:::{shape}")
