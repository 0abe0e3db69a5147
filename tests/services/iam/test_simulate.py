"""SimulateCustomPolicy, SimulatePrincipalPolicy, GetContextKeysFor...Policy: shape, refusals, effect."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests.conftest import Server
from tests.refusals import refusal_with_status

QUEUE = "arn:aws:sqs:us-east-1:111122223333:jobs"
OTHER = "arn:aws:sqs:us-east-1:111122223333:other"
FOREIGN = "arn:aws:sqs:us-east-1:444455556666:jobs"
ANN = "arn:aws:iam::111122223333:user/ann"
SEND = "sqs:SendMessage"


def policy_of(*statements: dict[str, Any], indent: int | None = None) -> str:
    filled = [{"Effect": "Allow", "Action": SEND, "Resource": "*"} | one for one in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": filled}, indent=indent)


def simulated(iam: Any, *texts: str, **given: Any) -> Any:
    asked = {"ActionNames": [SEND], **given}
    return iam.simulate_custom_policy(PolicyInputList=list(texts), **asked)["EvaluationResults"]


def test_a_result_tells_the_statement_and_where_it_stands(iam: Any) -> None:
    assert simulated(iam, policy_of({}, indent=2)) == [
        {
            "EvalActionName": SEND,
            "EvalResourceName": "*",
            "EvalDecision": "allowed",
            "MatchedStatements": [
                {
                    "SourcePolicyId": "PolicyInputList.1",
                    "SourcePolicyType": "IAM Policy",
                    "StartPosition": {"Line": 3, "Column": 17},
                    "EndPosition": {"Line": 8, "Column": 6},
                }
            ],
            "MissingContextValues": [],
        }
    ]


def test_each_resource_has_its_own_result_and_the_whole_is_as_strict_as_the_strictest(iam: Any) -> None:
    (whole,) = simulated(iam, policy_of({"Resource": QUEUE}), ResourceArns=[QUEUE, OTHER])
    assert (whole["EvalResourceName"], whole["EvalDecision"]) == ("*", "implicitDeny")
    singles = whole["ResourceSpecificResults"]
    assert [(one["EvalResourceName"], one["EvalResourceDecision"]) for one in singles] == [
        (QUEUE, "allowed"),
        (OTHER, "implicitDeny"),
    ]
    assert [len(one["MatchedStatements"]) for one in singles] == [1, 0]
    assert [one["EvalDecisionDetails"] for one in singles] == [{}, {}]
    (one,) = simulated(iam, policy_of({"Resource": QUEUE}), ResourceArns=[QUEUE])
    assert (one["EvalResourceName"], one["EvalDecision"]) == (QUEUE, "allowed")


def test_a_denial_names_only_the_statements_that_deny(iam: Any) -> None:
    (result,) = simulated(iam, policy_of({}), policy_of({}, {"Effect": "Deny"}))
    assert result["EvalDecision"] == "explicitDeny"
    assert [one["SourcePolicyId"] for one in result["MatchedStatements"]] == ["PolicyInputList.2"]


def test_the_boundary_and_the_organisation_are_told_apart(iam: Any) -> None:
    (result,) = simulated(
        iam,
        policy_of({}),
        PermissionsBoundaryPolicyInputList=[policy_of({"Action": "s3:*"})],
        OrderedOrganizationPolicyInputList=[{"ServiceControlPolicyInputList": [policy_of({})]}],
        ResourceArns=[QUEUE],
    )
    assert result["EvalDecision"] == "implicitDeny"
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}


def test_another_accounts_resource_needs_both_sides(iam: Any) -> None:
    trusting = policy_of({"Principal": {"AWS": ANN}})
    for given, decision, other in (
        ({}, "implicitDeny", "implicitDeny"),
        ({"ResourcePolicy": trusting}, "allowed", "allowed"),
    ):
        (result,) = simulated(iam, policy_of({}), ResourceArns=[FOREIGN], CallerArn=ANN, **given)
        assert result["EvalDecision"] == decision
        assert result["EvalDecisionDetails"] == {"IAM Policy": "allowed", "Resource Policy": other}
    types = [one["SourcePolicyType"] for one in result["MatchedStatements"]]
    assert types == ["IAM Policy", "Resource Policy"]


def test_conditions_are_asked_and_missing_keys_are_named(iam: Any) -> None:
    text = policy_of(
        {
            "Condition": {"NumericLessThan": {"s3:max-keys": "10"}},
            "Resource": "arn:aws:sqs:*:*:${aws:username}",
        },
        {"Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
    )
    asked = {"ResourceArns": ["arn:aws:sqs:us-east-1:111122223333:ann"]}
    (result,) = simulated(iam, text, **asked)
    assert (result["EvalDecision"], result["MissingContextValues"]) == (
        "implicitDeny",
        ["aws:username", "s3:max-keys"],
    )
    entries = [{"ContextKeyName": "s3:max-keys", "ContextKeyType": "numeric", "ContextKeyValues": ["9"]}]
    (result,) = simulated(iam, text, **asked, CallerArn=ANN, ContextEntries=entries)
    assert (result["EvalDecision"], result["MissingContextValues"]) == ("allowed", [])


@pytest.mark.parametrize(
    "given, missing",
    [
        ({}, ["aws:userid", "aws:PrincipalArn"]),
        ({"CallerArn": ANN}, ["aws:userid"]),
        ({"CallerArn": ANN.replace("user", "role")}, ["aws:userid"]),
    ],
)
def test_what_is_not_known_of_the_caller_is_absent(
    iam: Any, given: dict[str, Any], missing: list[str]
) -> None:
    present = {"StringLike": {"aws:userid": "*", "aws:PrincipalArn": "*"}}
    (result,) = simulated(iam, policy_of({"Condition": present}), **given)
    assert (result["EvalDecision"], result["MissingContextValues"]) == ("implicitDeny", missing)


def test_results_come_in_pages_in_the_order_of_the_actions(iam: Any) -> None:
    pages = iam.get_paginator("simulate_custom_policy").paginate(
        PolicyInputList=[policy_of({})],
        ActionNames=["sqs:b", "sqs:a", SEND],
        PaginationConfig={"PageSize": 2},
    )
    found = [[one["EvalActionName"] for one in page["EvaluationResults"]] for page in pages]
    assert found == [["sqs:b", "sqs:a"], [SEND]]


TRUSTING = {"CallerArn": ANN, "ResourcePolicy": policy_of({"Principal": "*"})}
ENTRY = {"ContextKeyName": "aws:TagKeys", "ContextKeyType": "string"}


@pytest.mark.parametrize(
    "given, sentence",
    [
        ({"ActionNames": ["sqs:*"]}, "Invalid Action Name: sqs:*"),
        ({"ActionNames": ["SendMessage"]}, "Invalid Action Name: SendMessage"),
        ({"CallerArn": "arn:aws:sts::111122223333:assumed-role/r/s"}, "is neither a user nor a role."),
        ({"CallerArn": "arn:aws:iam::111122223333:root"}, "is neither a user nor a role."),
        ({"ResourceHandlingOption": "EC2-VPC-InstanceStore"}, "EC2-VPC-InstanceStore is not supported"),
        ({"ResourcePolicy": policy_of({"Principal": "*"})}, "CallerArn is required"),
        ({"PermissionsBoundaryPolicyInputList": [policy_of({})] * 2}, "can have one policy only"),
        ({"PolicyInputList": ["{}"]}, "PolicyInputList.1: Syntax errors in policy."),
        ({"ContextEntries": [{**ENTRY, "ContextKeyValues": ["a", "b"]}]}, "must have one value"),
        ({"ContextEntries": [ENTRY]}, "A context entry needs"),
        ({"ActionNames": [SEND] * 11, "ResourceArns": [QUEUE] * 1000}, "One page can have 10000 decisions"),
        ({"ActionNames": ["sts:AssumeRole", SEND], **TRUSTING}, "sts:AssumeRole asks a trust policy"),
        ({"ActionNames": ["sts:TagSession", SEND], **TRUSTING}, "sts:TagSession asks a trust policy"),
    ],
)
def test_what_cannot_be_simulated_is_refused(iam: Any, given: dict[str, Any], sentence: str) -> None:
    asked = {"PolicyInputList": [policy_of({})], "ActionNames": [SEND], **given}
    status, code, said = refusal_with_status(lambda: iam.simulate_custom_policy(**asked))
    assert (status, code) == (400, "InvalidInput")
    assert sentence in said


def test_a_principal_is_simulated_with_all_that_counts_for_it(
    iam: Any, policy: str, role: str, document: Callable[..., str]
) -> None:
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn=policy)
    iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=document(SEND))

    def decide(action: str, **given: Any) -> Any:
        answer = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=[action], **given)
        return answer["EvaluationResults"][0]

    names = [decide(action)["MatchedStatements"][0]["SourcePolicyId"] for action in (SEND, "iam:ListUsers")]
    assert names == [f"role_{role}_own", policy.rpartition("/")[2]]
    assert decide("s3:GetObject")["EvalDecision"] == "implicitDeny"
    assert decide("s3:GetObject", PolicyInputList=[document("s3:*")])["EvalDecision"] == "allowed"
    iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=policy)
    assert decide("iam:ListUsers")["EvalDecision"] == "allowed"
    bounded = decide(SEND)
    assert bounded["EvalDecision"] == "implicitDeny"
    assert bounded["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    assert decide(SEND, PermissionsBoundaryPolicyInputList=[document(SEND)])["EvalDecision"] == "allowed"


def test_another_caller_has_the_policies_of_the_source_but_not_its_name_or_tags(iam: Any, user: str) -> None:
    arn = iam.get_user(UserName=user)["User"]["Arn"]
    iam.tag_user(UserName=user, Tags=[{"Key": "team", "Value": "a"}])
    text = policy_of(
        {"Condition": {"StringEquals": {"aws:username": user}}},
        {"Action": "s3:*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}}},
    )
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=text)
    asked = {"PolicySourceArn": arn, "ActionNames": [SEND, "s3:GetObject"]}
    for given, decision in (
        ({}, "allowed"),
        ({"CallerArn": arn}, "allowed"),
        ({"CallerArn": ANN}, "implicitDeny"),
    ):
        results = iam.simulate_principal_policy(**asked, **given)["EvaluationResults"]
        assert [result["EvalDecision"] for result in results] == [decision, decision]


@pytest.mark.parametrize(
    "granted, asked, decision",
    [
        ("sqs:*", "sqs:*", "allowed"),
        ("*", "sqs:*", "allowed"),
        ("sqs:*", "sqs:Send*", "allowed"),
        ("sqs:Send*", "sqs:Send*", "allowed"),
        ("sqs:Send*", "sqs:*", "implicitDeny"),
        ("sqs:SendMessage", "sqs:Send*", "implicitDeny"),
        ("sqs:*", "sqs:SendMessag?", "allowed"),
    ],
)
def test_a_principal_is_asked_about_wildcards(
    iam: Any, role: str, document: Callable[..., str], granted: str, asked: str, decision: str
) -> None:
    iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=document(granted))
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    answer = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=[asked])
    (result,) = answer["EvaluationResults"]
    assert (result["EvalActionName"], result["EvalDecision"]) == (asked, decision)


@pytest.mark.parametrize("action", ["SendMessage", "sqs:", ":Send*", "***"])
def test_a_wildcard_does_not_make_an_action_of_anything(iam: Any, role: str, action: str) -> None:
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    call = partial(iam.simulate_principal_policy, PolicySourceArn=arn, ActionNames=[action])
    assert refusal_with_status(call) == (400, "InvalidInput", f"Invalid Action Name: {action}")


@pytest.mark.parametrize("parameter", ["PolicySourceArn", "CallerArn"])
def test_a_malformed_principal_is_a_validation_error(iam: Any, role: str, parameter: str) -> None:
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    asked = {"PolicySourceArn": arn, "ActionNames": [SEND], parameter: "nobody-and-no-arn-at-all"}
    sentence = "Invalid ARN:  Could not be parsed!"
    assert refusal_with_status(lambda: iam.simulate_principal_policy(**asked)) == (
        400,
        "ValidationError",
        sentence,
    )


@pytest.mark.parametrize(
    "principal, code, sentence",
    [
        ("user/absent", "NoSuchEntity", "The user with name absent cannot be found."),
        ("role/absent", "NoSuchEntity", "The role with name absent cannot be found."),
        ("group/absent", "InvalidInput", "does not clearly define entity type and name."),
    ],
)
def test_a_principal_that_is_not_there_is_refused(
    iam: Any, server: Server, principal: str, code: str, sentence: str
) -> None:
    arn = f"arn:aws:iam::{server.account}:{principal}"
    calls: list[Callable[[], Any]] = [
        lambda: iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=[SEND]),
        lambda: iam.get_context_keys_for_principal_policy(PolicySourceArn=arn),
    ]
    for call in calls:
        _, found, said = refusal_with_status(call)
        assert (found, said.endswith(sentence)) == (code, True)


def test_the_keys_that_policies_ask_for_are_told(iam: Any, user: str) -> None:
    asking = policy_of(
        {
            "Resource": "arn:aws:sqs:*:*:${aws:username}",
            "Condition": {"Bool": {"aws:SecureTransport": "true"}},
        }
    )
    more = policy_of({"Condition": {"StringEquals": {"aws:userName": "ann", "aws:SourceIp": "1.2.3.4"}}})
    keys = ["aws:username", "aws:SecureTransport"]
    assert iam.get_context_keys_for_custom_policy(PolicyInputList=[asking])["ContextKeyNames"] == keys
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=asking)
    arn = iam.get_user(UserName=user)["User"]["Arn"]
    answer = iam.get_context_keys_for_principal_policy(PolicySourceArn=arn, PolicyInputList=[more])
    assert answer["ContextKeyNames"] == [*keys, "aws:SourceIp"]
    assert (
        refusal_with_status(lambda: iam.get_context_keys_for_custom_policy(PolicyInputList=["{}"]))[1]
        == "InvalidInput"
    )
