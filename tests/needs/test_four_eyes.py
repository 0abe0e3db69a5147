"""One principal that may start a pipeline and approve what it asks is warned of, and no other."""

import json
from typing import Any

import pytest

from passrole.needs import Place, execution_role_session, read_definition, starts_and_approves
from passrole.policy import parse_document
from passrole.policy.evaluate import PolicySet

PLACE = Place("us-west-2", "123456789012")
WHO = execution_role_session("arn:aws:iam::123456789012:role/Both")
START, ANSWER, APPROVE = (
    "sagemaker:StartPipelineExecution",
    "sagemaker:SendPipelineExecutionStepSuccess",
    "sagemaker:UpdateModelPackage",
)
ASK: Any = {
    "Name": "Ask",
    "Type": "Callback",
    "SqsQueueUrl": "https://sqs.x.y/123456789012/q",
    "Arguments": {},
}
REGISTER: Any = {"Name": "Register", "Type": "RegisterModel", "Arguments": {"ModelPackageGroupName": "g"}}
APPROVED: Any = {**REGISTER, "Arguments": {"ModelPackageGroupName": "g", "ModelApprovalStatus": "Approved"}}
BRANCH: Any = {
    "Name": "If",
    "Type": "Condition",
    "Arguments": {"Conditions": [], "IfSteps": [ASK], "ElseSteps": []},
}


def allow(*actions: str, resource: str = "*", **members: Any) -> Any:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **members}


def deny(*actions: str) -> Any:
    return {"Effect": "Deny", "Action": list(actions), "Resource": "*"}


MINE = "arn:aws:sagemaker:us-west-2:123456789012:pipeline/mine"
ONLY_REJECT = {"StringEquals": {"sagemaker:ModelApprovalStatus": "Rejected"}}


@pytest.mark.parametrize(
    ("step", "statements", "steps"),
    [
        (ASK, [allow("sagemaker:*")], ["Ask"]),
        (ASK, [allow(START, ANSWER)], ["Ask"]),
        (ASK, [allow(START)], []),
        (ASK, [allow(ANSWER)], []),
        (ASK, [allow(START, APPROVE)], []),
        (ASK, [allow("*"), deny(ANSWER)], []),
        (ASK, [allow("*"), deny(START)], []),
        (ASK, [allow(START, resource=MINE), allow(ANSWER, resource=f"{MINE}/execution/*")], ["Ask"]),
        (ASK, [allow(START, resource=MINE), allow(ANSWER, resource=f"{MINE}x/execution/*")], []),
        (BRANCH, [allow(START, ANSWER)], ["Ask"]),
        (REGISTER, [allow(START, APPROVE)], ["Register"]),
        (REGISTER, [allow(START, ANSWER)], []),
        (REGISTER, [allow(START), allow(APPROVE, Condition=ONLY_REJECT)], []),
        (APPROVED, [allow(START, APPROVE)], []),
    ],
)
def test_who_may_do_both_is_warned_of(step: Any, statements: list[Any], steps: list[str]) -> None:
    document = {"Version": "2012-10-17", "Statement": statements}
    own = PolicySet(identity=(("own", parse_document(document)),))
    definition = read_definition(json.dumps({"Steps": [step]}), {})
    found = starts_and_approves(definition, "mine", "the role", WHO, own, place=PLACE, keys={})
    assert [each.step for each in found] == steps
    assert all(each.code == "PR210" and "may both start" in each.message for each in found)
