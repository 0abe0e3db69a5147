"""The verdicts: documented differences of the managed versions, trust, grants, what else is told."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from passrole.arns import Account, Region
from passrole.needs import (
    Answer,
    Need,
    Place,
    evaluate_needs,
    execution_role_session,
    needs_of_caller,
    read_definition,
    unused,
    warnings,
)
from passrole.policy import PolicySet, parse_document

Needs = Callable[..., list[Need]]
Judged = Callable[..., list[Answer]]
Managed = dict[str, PolicySet]

RULE = ["events:DescribeRule", "events:PutRule", "events:PutTargets"]
ON_CLUSTER = [
    *RULE,
    "elasticmapreduce:AddJobFlowSteps",
    "elasticmapreduce:DescribeStep",
    "elasticmapreduce:CancelSteps",
]
OWN_CLUSTER = [
    *RULE,
    "elasticmapreduce:RunJobFlow",
    "iam:PassRole",
    "iam:PassRole",
    "elasticmapreduce:ListSteps",
    "elasticmapreduce:DescribeCluster",
    "elasticmapreduce:TerminateJobFlows",
]

VPC = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}


def missing(answers: list[Answer]) -> list[str]:
    return [answer.need.action for answer in answers if not answer.allowed]


def policy(*statements: Mapping[str, object]) -> PolicySet:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return PolicySet((("mine.json", parse_document(document)),))


def trust(service: str) -> PolicySet:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return PolicySet(trust=parse_document({"Version": "2012-10-17", "Statement": [statement]}, "trust"))


@pytest.mark.parametrize(
    "name, version, lacks",
    [
        ("lambda", "v1", ["lambda:GetFunction"] * 2),
        ("lambda", "v2", []),
        ("lambda", "v3", []),
        ("callback", "v1", []),
        ("callback", "v2", []),
        ("callback", "v3", []),
        ("emr-cluster-id", "v1", ["lambda:GetFunction", *ON_CLUSTER, *ON_CLUSTER]),
        ("emr-cluster-id", "v2", []),
        ("emr-cluster-id", "v3", []),
        ("emr-cluster-config", "v1", OWN_CLUSTER),
        ("emr-cluster-config", "v2", OWN_CLUSTER),
        ("emr-cluster-config", "v3", []),
    ],
)
def test_the_three_versions_differ_as_documented(
    recorded: dict[str, str],
    needs_of: Needs,
    judged: Judged,
    managed: Managed,
    name: str,
    version: str,
    lacks: list[str],
) -> None:
    named_well = recorded[name].replace("my-fn", "my-sagemaker-fn").replace("MyQueue", "MySageMakerQueue")
    assert sorted(missing(judged(needs_of(named_well), managed[version]))) == sorted(lacks)


def test_names_that_the_policy_does_not_know_are_refused_with_the_nearest_miss(
    recorded: dict[str, str], needs_of: Needs, judged: Judged, managed: Managed
) -> None:
    answers = judged(needs_of(recorded["callback"]), managed["v3"])
    assert missing(answers) == ["sqs:SendMessage", "sqs:SendMessage"]
    assert answers[0].near_misses == (
        "statement 2 of AmazonSageMakerPipelinesIntegrations allows sqs:SendMessage, but only on names "
        "containing `sagemaker`, `sageMaker` or `SageMaker`; this queue is `MyQueue`",
    )
    assert answers[0].reason is not None
    assert "is not authorized to perform: sqs:sendmessage" in answers[0].reason


@pytest.mark.parametrize(
    "service, allowed", [("sagemaker.amazonaws.com", True), ("ec2.amazonaws.com", False)]
)
def test_the_trust_policy_must_name_sagemaker(judged: Judged, service: str, allowed: bool) -> None:
    (answer,) = judged([], trust(service))
    assert (answer.need.action, answer.allowed) == ("sts:AssumeRole", allowed)
    if not allowed:
        assert answer.grant == {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }


def test_what_is_to_be_granted_allows_exactly_what_was_missing(
    recorded: dict[str, str], needs_of: Needs, judged: Judged
) -> None:
    for name, text in recorded.items():
        needs = needs_of(text)
        refused = judged(needs, PolicySet())
        grants = [answer.grant for answer in refused if answer.grant]
        assert len(grants) == len(needs)
        assert not needs or missing(judged(needs, policy(*grants))) == [], name


def test_a_name_that_looks_like_a_variable_is_granted_as_its_letters(needs_of: Needs, judged: Judged) -> None:
    needs = needs_of({"Name": "S", "Type": "Lambda", "FunctionArn": "${aws:username}"})
    grants = [answer.grant for answer in judged(needs, PolicySet()) if answer.grant]
    assert missing(judged(needs, policy(*grants))) == []


def test_an_explicit_deny_has_no_grant(needs_of: Needs, judged: Judged) -> None:
    needs = needs_of({"Name": "S", "Type": "Lambda", "FunctionArn": "f"})
    every = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    answers = judged(needs, policy(every, {**every, "Effect": "Deny", "Action": "lambda:Invoke*"}))
    assert [answer.allowed for answer in answers] == [True, False]
    assert answers[1].grant is None
    assert answers[1].near_misses == ("statement 2 of mine.json denies lambda:InvokeFunction",)


def test_what_is_never_asked_for_is_told_by_statement(needs_of: Needs, judged: Judged) -> None:
    needs = needs_of({"Name": "S", "Type": "Lambda", "FunctionArn": "f"})
    policies = policy(
        {"Effect": "Allow", "Action": ["lambda:Get*", "lambda:DeleteFunction"], "Resource": "*"},
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:*:*:function:g"},
        {"Effect": "Deny", "Action": "sqs:*", "Resource": "*"},
    )
    found = unused(judged(needs, policies), policies)
    assert [(each.statement, each.actions) for each in found] == [
        (0, ("lambda:DeleteFunction",)),
        (1, ("lambda:InvokeFunction",)),
    ]


@pytest.mark.parametrize(
    "step, words",
    [
        (
            {"Type": "Lambda", "FunctionArn": "my-Sagemaker-fn"},
            "`my-Sagemaker-fn` matches a policy except for",
        ),
        (
            {"Type": "Callback", "SqsQueueUrl": "https://sqs.x.y/123456789012/q-sagemaker.fifo"},
            "is a FIFO queue",
        ),
        (
            {"Type": "EMR", "Arguments": {"ClusterConfig": {"AutoScalingRole": "r"}}},
            "passes an AutoScalingRole",
        ),
        (
            {"Type": "Lambda", "FunctionArn": "arn:aws:lambda:x:999988887777:function:sagemaker"},
            "is in another account",
        ),
        ({"Type": "Athena"}, "the needs of steps of type `Athena` are unknown"),
        *(
            (
                {"Type": type_, "Arguments": arguments},
                "its VpcConfig counts for permissions, and is not obeyed",
            )
            for type_, arguments in [
                ("Training", {"VpcConfig": VPC}),
                ("Processing", {"NetworkConfig": {"VpcConfig": VPC}}),
                ("Model", {"VpcConfig": VPC}),
                ("Tuning", {"TrainingJobDefinitions": [{}, {"VpcConfig": VPC}]}),
            ]
        ),
    ],
)
def test_what_will_bite_is_warned_of(
    needs_of: Needs, judged: Judged, managed: Managed, step: dict[str, Any], words: str
) -> None:
    text = json.dumps({"Steps": [{"Name": "S", **step}]})
    answers = judged(needs_of(text), managed["v3"])
    (found,) = warnings(read_definition(text, {}), answers, "v3")
    assert words in found


@pytest.mark.parametrize("arguments", [{"VpcConfig": None}, {"VpcConfig": {}}, {"NetworkConfig": {}}])
def test_a_step_without_a_network_of_its_own_is_not_warned_of(
    needs_of: Needs, judged: Judged, managed: Managed, arguments: dict[str, Any]
) -> None:
    text = json.dumps({"Steps": [{"Name": "S", "Type": "Training", "Arguments": arguments}]})
    assert warnings(read_definition(text, {}), judged(needs_of(text), managed["v3"]), "v3") == []


def test_reliance_on_a_newer_version_is_warned_of(
    recorded: dict[str, str], needs_of: Needs, judged: Judged, managed: Managed
) -> None:
    text = recorded["emr-cluster-config"]
    definition, needs = read_definition(text, {}), needs_of(text)
    (found,) = warnings(definition, judged(needs, managed["v2"]), "v2")
    assert found.startswith("step `E1` relies on what the managed policy has only since v3: events:Describe")
    assert warnings(definition, judged(needs, managed["v3"]), "v3") == []


@pytest.mark.parametrize("name, allowed", [("p", True), ("q", False)])
def test_a_role_is_handed_on_for_its_pipeline_alone(name: str, allowed: bool) -> None:
    role = "arn:aws:iam::123456789012:role/x"
    pipeline = f"arn:aws:sagemaker:us-west-2:123456789012:pipeline/{name}"
    condition = {"ArnEquals": {"iam:AssociatedResourceArn": pipeline}}
    mine = policy({"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": condition})
    needs = needs_of_caller("p", role, Place(Region("us-west-2"), Account("123456789012")))
    answers = evaluate_needs(
        [need for need in needs if need.action == "iam:PassRole"], execution_role_session(role), mine
    )
    assert [answer.allowed for answer in answers] == [allowed]
