"""Definition -> needs, as tables."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from passrole.arns import Account, Region
from passrole.definition import DefinitionError
from passrole.needs import Need, Place, needs_of_caller, place_of, read_definition, unknown_steps
from passrole.needs.document import UnreadableDefinition
from passrole.needs.need import function_arn, queue_arn, role_arn

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
        ("*/q", "arn:aws:sqs:us-west-2:123456789012:q"),
        ("q", "arn:aws:sqs:us-west-2:123456789012:q"),
        ("https://us-east-2.queue.amazonaws.com/999988887777/q", "arn:aws:sqs:us-east-2:999988887777:q"),
        ("https://queue.amazonaws.com/999988887777/q", "arn:aws:sqs:us-east-1:999988887777:q"),
        ("https://sqs-fips.us-west-1.amazonaws.com/999988887777/q", "arn:aws:sqs:us-west-1:999988887777:q"),
        (
            "https://sqs.us-gov-west-1.amazonaws.com/999988887777/q",
            "arn:aws-us-gov:sqs:us-gov-west-1:999988887777:q",
        ),
        (
            "https://cn-north-1.queue.amazonaws.com.cn/999988887777/q",
            "arn:aws-cn:sqs:cn-north-1:999988887777:q",
        ),
        (
            "https://vpce-0a1b-2c3d-us-east-1a.sqs.us-east-1.vpce.amazonaws.com/999988887777/q",
            "arn:aws:sqs:us-east-1:999988887777:q",
        ),
        ("https://sqs.eu-west-1.api.aws/999988887777/q", "arn:aws:sqs:eu-west-1:999988887777:q"),
        ("", "arn:aws:sqs:us-west-2:123456789012:*"),
    ],
)
def test_a_callback_needs_the_queue_behind_the_url(url: str, arn: str) -> None:
    assert queue_arn(url, Place(Region("us-west-2"), Account("123456789012"))) == arn


@pytest.mark.parametrize(
    "text, arn",
    [
        ("f", f"{HERE}:function:f"),
        ("f:live", f"{HERE}:function:f:live"),
        ("999988887777:function:f", "us-west-2:999988887777:function:f"),
        ("999988887777:f", "us-west-2:999988887777:function:f"),
        ("999988887777:function:f:7", "us-west-2:999988887777:function:f:7"),
        ("eu-west-1:999988887777:function:f", "eu-west-1:999988887777:function:f"),
        ("function:f", f"{HERE}:function:f"),
        ("*", f"{HERE}:function:*"),
    ],
)
def test_a_function_is_named_in_every_form_that_lambda_takes(text: str, arn: str) -> None:
    assert function_arn(text, Place("us-west-2", "123456789012")) == f"arn:aws:lambda:{arn}"


@pytest.mark.parametrize(
    "region, partition",
    [("cn-northwest-1", "aws-cn"), ("us-gov-east-1", "aws-us-gov"), ("eu-central-1", "aws")],
)
def test_names_are_in_the_partition_of_their_region(region: str, partition: str) -> None:
    place = Place(region, "123456789012")
    assert function_arn("f", place) == f"arn:{partition}:lambda:{region}:123456789012:function:f"
    assert role_arn("r", place) == f"arn:{partition}:iam::123456789012:role/r"


@pytest.mark.parametrize(
    "arguments, place",
    [
        ({"RoleArn": "arn:aws:iam::999988887777:role/r"}, ("us-west-2", "999988887777")),
        ({"RoleArn": "arn:aws-cn:iam::999988887777:role/r"}, ("cn-north-1", "999988887777")),
        ({"KmsKeyId": "arn:aws:kms:eu-west-1:999988887777:key/1"}, ("eu-west-1", "999988887777")),
        (
            {"AppSpecification": {"ImageUri": "683313688378.dkr.ecr.eu-west-3.amazonaws.com/x:1"}},
            ("eu-west-3", "123456789012"),
        ),
    ],
)
def test_without_function_or_queue_the_place_is_that_of_what_else_is_named(
    arguments: dict[str, Any], place: tuple[str, str]
) -> None:
    text = json.dumps({"Steps": [step("Processing", arguments)]})
    assert place_of(read_definition(text, {}), Place("us-west-2", "123456789012")) == place


def test_what_a_function_is_given_tells_no_place() -> None:
    table = "arn:aws:dynamodb:eu-north-1:999988887777:table/t"
    text = json.dumps({"Steps": [step("Lambda", {"table": table}, FunctionArn={"Get": "Parameters.F"})]})
    here = Place("us-west-2", "123456789012")
    assert place_of(read_definition(text, {}), here) == here


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


JOB = "arn:aws:iam::123456789012:role/job"


@pytest.mark.parametrize(
    "type_, noun, resource",
    [
        ("Training", "TrainingJob", "training-job/pipelines-*"),
        ("Processing", "ProcessingJob", "processing-job/pipelines-*"),
        ("ClarifyCheck", "ProcessingJob", "processing-job/pipelines-*"),
        ("AutoML", "AutoMLJob", "automl-job/*"),
    ],
)
def test_a_job_is_created_tagged_followed_and_stopped_and_its_role_handed_on(
    needs_of: Needs, type_: str, noun: str, resource: str
) -> None:
    found = needs_of(step(type_, {"RoleArn": JOB}))
    own = f"arn:aws:sagemaker:{HERE}:{resource}"
    assert asked(found) == [
        (f"sagemaker:Create{noun}", own),
        ("iam:PassRole", JOB),
        ("sagemaker:AddTags", own),
        (f"sagemaker:Describe{noun}", own),
        (f"sagemaker:Stop{noun}", own),
    ]
    assert found[1].context == {"iam:PassedToService": "sagemaker.amazonaws.com"}
    assert [need.when for need in found] == ["start", "start", "start", "progress", "stop"]
    assert [need.is_required for need in found] == [True, True, True, True, False]


@pytest.mark.parametrize(
    "type_, member, resource",
    [
        ("Training", "TrainingJobName", "training-job/churn-*"),
        ("Processing", "ProcessingJobName", "processing-job/churn-*"),
        ("Transform", "TransformJobName", "transform-job/churn-*"),
        ("Tuning", "HyperParameterTuningJobName", "hyper-parameter-tuning-job/churn-*"),
        ("Model", "ModelName", "model/churn-*"),
        ("Endpoint", "EndpointName", "endpoint/churn"),
        ("EndpointConfig", "EndpointConfigName", "endpoint-config/churn"),
        ("RegisterModel", "ModelPackageGroupName", "model-package-group/churn"),
    ],
)
def test_a_name_in_the_arguments_is_the_prefix_of_jobs_and_the_name_of_the_rest(
    needs_of: Needs, type_: str, member: str, resource: str
) -> None:
    found = needs_of(step(type_, {member: {"Get": "Parameters.N"}}), parameters=[{"Name": "N"}], N="churn")
    assert found[0].resource == f"arn:aws:sagemaker:{HERE}:{resource}"


def test_an_endpoint_is_asked_for_with_the_configuration_that_a_step_names(needs_of: Needs) -> None:
    config = step("EndpointConfig", {"EndpointConfigName": "c", "KmsKeyId": "1234"}) | {"Name": "C"}
    endpoint = step(
        "Endpoint", {"EndpointName": "e", "EndpointConfigName": {"Get": "Steps.C.EndpointConfigName"}}
    )
    found = [need for need in needs_of(config, endpoint) if need.step == "S" and need.is_required]
    own = f"arn:aws:sagemaker:{HERE}:endpoint"
    assert asked(found) == [
        ("sagemaker:CreateEndpoint", f"{own}/e"),
        ("sagemaker:CreateEndpoint", f"{own}-config/c"),
        ("sagemaker:AddTags", f"{own}/e"),
        ("sagemaker:DescribeEndpoint", f"{own}/e"),
        ("kms:CreateGrant", f"arn:aws:kms:{HERE}:key/1234"),
    ]


def test_a_package_is_registered_in_its_group_and_its_artefact_looked_at(needs_of: Needs) -> None:
    train = step("Training", {"OutputDataConfig": {"S3OutputPath": "s3://b/out/"}}) | {"Name": "T"}
    container = {"ModelDataUrl": {"Get": "Steps.T.ModelArtifacts.S3ModelArtifacts"}}
    arguments = {"ModelPackageGroupName": "churn", "InferenceSpecification": {"Containers": [container]}}
    found = [need for need in needs_of(train, step("RegisterModel", arguments)) if need.step == "S"]
    group = f"arn:aws:sagemaker:{HERE}:model-package-group/churn"
    package = f"arn:aws:sagemaker:{HERE}:model-package/churn/*"
    assert asked(found) == [
        ("sagemaker:CreateModelPackageGroup", group),
        ("sagemaker:AddTags", group),
        ("sagemaker:CreateModelPackage", package),
        ("sagemaker:DescribeModelPackage", package),
        ("s3:GetObject", "arn:aws:s3:::b/out/pipelines-*/output/model.tar.gz"),
    ]
    assert [need.is_required for need in found] == [True] * 4 + [False]


def test_a_package_with_a_key_is_registered_with_it(needs_of: Needs) -> None:
    arguments = {"ModelPackageGroupName": "churn", "SecurityConfig": {"KmsKeyId": "1234"}}
    found = [need for need in needs_of(step("RegisterModel", arguments)) if need.action.startswith("kms:")]
    key = f"arn:aws:kms:{HERE}:key/1234"
    assert asked(found) == [("kms:GenerateDataKey", key), ("kms:Decrypt", key)]
    assert all(need.is_required for need in found)


@pytest.mark.parametrize("type_, path", [("Training", "ResourceConfig"), ("Transform", "TransformResources")])
def test_where_a_key_is_named_all_that_uses_it_is_told(needs_of: Needs, type_: str, path: str) -> None:
    found = needs_of(step(type_, {path: {"VolumeKmsKeyId": "alias/mine"}}))
    keys = [need for need in found if need.action.startswith("kms:")]
    assert {need.action for need in keys} == {
        "kms:CreateGrant",
        "kms:DescribeKey",
        "kms:GenerateDataKey",
        "kms:Decrypt",
    }
    assert {need.resource for need in keys} == {f"arn:aws:kms:{HERE}:key/*"}  # whichever the alias stands for
    assert not any(need.is_required for need in keys)


def test_a_json_get_reads_its_file_as_the_pipelines_role(needs_of: Needs) -> None:
    output = {"OutputName": "o", "S3Output": {"S3Uri": "s3://b/eval/"}}
    files = [{"PropertyFileName": "R", "OutputName": "o", "FilePath": "r.json"}]
    config = {"Outputs": [output], "KmsKeyId": "1234"}
    job = step("Processing", {"ProcessingOutputConfig": config}, PropertyFiles=files) | {"Name": "P"}
    reference = {"PropertyFile": {"Get": "Steps.P.PropertyFiles.R"}, "Path": "a"}
    uri = {"S3Uri": {"Std:Join": {"On": "/", "Values": ["s3://c", {"Get": "Parameters.K"}]}}, "Path": "a"}
    conditions = [{"Type": "Equals", "LeftValue": {"Std:JsonGet": each}} for each in (reference, uri)]
    inside = step("Lambda", {"a": {"Std:JsonGet": uri}}, FunctionArn="f") | {"Name": "L"}
    outer = step("Condition", {"Conditions": conditions, "IfSteps": [inside], "ElseSteps": []})
    found = needs_of(job, outer, parameters=[{"Name": "K"}], K="k.json")
    assert asked([need for need in found if need.step == "S"]) == [
        ("s3:GetObject", "arn:aws:s3:::b/eval/r.json"),
        ("kms:Decrypt", f"arn:aws:kms:{HERE}:key/1234"),
        ("s3:GetObject", "arn:aws:s3:::c/k.json"),
    ]
    assert asked(found)[-3] == ("s3:GetObject", "arn:aws:s3:::c/k.json")  # of the step in the branch


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


def test_what_a_body_says_of_its_item_is_a_pattern_and_so_is_the_name_of_its_step(needs_of: Needs) -> None:
    """The items may come from anywhere, and each iteration has a name of its own."""
    item = {"Get": "ForEach.CurrentItem.name"}
    arn = {"Std:Join": {"On": ":", "Values": [f"arn:aws:lambda:{HERE}:function", item]}}
    function = step("Lambda", FunctionArn=arn) | {"Name": "A"}
    job = step("Training", {"RoleArn": "r"}) | {"Name": "B"}
    loop = step("ForEach", {"IterableItems": ["x"], "ForEachBody": [function, job]}) | {"Name": "L"}
    found = {need.action: need for need in needs_of(loop)}
    assert found["lambda:InvokeFunction"].resource == f"arn:aws:lambda:{HERE}:function:*"
    created = found["sagemaker:CreateTrainingJob"].context
    assert created["aws:RequestTag/sagemaker:pipeline-step-name"] == "B-*"


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
    text = json.dumps({"Steps": [step("Athena"), step("Lambda", FunctionArn="f") | {"Name": "L"}]})
    assert [each.type for each in unknown_steps(read_definition(text, {}))] == ["Athena"]
    assert not any(unknown_steps(read_definition(text, {})) for text in recorded.values())


def test_every_recorded_definition_has_an_answer(recorded: dict[str, str], needs_of: Needs) -> None:
    silent = [name for name, text in recorded.items() if not needs_of(text)]
    assert sorted(silent) == ["fail", "v3-fail"]


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
