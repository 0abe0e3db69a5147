"""Steps that start jobs of SageMaker: Processing and Training."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from passrole.definition import (
    DefinitionError,
    JobStep,
    ProcessingStep,
    PropertyFile,
    TrainingStep,
    parse,
    parse_stored,
)
from passrole.definition.expressions import Constant, ObjectOf, ParameterRef
from passrole.definition.kinds import KINDS
from passrole.definition.steps import CacheConfig, RetryPolicy

RECORDED = Path(__file__).parent / "recorded_jobs"
STEPS = {  # what the SDK wrote -> its steps in order
    "job-checks": ["Q", "C"],
    "job-fwproc": ["P"],
    "job-monbt": ["MBT-transform", "MBT-monitoring"],
    "job-fwtrain": ["PT", "HF", "TF", "XG"],
    "job-legacy-register-create": ["T", "C2", "Reg2-RegisterModel"],
    "job-pipelinemodel": ["T", "PM-RepackModel-1", "PM-RegisterModel"],
    "job-repack": [
        *("T", "PTReg-RepackModel-0", "PTReg-RegisterModel"),
        *("XGCre-CreateModel", "M3-RegisterModel"),
    ],
    "job-sklearnest": ["T"],
    "job-sklearnproc": ["P"],
    "job-spark": ["P"],
    "notebook-job": ["NB"],
    "processing-custom-job-prefix": ["Proc"],
    "processing-propertyfile-jsonget-retry-cache": ["Proc", "Cond", "L", "F"],
    "step-decorator": ["stepg", "Cond", "L", "stepf"],
    "training": ["Train", "L"],
}
DESCRIBED = {"Processing": "DescribeProcessingJob", "Training": "DescribeTrainingJob"}
OUTPUTS = {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "train"}]}}
TextOf = Callable[..., str]
ProblemsOf = Callable[[str], Sequence[str]]
LambdaStep = Callable[..., dict[str, Any]]


def job(type_: str = "Processing", arguments: Mapping[str, Any] | None = None, **members: Any) -> Any:
    return {"Name": "J", "Type": type_, "Arguments": arguments or {}} | members


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.iterdir()))
def test_what_the_sdk_writes_is_read(name: str) -> None:
    pipeline = parse((RECORDED / f"{name}.json").read_text())
    assert list(pipeline.steps) == STEPS[name.removeprefix("v3-")]


def test_every_recorded_definition_is_tested() -> None:
    assert {path.stem.removeprefix("v3-") for path in RECORDED.iterdir()} == set(STEPS)


def test_a_processing_step_with_everything(text_of: TextOf) -> None:
    document = {
        "Name": "J",
        "Type": "Processing",
        "DisplayName": "shown",
        "Description": "told",
        "DependsOn": [],
        "Arguments": {"ProcessingJobName": "mine", "RoleArn": {"Get": "Parameters.R"}},
        "PropertyFiles": [{"PropertyFileName": "f", "OutputName": "o", "FilePath": "a/b.json"}],
        "CacheConfig": {"Enabled": True, "ExpireAfter": "T1h"},
        "RetryPolicies": [{"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "MaxAttempts": 2}],
    }
    step = parse(text_of(document, Parameters=[{"Name": "R", "Type": "String"}])).steps["J"]
    assert step == ProcessingStep(
        name="J",
        where="Steps[0]",
        display_name="shown",
        description="told",
        arguments=ObjectOf((("ProcessingJobName", Constant("mine")), ("RoleArn", ParameterRef("R")))),
        property_files=(PropertyFile("f", "o", "a/b.json"),),
        cache=CacheConfig(True, 3600),
        retries=(RetryPolicy(("SageMaker.JOB_INTERNAL_ERROR",), attempts_max=2),),
    )


@pytest.mark.parametrize("type_", DESCRIBED)
def test_a_member_that_is_null_is_absent(type_: str, text_of: TextOf) -> None:
    nothing = dict.fromkeys(("CacheConfig", "RetryPolicies", "DependsOn", "DisplayName", "Description"))
    kind = {"Processing": ProcessingStep, "Training": TrainingStep}[type_]
    expected = kind(name="J", where="Steps[0]", arguments=Constant({}))
    assert parse(text_of(job(type_, **nothing))).steps["J"] == expected


@pytest.mark.parametrize(
    ("document", "ending"),
    [
        ({"Name": "J", "Type": "Training"}, "Missing required property 'Arguments'."),
        (job(Arguments=None), "Value for 'Arguments' must be of type Object."),
        (job(Arguments=[]), "Value for 'Arguments' must be of type Object."),
        (job(OutputParameters=[]), "unknown property 'OutputParameters'."),
        (job("Training", PropertyFiles=[]), "unknown property 'PropertyFiles'."),
        (job(PropertyFiles={}), "Value for 'PropertyFiles' must be of type List."),
        (
            job(PropertyFiles=[{"PropertyFileName": "f", "OutputName": "o"}]),
            "Missing required property 'FilePath'.",
        ),
        (
            job(PropertyFiles=[{"PropertyFileName": "f", "OutputName": "o", "FilePath": "a"}] * 2),
            "PropertyFileName 'f' is not unique: a name may appear only once in a pipeline.",
        ),
        (
            job(CacheConfig={"Enabled": True, "ExpireAfter": "a month"}),
            "Value 'a month' for 'ExpireAfter' failed to satisfy constraint: "
            "Member must be an ISO 8601 duration such as P30D or PT12H",
        ),
    ],
    ids=str,
)
def test_bad_members_are_problems(
    document: Any, ending: str, text_of: TextOf, problems_of: ProblemsOf
) -> None:
    (message,) = problems_of(text_of(document))
    assert message.endswith(ending)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"MaxAttempts": 20}, RetryPolicy(("Step.THROTTLING",), attempts_max=20)),
        ({"MaxAttempts": 0}, RetryPolicy(("Step.THROTTLING",), attempts_max=0)),
        ({"ExpireAfterMin": 14_400}, RetryPolicy(("Step.THROTTLING",), expire_minutes=14_400)),
        ({"IntervalSeconds": 43_200}, RetryPolicy(("Step.THROTTLING",), interval_seconds=43_200)),
        ({"BackoffRate": 1.5}, RetryPolicy(("Step.THROTTLING",), backoff=1.5)),
        ({"ExceptionType": "SageMaker.CAPACITY_ERROR"}, RetryPolicy(("SageMaker.CAPACITY_ERROR",))),
        ({"ExceptionType": ["SageMaker.RESOURCE_LIMIT"]}, RetryPolicy(("SageMaker.RESOURCE_LIMIT",))),
        ({"MaxAttempts": 21}, "Member must have value less than or equal to 20"),
        ({"MaxAttempts": -1}, "Value for 'MaxAttempts' must be of type Number."),
        ({"MaxAttempts": 2.5}, "Value for 'MaxAttempts' must be of type Integer."),
        ({"IntervalSeconds": 0.5}, "Value for 'IntervalSeconds' must be of type Integer."),
        ({"ExpireAfterMin": 14_401}, "Member must have value less than or equal to 14400"),
        ({"IntervalSeconds": 43_201}, "Member must have value less than or equal to 43200"),
        ({"MaxAttempts": 1, "ExpireAfterMin": 1}, "MaxAttempts and ExpireAfterMin must be specified."),
        ({"ExceptionType": ["SageMaker.OTHER"]}, "SageMaker.CAPACITY_ERROR, SageMaker.RESOURCE_LIMIT]"),
        ({"Retries": 1}, "unknown property 'Retries'."),
    ],
    ids=str,
)
@pytest.mark.parametrize("type_", DESCRIBED)
def test_retry_policies_of_a_job_keep_to_the_guide(
    type_: str, given: Any, expected: RetryPolicy | str, text_of: TextOf, problems_of: ProblemsOf
) -> None:
    text = text_of(job(type_, RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"]} | given]))
    if isinstance(expected, str):
        (message,) = problems_of(text)
        assert message.endswith(expected)
    else:
        step = parse(text).steps["J"]
        assert isinstance(step, JobStep)
        assert step.retries == (expected,)


def test_an_emr_step_takes_the_policies_that_it_always_took(text_of: TextOf) -> None:
    arguments = {"ClusterId": "j-1", "StepConfig": {"HadoopJarStep": {"Jar": "j"}}}
    policy = {"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 99, "ExpireAfterMin": 20_000}
    parse(text_of(job("EMR", arguments, RetryPolicies=[policy])))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"Enabled": True}, CacheConfig(True)),
        ({"Enabled": True, "ExpireAfter": None}, CacheConfig(True)),
        ({"Enabled": True, "ExpireAfter": "0d"}, CacheConfig(True, 0)),
        ({"Enabled": False, "ExpireAfter": "never"}, CacheConfig(False)),
        ({"ExpireAfter": "P1D"}, CacheConfig(False)),
    ],
)
def test_a_cache_that_is_enabled_has_an_age(given: Any, expected: CacheConfig, text_of: TextOf) -> None:
    step = parse(text_of(job(CacheConfig=given))).steps["J"]
    assert isinstance(step, JobStep)
    assert step.cache == expected


def test_an_unreadable_age_that_was_stored_disables_the_cache(
    text_of: TextOf, lambda_step: LambdaStep
) -> None:
    text = text_of(lambda_step("l", CacheConfig={"Enabled": True, "ExpireAfter": "soon"}))
    pipeline = parse_stored(text)
    assert pipeline.steps["l"] == parse(text_of(lambda_step("l", CacheConfig={}))).steps["l"]
    with pytest.raises(DefinitionError, match="Value 'soon' for 'ExpireAfter'"):
        parse(text)


def test_what_is_tolerated_is_reported_together_with_what_is_not(
    text_of: TextOf, lambda_step: LambdaStep
) -> None:
    text = text_of(lambda_step("l", CacheConfig={"Enabled": True, "ExpireAfter": "soon"}, Extra=1))
    with pytest.raises(DefinitionError) as caught:
        parse_stored(text)
    assert [problem.tolerated for problem in caught.value.problems] == [True, False]


@pytest.mark.parametrize(("type_", "operation"), DESCRIBED.items())
def test_the_properties_of_a_job_are_its_description(type_: str, operation: str) -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    properties = KINDS[type_].properties
    shape: Any = model.operation_model(operation).output_shape
    assert properties is not None
    assert tuple(properties.members) == tuple(shape.members)
    for named in properties.lists:
        member = shape
        for part in named.path:
            member = member.members[part]
        assert named.name in member.member.members


@pytest.mark.parametrize(
    ("type_", "arguments", "path", "holds"),
    [
        ("Processing", {}, "ProcessingJobStatus", True),
        ("Processing", {}, "TrainingJobStatus", False),
        ("Processing", {}, "OutputParameters['x']", False),
        ("Processing", OUTPUTS, "ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri", True),
        ("Processing", OUTPUTS, "ProcessingOutputConfig.Outputs[0].S3Output.S3Uri", True),
        ("Processing", OUTPUTS, "ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri", False),
        ("Processing", OUTPUTS, "ProcessingOutputConfig.KmsKeyId", True),
        ("Processing", {}, "ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri", False),
        (
            "Processing",
            {"ProcessingOutputConfig": {"Get": "Parameters.P"}},
            "ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri",
            True,
        ),
        (
            "Processing",
            {"ProcessingInputs": [{"InputName": {"Get": "Parameters.P"}}]},
            "ProcessingInputs['any'].S3Input.S3Uri",
            True,
        ),
        (
            "Processing",
            {"ProcessingInputs": [{"InputName": "in", "S3Input": {"S3Uri": {"Get": "Parameters.P"}}}]},
            "ProcessingInputs['out'].S3Input.S3Uri",
            False,
        ),
        ("Training", {}, "ModelArtifacts.S3ModelArtifacts", True),
        ("Training", {}, "FinalMetricDataList['val:acc'].Value", True),
        ("Training", {}, "HyperParameters['anything']", True),
        ("Training", {"InputDataConfig": [{"ChannelName": "t"}]}, "InputDataConfig['v'].ContentType", False),
        ("Training", {}, "ProcessingJobArn", False),
    ],
)
def test_a_reference_to_a_job_leads_into_its_description(
    type_: str,
    arguments: Any,
    path: str,
    holds: bool,
    text_of: TextOf,
    lambda_step: LambdaStep,
    problems_of: ProblemsOf,
) -> None:
    reader = lambda_step("l", Arguments={"x": {"Get": f"Steps.J.{path}"}})
    text = text_of(job(type_, arguments), reader, Parameters=[{"Name": "P", "Type": "String"}])
    expected = [f"Step 'l' references 'Steps.J.{path}', which is not an output of that step."]
    assert problems_of(text) == ([] if holds else expected)


def test_a_recorded_definition_keeps_its_policies_and_its_cache() -> None:
    text = (RECORDED / "v3-training.json").read_text()
    step = parse(text).steps["Train"]
    assert isinstance(step, TrainingStep)
    given = json.loads(text)["Steps"][0]["RetryPolicies"]
    assert [list(policy.exceptions) for policy in step.retries] == [each["ExceptionType"] for each in given]
    assert step.cache == CacheConfig(True, 30 * 86_400)
