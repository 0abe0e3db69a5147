"""Definition -> needs, as tables."""

from collections.abc import Callable
from typing import Any

import pytest

from passrole.arns import Account, Region
from passrole.definition import DefinitionError
from passrole.needs import Need, Place, needs_of_caller, place_of, read_definition, unknown_steps
from passrole.needs.document import UnreadableDefinition
from passrole.needs.need import queue_arn

Needs = Callable[..., list[Need]]
HERE = "us-west-2:123456789012"
EVENTS = f"arn:aws:events:{HERE}:rule/SageMakerPipelineExecutionEMR"
EMR = f"arn:aws:elasticmapreduce:{HERE}:cluster"


def asked(needs: list[Need]) -> list[tuple[str, str]]:
    return [(need.action, need.resource) for need in needs]


def step(type_: str, arguments: Any = None, **members: Any) -> dict[str, Any]:
    return {"Name": "S", "Type": type_, "Arguments": arguments or {}, **members}


def test_a_lambda_step_reads_and_invokes_its_function(needs_of: Needs) -> None:
    arn = f"arn:aws:lambda:{HERE}:function:f-sagemaker"
    found = needs_of(step("Lambda", FunctionArn=arn))
    assert asked(found) == [("lambda:GetFunction", arn), ("lambda:InvokeFunction", arn)]
    assert not any(need.is_pattern for need in found)


@pytest.mark.parametrize(
    "url, arn",
    [
        ("https://sqs.eu-west-1.amazonaws.com/999988887777/q", "arn:aws:sqs:eu-west-1:999988887777:q"),
        ("http://127.0.0.1:4566/999988887777/q", "arn:aws:sqs:us-west-2:999988887777:q"),
        ("http://localhost:4566/queue/999988887777/q/", "arn:aws:sqs:us-west-2:999988887777:q"),
        ("*", "arn:aws:sqs:us-west-2:123456789012:*"),
        ("", "arn:aws:sqs:us-west-2:123456789012:*"),
    ],
)
def test_a_callback_needs_the_queue_behind_the_url(url: str, arn: str) -> None:
    assert queue_arn(url, Place(Region("us-west-2"), Account("123456789012"))) == arn


def test_an_emr_step_on_a_cluster(needs_of: Needs) -> None:
    role = "arn:aws:iam::123456789012:role/emr-runtime"
    found = needs_of(step("EMR", {"ClusterId": "j-1", "StepConfig": {}, "ExecutionRoleArn": role}))
    assert asked(found) == [
        ("events:DescribeRule", f"{EVENTS}StepStatusUpdateRule"),
        ("events:PutRule", f"{EVENTS}StepStatusUpdateRule"),
        ("events:PutTargets", f"{EVENTS}StepStatusUpdateRule"),
        ("elasticmapreduce:AddJobFlowSteps", f"{EMR}/j-1"),
        ("elasticmapreduce:DescribeStep", f"{EMR}/j-1"),
        ("elasticmapreduce:CancelSteps", f"{EMR}/j-1"),
    ]
    assert found[3].context == {"elasticmapreduce:ExecutionRoleArn": role}
    assert [need.when for need in found[3:]] == ["start", "progress", "stop"]


def test_an_emr_step_with_a_cluster_of_its_own(needs_of: Needs) -> None:
    profile = "arn:aws:iam::123456789012:instance-profile/Nodes"
    config = {
        "ServiceRole": "Service",
        "JobFlowRole": profile,
        "AutoScalingRole": "Scaling",
        "Tags": [{"Key": "team", "Value": "a"}],
    }
    found = needs_of(step("EMR", {"ClusterConfig": config, "StepConfig": {}}))
    role = "arn:aws:iam::123456789012:role/"
    assert asked(found) == [
        ("events:DescribeRule", f"{EVENTS}ClusterStatusUpdateRule"),
        ("events:PutRule", f"{EVENTS}ClusterStatusUpdateRule"),
        ("events:PutTargets", f"{EVENTS}ClusterStatusUpdateRule"),
        ("elasticmapreduce:RunJobFlow", f"{EMR}/*"),
        ("iam:PassRole", f"{role}Service"),
        ("iam:PassRole", f"{role}Nodes"),
        ("iam:PassRole", f"{role}Scaling"),
        ("elasticmapreduce:AddTags", f"{EMR}/*"),
        ("elasticmapreduce:ListSteps", f"{EMR}/*"),
        ("elasticmapreduce:DescribeCluster", f"{EMR}/*"),
        ("elasticmapreduce:TerminateJobFlows", f"{EMR}/*"),
    ]
    assert [need.context["iam:PassedToService"] for need in found if need.action == "iam:PassRole"] == [
        "elasticmapreduce.amazonaws.com",
        "ec2.amazonaws.com",
        "application-autoscaling.amazonaws.com",
    ]
    assert found[3].context["aws:RequestTag/team"] == "a"
    assert found[3].context["aws:TagKeys"] == ("team",)


@pytest.mark.parametrize(
    "type_, action, resource",
    [
        ("Training", "CreateTrainingJob", "training-job"),
        ("Processing", "CreateProcessingJob", "processing-job"),
        ("Transform", "CreateTransformJob", "transform-job"),
        ("Tuning", "CreateHyperParameterTuningJob", "hyper-parameter-tuning-job"),
        ("AutoML", "CreateAutoMLJob", "automl-job"),
        ("Model", "CreateModel", "model"),
        ("RegisterModel", "CreateModelPackage", "model-package"),
    ],
)
def test_other_steps_are_a_call_of_their_own_and_hand_on_their_role(
    needs_of: Needs, type_: str, action: str, resource: str
) -> None:
    found = needs_of(step(type_, {"RoleArn": "arn:aws:iam::123456789012:role/job", "Tags": [{"Key": "a"}]}))
    own = f"arn:aws:sagemaker:{HERE}:{resource}/*"
    assert asked(found) == [
        (f"sagemaker:{action}", own),
        ("iam:PassRole", "arn:aws:iam::123456789012:role/job"),
        ("sagemaker:AddTags", own),
    ]
    assert found[1].context == {"iam:PassedToService": "sagemaker.amazonaws.com"}


def test_the_roles_of_tuned_training_jobs_are_handed_on(needs_of: Needs) -> None:
    inner = {"TrainingJobDefinitions": [{"RoleArn": "one"}, {"RoleArn": "two"}]}
    passed = [need.resource for need in needs_of(step("Tuning", inner)) if need.action == "iam:PassRole"]
    assert passed == ["arn:aws:iam::123456789012:role/one", "arn:aws:iam::123456789012:role/two"]


def test_branches_and_loops_are_walked_and_themselves_need_nothing(needs_of: Needs) -> None:
    inner = [step("Lambda", FunctionArn="f") | {"Name": name} for name in "abc"]
    branches = {"Conditions": [], "IfSteps": [inner[0]], "ElseSteps": [inner[1]]}
    loop = step("ForEach", {"ForEachBody": [inner[2]]}) | {"Name": "L"}
    nested = step("Condition", {"IfSteps": [step("Condition", branches), step("Fail")], "ElseSteps": []})
    assert [need.step for need in needs_of(nested, loop)] == ["a", "a", "b", "b", "c", "c"]


def test_what_only_an_execution_knows_is_a_pattern(needs_of: Needs) -> None:
    declared = [{"Name": "Arn", "Type": "String"}, {"Name": "Q", "Type": "String", "DefaultValue": "q"}]
    url = {
        "Std:Join": {
            "On": "/",
            "Values": ["https://sqs.us-west-2.amazonaws.com/123456789012", {"Get": "Parameters.Q"}],
        }
    }
    steps = [
        step("Lambda", FunctionArn={"Get": "Parameters.Arn"}),
        step("Callback", SqsQueueUrl=url) | {"Name": "C"},
        step("EMR", {"ClusterId": {"Get": "Steps.S.OutputParameters['id']"}}) | {"Name": "E"},
    ]
    found = needs_of(*steps, parameters=declared)
    by_action = {need.action: need for need in found}
    assert by_action["lambda:InvokeFunction"].resource == f"arn:aws:lambda:{HERE}:function:*"
    assert by_action["sqs:SendMessage"].resource == f"arn:aws:sqs:{HERE}:q"
    assert by_action["elasticmapreduce:AddJobFlowSteps"].resource == f"{EMR}/*"
    patterns = {need.action for need in found if need.is_pattern}
    assert "elasticmapreduce:AddJobFlowSteps" in patterns and "lambda:InvokeFunction" in patterns
    assert "sqs:SendMessage" not in patterns
    known = needs_of(*steps, parameters=declared, Arn="f", Q="other")
    assert known[0].resource == f"arn:aws:lambda:{HERE}:function:f"
    assert known[2].resource == f"arn:aws:sqs:{HERE}:other"


def test_an_unknown_type_is_said_to_be_unknown(recorded: dict[str, str]) -> None:
    unknown = {
        name: [each.type for each in unknown_steps(read_definition(text, {}))]
        for name, text in recorded.items()
    }
    assert {name: types for name, types in unknown.items() if types} == {
        "cleanup": ["Cleanup"],
        "emr-serverless": ["EMRServerless", "EMRServerless"],
        "lineage": ["Lineage"],
    }


def test_every_recorded_definition_has_an_answer(recorded: dict[str, str], needs_of: Needs) -> None:
    silent = [name for name, text in recorded.items() if not needs_of(text)]
    assert sorted(silent) == ["fail", "lineage", "v3-fail"]


def test_the_caller_creates_passes_and_starts() -> None:
    role = "arn:aws:iam::123456789012:role/x"
    found = needs_of_caller("p", role, Place(Region("us-west-2"), Account("123456789012")))
    arn = f"arn:aws:sagemaker:{HERE}:pipeline/p"
    assert asked(found) == [
        ("sagemaker:CreatePipeline", arn),
        ("iam:PassRole", role),
        ("sagemaker:StartPipelineExecution", arn),
        ("sagemaker:AddTags", arn),
    ]
    assert found[1].context == {"iam:PassedToService": "sagemaker.amazonaws.com"}
    assert [need.when for need in found] == ["deploy", "deploy", "deploy", "if tagged"]


def test_region_and_account_are_those_of_the_first_function_or_queue(recorded: dict[str, str]) -> None:
    elsewhere = Place(Region("eu-north-1"), Account("999988887777"))
    assert place_of(read_definition(recorded["lambda"], {}), elsewhere) == ("us-west-2", "123456789012")
    assert place_of(read_definition(recorded["emr-cluster-config"], {}), elsewhere) == elsewhere


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"Steps": 1}', '{"Steps": [1]}', '{"Steps": [{"Name": "x"}]}', "[" * 5000]
)
def test_what_is_no_definition_is_refused(text: str) -> None:
    with pytest.raises((UnreadableDefinition, DefinitionError)):
        read_definition(text, {})
