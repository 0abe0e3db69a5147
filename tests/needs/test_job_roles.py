"""What the roles of jobs need: by type of step, each role by its name."""

import json
from typing import Any

import pytest

from passrole.needs import Need, Place, needs_of_job_roles, read_definition

PLACE = Place("us-west-2", "123456789012")
ROLE = "arn:aws:iam::123456789012:role/"
KEY = "arn:aws:kms:us-west-2:123456789012:key/"


def needs_of(*steps: dict[str, Any]) -> list[Need]:
    named = [{"Name": f"S{at}", **each} for at, each in enumerate(steps)]
    return needs_of_job_roles(read_definition(json.dumps({"Steps": named}), {}), PLACE)


def asked(needs: list[Need], service: str) -> list[tuple[str, str]]:
    return [(need.action, need.resource) for need in needs if need.action.startswith(f"{service}:")]


def channel(uri: Any) -> dict[str, Any]:
    return {"DataSource": {"S3DataSource": {"S3Uri": uri}}}


def test_a_training_job_reads_writes_logs_pulls_and_encrypts() -> None:
    arguments = {
        "RoleArn": "jobs",
        "AlgorithmSpecification": {"TrainingImage": "683313688378.dkr.ecr.us-west-2.amazonaws.com/xgb:1.7"},
        "InputDataConfig": [channel("s3://in/train"), channel("s3://in")],
        "OutputDataConfig": {"S3OutputPath": "s3://out/models/", "KmsKeyId": "1"},
        "CheckpointConfig": {"S3Uri": "s3://check/points"},
        "ResourceConfig": {"VolumeKmsKeyId": "2"},
        "VpcConfig": {"Subnets": ["subnet-1"]},
    }
    needs = needs_of({"Type": "Training", "Arguments": arguments})
    assert {need.role for need in needs} == {f"{ROLE}jobs"}
    assert asked(needs, "s3") == [
        ("s3:ListBucket", "arn:aws:s3:::in"),
        ("s3:GetObject", "arn:aws:s3:::in/train*"),
        ("s3:ListBucket", "arn:aws:s3:::in"),
        ("s3:GetObject", "arn:aws:s3:::in/*"),
        ("s3:ListBucket", "arn:aws:s3:::check"),
        ("s3:GetObject", "arn:aws:s3:::check/points*"),
        ("s3:PutObject", "arn:aws:s3:::out/models/*"),
        ("s3:PutObject", "arn:aws:s3:::check/points/*"),
    ]
    listed = [need.context["s3:prefix"] for need in needs if need.action == "s3:ListBucket"]
    assert listed == ["train", "", "points"]
    group = "arn:aws:logs:us-west-2:123456789012:log-group:/aws/sagemaker/TrainingJobs:*"
    assert {resource for _, resource in asked(needs, "logs")} == {group}
    repository = "arn:aws:ecr:us-west-2:683313688378:repository/xgb"
    assert asked(needs, "ecr")[0] == ("ecr:GetAuthorizationToken", "*")
    assert {resource for _, resource in asked(needs, "ecr")[1:]} == {repository}
    assert asked(needs, "kms") == [
        ("kms:CreateGrant", f"{KEY}2"),
        ("kms:DescribeKey", f"{KEY}2"),
        ("kms:GenerateDataKey", f"{KEY}1"),
        ("kms:Decrypt", f"{KEY}1"),
        ("kms:Encrypt", f"{KEY}1"),
    ]
    assert len(asked(needs, "ec2")) == 9
    assert [need.action for need in needs if not need.is_required] == [
        "cloudwatch:PutMetricData",
        "kms:Encrypt",
    ]


def test_a_job_reads_what_an_earlier_step_wrote() -> None:
    output = {"OutputName": "train", "S3Output": {"S3Uri": "s3://b/prepared"}}
    prepare = {"RoleArn": "p", "ProcessingOutputConfig": {"Outputs": [output]}}
    uri = {"Get": "Steps.S0.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"}
    needs = needs_of(
        {"Type": "Processing", "Arguments": prepare},
        {"Type": "Training", "Arguments": {"RoleArn": "t", "InputDataConfig": [channel(uri)]}},
    )
    by_role = {role: asked([need for need in needs if need.role == ROLE + role], "s3") for role in "pt"}
    assert by_role == {
        "p": [("s3:PutObject", "arn:aws:s3:::b/prepared/*")],
        "t": [("s3:ListBucket", "arn:aws:s3:::b"), ("s3:GetObject", "arn:aws:s3:::b/prepared*")],
    }


def test_a_function_is_read_and_its_result_written_below_its_address() -> None:
    words = ["--s3_base_uri", "s3://b/pipeline", "--region", "r", "--client_python_version", "3.11"]
    arguments = {"RoleArn": "jobs", "AlgorithmSpecification": {"ContainerArguments": words}}
    assert asked(needs_of({"Type": "Training", "Arguments": arguments}), "s3") == [
        ("s3:GetObject", "arn:aws:s3:::b/pipeline/*"),
        ("s3:PutObject", "arn:aws:s3:::b/pipeline/*"),
    ]
    arguments["AlgorithmSpecification"] = {"ContainerArguments": words[:4]}
    assert asked(needs_of({"Type": "Training", "Arguments": arguments}), "s3") == []


def test_a_transform_job_has_the_role_of_its_model() -> None:
    model = {"ExecutionRoleArn": "m", "PrimaryContainer": {"ModelDataUrl": "s3://b/model.tar.gz"}}
    transform = {
        "ModelName": {"Get": "Steps.S0.ModelName"},
        "TransformInput": channel("s3://in/batch"),
        "TransformOutput": {"S3OutputPath": "s3://out"},
    }
    needs = needs_of({"Type": "Model", "Arguments": model}, {"Type": "Transform", "Arguments": transform})
    assert {need.role for need in needs} == {f"{ROLE}m"}
    assert asked(needs, "s3") == [
        ("s3:GetObject", "arn:aws:s3:::b/model.tar.gz"),
        ("s3:ListBucket", "arn:aws:s3:::in"),
        ("s3:GetObject", "arn:aws:s3:::in/batch*"),
        ("s3:PutObject", "arn:aws:s3:::out/*"),
    ]
    elsewhere = needs_of({"Type": "Transform", "Arguments": {**transform, "ModelName": "another"}})
    assert {need.role for need in elsewhere} == {f"{ROLE}*"}


def test_a_tuning_job_has_the_roles_of_the_jobs_that_it_defines() -> None:
    inner = [
        {"RoleArn": "one", "OutputDataConfig": {"S3OutputPath": "s3://one"}},
        {"RoleArn": "two", "OutputDataConfig": {"S3OutputPath": "s3://two"}},
    ]
    needs = needs_of({"Type": "Tuning", "Arguments": {"TrainingJobDefinitions": inner}})
    found = {(need.role, need.resource) for need in needs if need.action == "s3:PutObject"}
    assert found == {(f"{ROLE}one", "arn:aws:s3:::one/*"), (f"{ROLE}two", "arn:aws:s3:::two/*")}


@pytest.mark.parametrize(
    "step", [{"Type": "Lambda"}, {"Type": "RegisterModel", "Arguments": {"RoleArn": "x"}}]
)
def test_what_runs_no_job_has_no_such_role(step: dict[str, Any]) -> None:
    assert needs_of(step) == []
