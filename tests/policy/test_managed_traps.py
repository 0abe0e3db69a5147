"""Every sentence of docs/why/managed-policy.md that says what the policy allows, asked of its versions."""

from pathlib import Path

import pytest

from passrole.policy import PolicySet, Principal, Request, evaluate, parse_document
from passrole.policy.managed import PIPELINES_INTEGRATIONS, policies

ACCOUNT = "123456789012"
HERE = f"us-east-1:{ACCOUNT}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/x"
SESSION = Principal("role", f"arn:aws:sts::{ACCOUNT}:assumed-role/x/SageMaker", ACCOUNT, "A:S", "x", ROLE)
CLUSTER = f"arn:aws:elasticmapreduce:{HERE}:cluster/"
PAGE = Path(__file__).parents[2] / "docs" / "why" / "managed-policy.md"

Case = tuple[str, str, str, str]


def function(name: str) -> str:
    return f"arn:aws:lambda:{HERE}:function:{name}"


def queue(name: str) -> str:
    return f"arn:aws:sqs:{HERE}:{name}"


def rule(name: str) -> str:
    return f"arn:aws:events:{HERE}:rule/{name}"


STEP_RULE = "SageMakerPipelineExecutionEMRStepStatusUpdateRule"

# The sentence's beginning, the action, the resource (or the service a role goes to), the versions that allow.
CASES: list[Case] = [
    ("a function `my-sagemaker-f` may", "lambda:InvokeFunction", function("my-sagemaker-f"), "v1 v2 v3"),
    ("a function `my-Sagemaker-f` may not", "lambda:InvokeFunction", function("my-Sagemaker-f"), ""),
    ("a function `my-SAGEMAKER-f` may not", "lambda:InvokeFunction", function("my-SAGEMAKER-f"), ""),
    ("a function `my-f` may not", "lambda:InvokeFunction", function("my-f"), ""),
    ("a queue `SageMaker-approvals` may", "sqs:SendMessage", queue("SageMaker-approvals"), "v1 v2 v3"),
    ("a queue `approvals` may not", "sqs:SendMessage", queue("approvals"), ""),
    ("since v2 a function may be looked at", "lambda:GetFunction", function("a-sagemaker"), "v2 v3"),
    ("nobody may ask for the URL", "sqs:GetQueueUrl", queue("SageMaker-approvals"), ""),
    ("a role may be passed to Lambda", "iam:PassRole", "lambda.amazonaws.com", "v1 v2 v3"),
    ("since v3 a role may be passed to EMR", "iam:PassRole", "elasticmapreduce.amazonaws.com", "v3"),
    ("since v3 a role may be passed to EC2", "iam:PassRole", "ec2.amazonaws.com", "v3"),
    ("no role may be passed to SageMaker", "iam:PassRole", "sagemaker.amazonaws.com", ""),
    ("no role may be passed to automatic", "iam:PassRole", "application-autoscaling.amazonaws.com", ""),
    (f"since v2 the rule {STEP_RULE}", "events:PutRule", rule(STEP_RULE), "v2 v3"),
    (
        "since v3 the rule SageMakerPipelineExecutionEMRClusterStatusUpdateRule",
        "events:PutRule",
        rule("SageMakerPipelineExecutionEMRClusterStatusUpdateRule"),
        "v3",
    ),
    (
        "the rule SageMakerPipelineExecutionEMRClusterStatusRule",
        "events:PutRule",
        rule("SageMakerPipelineExecutionEMRClusterStatusRule"),
        "",
    ),
    ("a rule on another event bus may not", "events:PutRule", rule(f"mine/{STEP_RULE}"), ""),
    ("since v2 a step may be added", "elasticmapreduce:AddJobFlowSteps", f"{CLUSTER}j-1", "v2 v3"),
    ("since v3 a cluster may be created", "elasticmapreduce:RunJobFlow", f"{CLUSTER}*", "v3"),
    ("a cluster may not be given tags", "elasticmapreduce:AddTags", f"{CLUSTER}*", ""),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case[0]))
def test_the_page_says_what_the_versions_allow(case: Case) -> None:
    _, action, resource, versions = case
    passing = action == "iam:PassRole"
    context = {"iam:PassedToService": resource} if passing else {}
    request = Request(SESSION, action, ROLE if passing else resource, ACCOUNT, context)
    allowing = [
        version.id
        for version in policies()[PIPELINES_INTEGRATIONS].versions
        if evaluate(request, PolicySet((("managed", parse_document(version.document)),))).allowed
    ]
    assert allowing == versions.split()


def test_every_sentence_of_the_page_is_asked() -> None:
    told = [line[2:] for line in PAGE.read_text().splitlines() if line.startswith("- ")]
    assert len(told) == len(CASES)
    assert [line for line, case in zip(told, CASES, strict=True) if not line.startswith(case[0])] == []
