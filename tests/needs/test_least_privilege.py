"""What is written allows every need, and nothing of it can go."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passrole.arns import Account, Region
from passrole.needs import (
    Need,
    Place,
    evaluate_needs,
    execution_role_session,
    least_privilege,
    needs_of_caller,
    needs_of_role,
    read_definition,
    trust_document,
    trust_need,
)
from passrole.needs.steps import KINDS
from passrole.policy import PolicySet, parse_document

PLACE = Place(Region("us-west-2"), Account("123456789012"))
ROLE = "arn:aws:iam::123456789012:role/x"
FUNCTION = "arn:aws:lambda:us-west-2:123456789012:function:"
QUEUE = "arn:aws:sqs:us-west-2:123456789012:"

NAMES = st.sampled_from(
    [
        "f",
        "g",
        "a*",
        "a?",
        "?*",
        "*",
        "axyz",
        "${aws:username}",
        "${$}{x",
        "${*}",
        "a:b",
        {"Get": "Steps.S.x"},
    ]
)
ROLES = st.fixed_dictionaries(
    {},
    optional={"RoleArn": st.sampled_from(["r", "a*", ROLE, {"Get": "Parameters.R"}]), "Tags": st.just([1])},
)
CLUSTERS = st.fixed_dictionaries({}, optional={"ServiceRole": NAMES, "JobFlowRole": NAMES})
STEPS = st.fixed_dictionaries(
    {"Name": st.sampled_from("ST"), "Type": st.sampled_from([*KINDS]), "FunctionArn": NAMES},
    optional={
        "SqsQueueUrl": NAMES,
        "Arguments": ROLES
        | st.fixed_dictionaries({"ClusterId": NAMES})
        | st.fixed_dictionaries({"ClusterConfig": CLUSTERS}),
    },
)


def allowed(needs: list[Need], document: dict[str, object]) -> bool:
    """Whether `check` finds nothing missing with this policy."""
    policies = PolicySet((("generated", parse_document(document)),))
    return all(answer.allowed for answer in evaluate_needs(needs, execution_role_session(ROLE), policies))


def one_action_less(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The document without one action of one statement, in every way."""
    for index, statement in enumerate(document["Statement"]):
        actions = statement["Action"]
        listed = actions if isinstance(actions, list) else [actions]
        for action in listed:
            less = deepcopy(document)
            rest = [other for other in listed if other != action]
            less["Statement"][index]["Action"] = rest
            if not rest:
                del less["Statement"][index]
            yield less


def one_resource_less(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for index, statement in enumerate(document["Statement"]):
        resources = statement["Resource"]
        for resource in resources if isinstance(resources, list) else ():
            less = deepcopy(document)
            less["Statement"][index]["Resource"] = [other for other in resources if other != resource]
            yield less


def refused(needs: list[Need], document: dict[str, Any]) -> bool:
    return not document["Statement"] or not allowed(needs, document)


@settings(max_examples=300, deadline=None)
@given(steps=st.lists(STEPS, max_size=5))
def test_every_need_is_allowed_and_nothing_can_go(steps: list[dict[str, Any]]) -> None:
    needs = needs_of_role(read_definition(json.dumps({"Steps": steps}), {}), PLACE)
    document: dict[str, Any] = least_privilege(needs)
    if not needs:
        assert document["Statement"] == []
        return
    assert allowed(needs, document)
    for less in (*one_action_less(document), *one_resource_less(document)):
        assert refused(needs, less)


def test_every_recorded_definition_gets_a_policy_of_which_nothing_can_go(
    recorded: dict[str, str], needs_of: Callable[..., list[Need]]
) -> None:
    for text in recorded.values():
        needs = needs_of(text)
        document = least_privilege(needs)
        assert not needs or allowed(needs, document)
        assert all(refused(needs, less) for less in one_action_less(document))


@pytest.mark.parametrize(
    "needs, statements",
    [
        ([], []),
        ([("lambda:GetFunction", f"{FUNCTION}f")], [("Functions", "lambda:GetFunction", f"{FUNCTION}f")]),
        (
            [(f"lambda:{verb}Function", FUNCTION + name) for name in "fg" for verb in ("Get", "Invoke")],
            [
                (
                    "Functions",
                    ["lambda:GetFunction", "lambda:InvokeFunction"],
                    [f"{FUNCTION}f", f"{FUNCTION}g"],
                )
            ],
        ),
        (
            [("sqs:SendMessage", f"{QUEUE}a"), ("sqs:SendMessage", f"{QUEUE}*")],
            [("QueuesKnownAtRunTime", "sqs:SendMessage", f"{QUEUE}*")],
        ),
        (
            [("sqs:SendMessage", f"{QUEUE}a"), ("sqs:ReceiveMessage", f"{QUEUE}b")],
            [("Queues", "sqs:SendMessage", f"{QUEUE}a"), ("Queues2", "sqs:ReceiveMessage", f"{QUEUE}b")],
        ),
        ([("sts:AssumeRole", ROLE)], []),
        ([("sqs:ListQueues", "")], [("Queues", "sqs:ListQueues", "*")]),
        (
            [("lambda:GetFunction", f"{FUNCTION}${{aws:username}}")],
            [("Functions", "lambda:GetFunction", f"{FUNCTION}${{$}}{{aws:username}}")],
        ),
    ],
)
def test_statements_are_grouped_and_named(
    needs: list[tuple[str, str]], statements: list[tuple[str, Any, Any]]
) -> None:
    listed = [Need(None, action, arn, "", is_pattern=arn.endswith("*")) for action, arn in needs]
    document: Any = least_privilege(listed)
    found = [(each["Sid"], each["Action"], each["Resource"]) for each in document["Statement"]]
    assert found == statements


def test_a_role_is_passed_to_its_service_alone(needs_of: Callable[..., list[Need]]) -> None:
    steps = {
        "Name": "E",
        "Type": "EMR",
        "Arguments": {"ClusterConfig": {"ServiceRole": "emr", "JobFlowRole": "ec2"}},
    }
    document: Any = least_privilege(needs_of(steps))
    passing = [each for each in document["Statement"] if each["Action"] == "iam:PassRole"]
    assert [(each["Sid"], each["Condition"]) for each in passing] == [
        ("PassRoleToEMR", {"StringEquals": {"iam:PassedToService": "elasticmapreduce.amazonaws.com"}}),
        ("PassRoleToEC2", {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}),
    ]


def test_the_caller_gets_what_deploying_takes_and_no_tags() -> None:
    needs = [need for need in needs_of_caller("p", ROLE, PLACE) if need.when != "if tagged"]
    document: Any = least_privilege(needs_of_caller("p", ROLE, PLACE))
    assert allowed(needs, document)
    actions = [each["Action"] for each in document["Statement"]]
    assert actions == [["sagemaker:CreatePipeline", "sagemaker:StartPipelineExecution"], "iam:PassRole"]


def test_the_trust_policy_lets_sagemaker_assume_the_role() -> None:
    trust = PolicySet(trust=parse_document(trust_document(), "trust"))
    (answer,) = evaluate_needs([trust_need(ROLE)], execution_role_session(ROLE), trust)
    assert answer.allowed


def test_sids_are_letters_and_digits_and_unique(recorded: dict[str, str]) -> None:
    for text in recorded.values():
        document: Any = least_privilege(needs_of_role(read_definition(text, {}), PLACE))
        sids = [each["Sid"] for each in document["Statement"]]
        assert len(sids) == len(set(sids))
        assert all(sid.isascii() and sid.isalnum() for sid in sids)
