"""Keys of one name in several letter cases: no way of reading them lifts a Deny or grants alone."""

from collections.abc import Mapping
from typing import Any

import pytest

from passrole.policy import PolicySet, parse_document
from passrole.policy.ambiguous_tags import COMBINATIONS_MAX, decide
from passrole.policy.request import Principal, Request

A = "111122223333"
QUEUE = f"arn:aws:sqs:us-east-1:{A}:q"
USER = Principal("user", f"arn:aws:iam::{A}:user/ann", A, "AIDAX", "ann")


def statement(effect: str, operator: str, key: str, value: str) -> dict[str, Any]:
    condition = {operator: {key: value}}
    return {"Effect": effect, "Action": "sqs:*", "Resource": "*", "Condition": condition}


def decision(context: Mapping[str, str], *statements: Mapping[str, Any]) -> tuple[bool, bool]:
    policy = parse_document({"Version": "2012-10-17", "Statement": list(statements)})
    decided = decide(
        Request(USER, "sqs:DeleteQueue", QUEUE, A, context), PolicySet(identity=(("p", policy),))
    )
    return decided.allowed, decided.explicit


EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
PROTECTED = statement("Deny", "StringEquals", "aws:ResourceTag/prot", "yes")
NOT_MINE = statement("Deny", "StringNotEquals", "aws:ResourceTag/prot", "no")
MINE = statement("Allow", "StringEquals", "aws:ResourceTag/PROT", "no")
BY_NAME = {
    "Effect": "Allow",
    "Action": "*",
    "Resource": f"arn:aws:sqs:us-east-1:{A}:${{aws:ResourceTag/Prot}}",
}
ONE_EACH = {"aws:ResourceTag/prot": "no", "aws:ResourceTag/other": "yes"}
YES_NO = {"aws:ResourceTag/prot": "yes", "aws:ResourceTag/PROT": "no"}
NO_YES = {"aws:ResourceTag/prot": "no", "aws:ResourceTag/PROT": "yes"}


@pytest.mark.parametrize(
    "statements, context, expected",
    [
        ([EVERYTHING, PROTECTED], ONE_EACH, (True, False)),
        ([EVERYTHING, PROTECTED], YES_NO, (False, True)),
        ([EVERYTHING, PROTECTED], NO_YES, (False, True)),
        ([EVERYTHING, NOT_MINE], YES_NO, (False, True)),
        ([EVERYTHING, NOT_MINE], NO_YES, (False, True)),
        ([MINE], ONE_EACH, (True, False)),
        ([MINE], YES_NO, (False, False)),
        ([MINE], NO_YES, (False, False)),
        ([BY_NAME], {"aws:ResourceTag/prot": "q", "aws:ResourceTag/PROT": "x"}, (False, False)),
        ([BY_NAME], {"aws:ResourceTag/prot": "x", "aws:ResourceTag/PROT": "q"}, (False, False)),
        # A key that is not asked for may be spelled in any number of ways.
        ([EVERYTHING], YES_NO, (True, False)),
    ],
)
def test_a_deny_counts_under_any_reading_and_an_allow_under_all(
    statements: list[dict[str, Any]], context: Mapping[str, str], expected: tuple[bool, bool]
) -> None:
    assert decision(context, *statements) == expected
    assert decision(dict(reversed(list(context.items()))), *statements) == expected


def pairs(count: int) -> dict[str, str]:
    spelled = (f"aws:ResourceTag/{letter}{n}" for n in range(count) for letter in "tT")
    return dict.fromkeys(spelled, "v")


def test_more_readings_than_can_be_looked_at_grant_nothing_where_the_keys_are_asked_for() -> None:
    many = pairs(25)  # as many as a resource can have; two to the 25th ways
    asking = [statement("Deny", "StringEquals", f"aws:ResourceTag/t{n}", "x") for n in range(25)]
    assert decision(many, EVERYTHING) == (True, False)
    assert decision(many, EVERYTHING, *asking[:6]) == (True, False)
    assert COMBINATIONS_MAX == 2**6
    assert decision(many, EVERYTHING, *asking) == (False, False)
