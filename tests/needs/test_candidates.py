"""A name that is known only in part: allowed if every name is, denied if none is, else maybe."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passrole.needs import Answer, Need, evaluate_needs, execution_role_session
from passrole.policy import PolicySet, evaluate, parse_document
from passrole.policy.request import Request

ROLE = "arn:aws:iam::111122223333:role/x"
JOBS = "arn:aws:sagemaker:us-east-1:111122223333:training-job/"
ACTION = "sagemaker:CreateTrainingJob"


def statement(resource: str, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": ACTION, "Resource": resource, **more}


def asked(name: str, *statements: Mapping[str, Any], boundary: Any = None, **context: Any) -> Answer:
    document = {"Version": "2012-10-17", "Statement": [*statements]}
    limit = ("b", parse_document({"Version": "2012-10-17", "Statement": [boundary]})) if boundary else None
    policies = PolicySet((("p", parse_document(document)),), boundary=limit)
    need = Need("S", ACTION, JOBS + name, "", context, is_pattern="*" in name)
    (answer,) = evaluate_needs([need], execution_role_session(ROLE), policies)
    return answer


@pytest.mark.parametrize(
    "resource, verdict",
    [
        ("*", "allowed"),
        (f"{JOBS}*", "allowed"),
        (f"{JOBS}pipelines-*", "allowed"),
        (f"{JOBS}p*-*", "allowed"),
        (f"{JOBS}pipelines-?*", "allowed"),  # no name ends there
        (f"{JOBS}pipelines-*-*", "maybe"),
        (f"{JOBS}pipelines-??", "maybe"),
        (f"{JOBS}*-Train-*", "maybe"),
        (f"{JOBS}pipelines-abc", "maybe"),
        (f"{JOBS}*z", "maybe"),
        (f"{JOBS}pipelines", "denied"),
        (f"{JOBS}training-*", "denied"),
        ("arn:aws:sagemaker:*:*:training-job/pipelines-*", "allowed"),
        ("arn:aws:sagemaker:eu-*:*:training-job/pipelines-*", "denied"),
        ("arn:aws:sagemaker:*:*:*-job/*", "allowed"),
        (f"{JOBS}${{aws:PrincipalAccount}}-*", "denied"),
        (f"{JOBS}pipelines-${{aws:PrincipalAccount}}-*", "maybe"),
    ],
)
def test_an_allow_is_for_all_of_the_names_for_some_or_for_none(resource: str, verdict: str) -> None:
    assert asked("pipelines-*", statement(resource)).verdict == verdict


@pytest.mark.parametrize(
    "denied, verdict",
    [
        ("*", "denied"),
        (f"{JOBS}pipelines-*", "denied"),
        (f"{JOBS}*-secret-*", "maybe"),
        (f"{JOBS}pipelines-abc", "maybe"),
        (f"{JOBS}training-*", "allowed"),
    ],
)
def test_a_deny_of_a_part_leaves_it_open(denied: str, verdict: str) -> None:
    answer = asked("pipelines-*", statement("*"), statement(denied, "Deny"))
    assert answer.verdict == verdict
    if verdict != "allowed":
        assert "statement 2 of p denies" in answer.near_misses[0]
        assert answer.grant is None


def test_not_resource_is_looked_at_too() -> None:
    spared = {"Effect": "Allow", "Action": ACTION, "NotResource": f"{JOBS}pipelines-a*"}
    assert asked("pipelines-*", spared).verdict == "maybe"
    assert asked("churn-*", spared).verdict == "allowed"
    only = {"Effect": "Deny", "Action": ACTION, "NotResource": f"{JOBS}pipelines-*"}
    assert asked("pipelines-*", statement("*"), only).verdict == "allowed"
    assert asked("*", statement("*"), only).verdict == "maybe"


def test_a_boundary_for_a_part_leaves_it_open() -> None:
    limit = statement(f"{JOBS}pipelines-a*")
    assert asked("pipelines-*", statement("*"), boundary=limit).verdict == "maybe"
    assert asked("pipelines-*", statement("*"), boundary=statement("*")).verdict == "allowed"


@pytest.mark.parametrize(
    "condition, verdict",
    [
        ({"StringEquals": {"sagemaker:OutputKmsKey": "k"}}, "maybe"),
        ({"StringLike": {"sagemaker:OutputKmsKey": "?*"}}, "allowed"),
        ({"StringNotEquals": {"sagemaker:OutputKmsKey": "k"}}, "maybe"),
        ({"Null": {"sagemaker:OutputKmsKey": "false"}}, "allowed"),
        ({"StringEquals": {"sagemaker:VolumeKmsKey": "k"}}, "denied"),
    ],
)
def test_a_value_that_only_an_execution_knows_may_be_what_a_condition_asks(
    condition: dict[str, Any], verdict: str
) -> None:
    key = {"sagemaker:OutputKmsKey": "*"}
    assert asked("pipelines-*", statement("*", Condition=condition), **key).verdict == verdict


@pytest.mark.parametrize(
    "value, condition, verdict",
    [
        ("in/*", {"StringLike": {"s3:prefix": "out/*"}}, "denied"),  # the part that is known fits nothing
        ("in/*", {"StringLike": {"s3:prefix": "in/*"}}, "allowed"),
        ("in/*", {"StringEquals": {"s3:prefix": "in/a"}}, "maybe"),
        ("*", {"NumericLessThan": {"s3:prefix": "60"}}, "maybe"),
        ("*", {"Bool": {"s3:prefix": "true"}}, "maybe"),
        (("a", "*"), {"ForAllValues:StringEquals": {"s3:prefix": ["a", "b"]}}, "maybe"),
        (("c", "*"), {"ForAllValues:StringEquals": {"s3:prefix": ["a", "b"]}}, "denied"),
        (("a", "*"), {"ForAnyValue:StringEquals": {"s3:prefix": "a"}}, "allowed"),
    ],
)
def test_of_a_value_the_known_part_counts(value: Any, condition: dict[str, Any], verdict: str) -> None:
    context = {"s3:prefix": value}
    assert asked("a", statement("*", Condition=condition), **context).verdict == verdict


def test_what_is_no_pattern_is_asked_as_it_stands() -> None:
    assert asked("a", statement(f"{JOBS}a")).verdict == "allowed"
    assert asked("a", statement(f"{JOBS}b")).verdict == "denied"


NAMES = st.text("ab-*", min_size=1, max_size=6)
PATTERNS = st.text("ab-*?", max_size=6)


@settings(max_examples=300, deadline=None)
@given(
    name=NAMES.filter(lambda name: "*" in name),
    allows=st.lists(PATTERNS, min_size=1, max_size=2),
    denies=st.lists(PATTERNS, max_size=2),
    fills=st.lists(st.text("abx", min_size=1, max_size=4), min_size=6, max_size=6),
)
def test_no_name_contradicts_the_verdict(
    name: str, allows: list[str], denies: list[str], fills: list[str]
) -> None:
    statements = [statement(JOBS + each) for each in allows]
    statements += [statement(JOBS + each, "Deny") for each in denies]
    answer = asked(name, *statements)
    for fill in fills:
        policies = PolicySet((("p", parse_document({"Version": "2012-10-17", "Statement": statements})),))
        request = Request(
            execution_role_session(ROLE), ACTION, JOBS + name.replace("*", fill), "111122223333"
        )
        allowed = evaluate(request, policies).allowed
        assert answer.verdict in ("maybe", "allowed" if allowed else "denied"), (fill, allowed)
