"""Pipelines and roles made up by hypothesis, of a vocabulary small enough that they often meet.

A pipeline takes what only a server knows (its region, the URL before a queue's name, a cluster, an
application) as parameters, so that the same text can be checked and run.
"""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from tests.conftest import trusting
from tests.journeys.conftest import get
from tests.needs import generated_steps

from passrole.policy.managed import PIPELINES_INTEGRATIONS, policies

ACCOUNT = "111122223333"
FUNCTIONS = ("a-sagemaker-f", "f")
BUCKET, DOCUMENT = "pair-data", {"a": {"b": 1}}  # in the object r.json
QUEUES = ("a-sagemaker-q", "SageMaker-q", "q")
SERVICE_ROLE, INSTANCE_ROLE, SCALING_ROLE = "EmrService", "EmrInstance", "EmrScaling"
PARAMETERS = ("Region", "Queues", "Cluster", "Application")

Json = Mapping[str, Any]

# What some step asks for before it is over.
ASKED = (
    "lambda:GetFunction",
    "lambda:InvokeFunction",
    "s3:GetObject",
    "sqs:SendMessage",
    "events:DescribeRule",
    "events:PutRule",
    "events:PutTargets",
    "elasticmapreduce:AddJobFlowSteps",
    "elasticmapreduce:DescribeStep",
    "elasticmapreduce:RunJobFlow",
    "elasticmapreduce:AddTags",
    "elasticmapreduce:ListSteps",
    "elasticmapreduce:DescribeCluster",
    "iam:PassRole",
)

_MANAGED = {each.id: each.document for each in policies()[PIPELINES_INTEGRATIONS].versions}
_VERSIONS = ("v3", "v3", "v3", "v2", "v1")
_ACTIONS = (
    "*",
    "lambda:*",
    "lambda:InvokeFunction",
    "lambda:Get*",
    "s3:Get*",
    "s3:GetObject",
    "sqs:*",
    "sqs:?endMessage",
    "events:*",
    "events:PutTargets",
    "ElasticMapReduce:*",
    "elasticmapreduce:AddJobFlowSteps",
    "elasticmapreduce:Describe*",
    "elasticmapreduce:AddTags",
    "elasticmapreduce:RunJobFlow",
    "iam:PassRole",
)
_RESOURCES = (
    "*",
    "arn:aws:lambda:*:*:function:f",
    "arn:aws:lambda:*:*:function:*sagemaker*",
    "arn:aws:lambda:us-*:*:function:*",
    f"arn:aws:sqs:*:{ACCOUNT}:q",
    "arn:aws:sqs:*:*:*-?",
    "arn:aws:sqs:*:999999999999:*",
    "arn:aws:events:*:*:rule/SageMakerPipelineExecutionEMR*",
    "arn:aws:events:*:*:rule/*ClusterStatusUpdateRule",
    "arn:aws:elasticmapreduce:*:*:cluster/*",
    "arn:aws:elasticmapreduce:*:*:cluster/j-*",
    "arn:aws:elasticmapreduce:*:*:cluster/j-*A*",
    "arn:aws:sagemaker:*:*:training-job/pipelines-*",
    f"arn:aws:s3:::{BUCKET}/*",
    "arn:aws:s3:::*/r.*",
    f"arn:aws:iam::{ACCOUNT}:role/*",
    f"arn:aws:iam::*:role/{SERVICE_ROLE}",
    f"arn:aws:iam::*:role/{SCALING_ROLE}",
)
_CONDITIONS: Sequence[Json] = (
    {"StringEquals": {"iam:PassedToService": "elasticmapreduce.amazonaws.com"}},
    {"StringLike": {"iam:PassedToService": ["ec2.*", "application-autoscaling.*"]}},
    {"StringEqualsIfExists": {"iam:PassedToService": "ec2.amazonaws.com"}},
    {"StringEquals": {"aws:RequestTag/team": "a"}},
    {"Null": {"aws:TagKeys": "true"}},
    {"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "cost"]}},
    {"StringEquals": {"elasticmapreduce:RequestTag/team": ["a", "b"]}},
    {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}},
    {"Bool": {"aws:PrincipalIsAWSService": "false"}},
    {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "us-west-2", "eu-west-1"]}},
    {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "us-east-2", "eu-central-1"]}},
    {"StringLike": {"aws:RequestedRegion": "us-*"}},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"Bool": {"aws:SecureTransport": "false"}},
    {"Bool": {"aws:ViaAWSService": "false"}},
    {"Bool": {"aws:ViaAWSService": "true"}},
    {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    {"NumericLessThan": {"aws:EpochTime": "1577836800"}},
    {"StringEquals": {"aws:RequestTag/team": "${aws:PrincipalTag/team}"}},
    {"StringEqualsIfExists": {"aws:RequestTag/team": "${aws:PrincipalTag/team}"}},
    {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
    {"StringNotEqualsIfExists": {"elasticmapreduce:ResourceTag/team": "b"}},
    {"StringEquals": {"aws:PrincipalTag/team": "a"}},
    {"ForAnyValue:StringEquals": {"events:detail-type": "EMR Step Status Change"}},
    {"ForAllValues:StringEquals": {"events:source": "aws.emr"}},
    {"ForAllValues:ArnLike": {"events:TargetArn": "arn:aws:sagemaker:us-*:*:*"}},
    {"Null": {"elasticmapreduce:ExecutionRoleArn": "true"}},
    {"Null": {"sagemaker:VpcSubnets": "true"}},
    {"ForAnyValue:StringEquals": {"sagemaker:VpcSecurityGroupIds": "sg-1"}},
    {"Null": {"sagemaker:VolumeKmsKey": "false"}},
    {"StringNotEquals": {"sagemaker:OutputKmsKey": "key"}},
)
# What a trust policy may ask of the AssumeRole call itself.
_TRUST_CONDITIONS: Sequence[Json] = (
    *({},) * 12,
    {"Bool": {"aws:SecureTransport": "true"}},
    {"StringLike": {"aws:RequestedRegion": "us-*"}},
    {"StringNotEqualsIfExists": {"sts:ExternalId": "x"}},
    {"StringLike": {"sts:RoleSessionName": "?*"}},
    {"ArnLike": {"aws:SourceArn": f"arn:aws:sagemaker:*:{ACCOUNT}:pipeline/*"}},
    {"ArnLike": {"aws:SourceArn": f"arn:aws:sagemaker:us-*:{ACCOUNT}:pipeline/*/execution/*"}},
    {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    {"StringEquals": {"aws:SourceAccount": "999999999999"}},
)


@dataclass(frozen=True)
class Role:
    """What a role has; a policy is a document."""

    policies: Sequence[Json]
    boundary: Json | None
    trust: Json
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Pair:
    """A pipeline's steps, one after the other, and the role that they run with."""

    steps: Sequence[Json]
    role: Role

    @property
    def definition(self) -> str:
        """As CreatePipeline takes it."""
        declared = [{"Name": name, "Type": "String"} for name in PARAMETERS]
        return json.dumps({"Version": "2020-12-01", "Parameters": declared, "Steps": list(self.steps)})

    @property
    def fails(self) -> bool:
        """Whether it ends with a Fail step."""
        return any(step["Type"] == "Fail" for step in self.steps)

    @property
    def queues(self) -> list[str]:
        """The names of the queues that its steps send to."""
        urls = [step["SqsQueueUrl"] for step in _all_of(self.steps) if step["Type"] == "Callback"]
        return [url["Std:Join"]["Values"][-1] for url in urls]


@dataclass(frozen=True)
class Vocabulary:
    """What pipelines and roles are made of. Most roles have a document of `granted` without up to two of the
    actions that are `asked`.
    """

    steps: Mapping[str, st.SearchStrategy[Json]]
    kinds: Sequence[str]
    asked: Sequence[str]
    granted: Sequence[Json]
    actions: Sequence[str]
    resources: Sequence[str]
    conditions: Sequence[Json]


def pairs(of: Vocabulary) -> st.SearchStrategy[Pair]:
    """Pipelines of one to three steps; most roles have much of what such pipelines need."""
    return st.builds(Pair, _chains(of), _roles(of))


@st.composite
def _chains(draw: st.DrawFn, of: Vocabulary) -> Sequence[Json]:
    chosen = draw(st.lists(st.sampled_from(of.kinds), min_size=1, max_size=2))
    inside = draw(st.sampled_from((None,) * 6 + tuple(of.kinds)))
    steps = [{"Name": f"S{at}", **draw(of.steps[kind])} for at, kind in enumerate(chosen)]
    if inside is not None:
        within = draw(st.sampled_from((_branching, _looping)))
        steps.append(within({"Name": "Inside", **draw(of.steps[inside])}))
    if draw(st.integers(0, 15)) == 0:
        steps.append({"Name": "Last", "Type": "Fail", "Arguments": {"ErrorMessage": "on purpose"}})
    for before, after in itertools.pairwise(steps):
        after["DependsOn"] = [before["Name"]]
    return steps


def _branching(step: Json) -> dict[str, Any]:
    fits = {"Type": "Equals", "LeftValue": get("Parameters.Region"), "RightValue": get("Parameters.Region")}
    arguments = {"Conditions": [fits], "IfSteps": [step], "ElseSteps": []}
    return {"Name": "Branch", "Type": "Condition", "Arguments": arguments}


def _looping(step: Json) -> dict[str, Any]:
    arguments = {"IterableItems": ["x"], "MaxConcurrency": 1, "ForEachBody": [step]}
    return {"Name": "Loop", "Type": "ForEach", "Arguments": arguments}


def _invocations() -> st.SearchStrategy[Json]:
    return st.sampled_from(FUNCTIONS).map(
        lambda name: {
            "Type": "Lambda",
            "FunctionArn": _join(":", "arn:aws:lambda", get("Parameters.Region"), ACCOUNT, "function", name),
            "Arguments": {},
            "OutputParameters": [],
        }
    )


def _readings() -> st.SearchStrategy[Json]:
    """A function whose argument stands in a document in S3."""
    uri = _join("/", "s3:/", BUCKET, "r.json")
    value = {"Std:JsonGet": {"S3Uri": uri, "Path": "a.b"}}
    return _invocations().map(lambda step: {**step, "Arguments": {"n": value}})


def _callbacks() -> st.SearchStrategy[Json]:
    return st.sampled_from(QUEUES).map(
        lambda name: {
            "Type": "Callback",
            "SqsQueueUrl": _join("/", get("Parameters.Queues"), name),
            "Arguments": {},
            "OutputParameters": [],
        }
    )


def _on_a_cluster() -> st.SearchStrategy[Json]:
    arguments = {"ClusterId": get("Parameters.Cluster"), "StepConfig": _NOTHING}
    return st.just({"Type": "EMR", "Arguments": arguments})


@st.composite
def _with_a_cluster_of_its_own(draw: st.DrawFn) -> Json:
    config: dict[str, Any] = {
        "Instances": {"InstanceGroups": [_MASTER]},
        "ReleaseLabel": "emr-7.1.0",
        "ServiceRole": draw(st.sampled_from((SERVICE_ROLE, f"arn:aws:iam::{ACCOUNT}:role/{SERVICE_ROLE}"))),
        "JobFlowRole": INSTANCE_ROLE,
    }
    if draw(_SELDOM):
        config["AutoScalingRole"] = SCALING_ROLE
    if draw(st.booleans()):
        config["Tags"] = [{"Key": "team", "Value": draw(st.sampled_from(("a", "b")))}]
    return {"Type": "EMR", "Arguments": {"ClusterConfig": config, "StepConfig": _NOTHING}}


def _roles(of: Vocabulary) -> st.SearchStrategy[Role]:
    own = st.lists(_statements(of), min_size=1, max_size=3).map(_document)
    policies = st.one_of(st.tuples(_managed(of)), st.tuples(_managed(of), own))
    boundaries = st.one_of(st.none(), st.none(), st.none(), _managed(of))
    trusted = st.sampled_from(("sagemaker.amazonaws.com",) * 11 + ("lambda.amazonaws.com",))
    trusts = st.builds(_trusting, trusted, st.sampled_from(_TRUST_CONDITIONS))
    tags = st.sampled_from(({}, {"team": "a"}, {"team": "b"}))
    return st.builds(Role, policies, boundaries, trusts, tags)


def _trusting(service: str, condition: Json) -> Json:
    (statement,) = trusting(service)["Statement"]
    return _document([{**statement, "Condition": condition} if condition else statement])


@st.composite
def _managed(draw: st.DrawFn, of: Vocabulary) -> Json:
    """A document that grants much, with up to two of its actions gone."""
    document: Any = draw(st.sampled_from(of.granted))
    gone = draw(st.lists(st.sampled_from(of.asked), max_size=2))
    kept = [
        {**statement, "Action": [action for action in statement["Action"] if action not in gone]}
        for statement in document["Statement"]
    ]
    return _document([statement for statement in kept if statement["Action"]])


@st.composite
def _statements(draw: st.DrawFn, of: Vocabulary) -> Json:
    denies = draw(_SELDOM)
    statement: dict[str, Any] = {
        "Effect": "Deny" if denies else "Allow",
        "NotAction" if draw(_SELDOM) else "Action": draw(_few(of.actions[denies:])),
        "NotResource" if draw(_SELDOM) else "Resource": draw(_few(of.resources[denies:])),
    }
    if draw(st.booleans()):
        statement["Condition"] = draw(st.sampled_from(of.conditions))
    return statement


def _few(values: Sequence[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


def _document(statements: Sequence[Json]) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _join(on: str, *values: Any) -> Json:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def _all_of(steps: Sequence[Json]) -> list[Json]:
    within = {"Condition": "IfSteps", "ForEach": "ForEachBody"}
    inside = [step["Arguments"][within[step["Type"]]] for step in steps if step["Type"] in within]
    return [*steps, *(step for branch in inside for step in branch)]


_SELDOM = st.sampled_from((False, False, False, True))
_NOTHING = {"HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["bash", "-c", "true"]}}
_MASTER = {"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}
_STEPS: Mapping[str, st.SearchStrategy[Json]] = {
    "lambda": _invocations(),
    "reading": _readings(),
    "callback": _callbacks(),
    "emr": _on_a_cluster(),
    "cluster": _with_a_cluster_of_its_own(),
}
INTEGRATIONS = Vocabulary(
    steps=_STEPS,
    kinds=(*_STEPS, "cluster"),  # the one that asks for most
    asked=ASKED,
    granted=[_MANAGED[version] for version in _VERSIONS],
    actions=_ACTIONS,
    resources=_RESOURCES,
    conditions=_CONDITIONS,
)
"""What AmazonSageMakerPipelinesIntegrations is for."""

OF_SAGEMAKER = Vocabulary(
    steps={**generated_steps.STEPS, "lambda": _invocations()},
    kinds=(*generated_steps.STEPS, *generated_steps.STEPS, "lambda"),
    asked=generated_steps.ASKED,
    granted=[
        _document([{"Effect": "Allow", "Action": [*generated_steps.ASKED, *ASKED[:2]], "Resource": "*"}])
    ],
    actions=generated_steps.ACTIONS,
    resources=generated_steps.RESOURCES,
    conditions=generated_steps.CONDITIONS,
)
"""Jobs, models, endpoints and lineage."""

OF_SERVERLESS = Vocabulary(
    steps={**generated_steps.STEPS_OF_SERVERLESS, "lambda": _invocations()},
    kinds=(*generated_steps.STEPS_OF_SERVERLESS, *generated_steps.STEPS_OF_SERVERLESS, "lambda"),
    asked=generated_steps.ASKED_OF_SERVERLESS,
    granted=[
        _document(
            [
                {
                    "Effect": "Allow",
                    "Action": [*generated_steps.ASKED_OF_SERVERLESS, *ASKED[:2]],
                    "Resource": "*",
                }
            ]
        )
    ],
    actions=generated_steps.ACTIONS_OF_SERVERLESS,
    resources=generated_steps.RESOURCES_OF_SERVERLESS,
    conditions=generated_steps.CONDITIONS_OF_SERVERLESS,
)
"""Applications and job runs of EMR Serverless."""
