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


def a_job_run(driver: dict[str, Any], monitoring: dict[str, Any] | None = None, **overrides: Any) -> Any:
    given = {**overrides, **({"monitoringConfiguration": monitoring} if monitoring else {})}
    job = {"jobDriver": {"sparkSubmit": driver}, "configurationOverrides": given}
    arguments = {"ExecutionRoleArn": "runs", "ApplicationId": "00f1", "JobConfig": job}
    return {"Type": "EMRServerless", "Arguments": arguments}


def test_a_job_run_reads_its_program_and_packages_and_may_use_its_arguments() -> None:
    driver = {
        "entryPoint": "s3://code/count.py",
        "entryPointArguments": ["--in=s3://b/in", "s3a://b/out/", "--mode", "fast", {"Get": "Parameters.X"}],
        "sparkSubmitParameters": "--py-files s3://code/a.zip,local:///b.zip --conf spark.jars=s3://code/x.jar"
        " --conf spark.eventLog.dir=s3://b/events",
    }
    defaults = [{"classification": "spark-defaults", "properties": {"spark.files": "s3://code/f"}}]
    needs = needs_of(a_job_run(driver, applicationConfiguration=defaults))
    assert {need.role for need in needs} == {f"{ROLE}runs"}
    assert asked([need for need in needs if need.is_required], "s3") == [
        ("s3:GetObject", f"arn:aws:s3:::code/{name}") for name in ("count.py", "a.zip", "x.jar", "f")
    ]
    found: dict[str, list[str]] = {}
    for need in needs:
        if not need.is_required:
            found.setdefault(need.resource, []).append(need.action.removeprefix("s3:"))
    of_objects = ["GetObject", "PutObject", "DeleteObject"]
    assert found.pop("arn:aws:s3:::b") == ["ListBucket"] * 3
    assert found == {f"arn:aws:s3:::b/{prefix}*": of_objects for prefix in ("in", "out/", "events")}
    assert [need.context["s3:prefix"] for need in needs if need.action == "s3:ListBucket"] == [
        "in*",
        "out/*",
        "events*",
    ]


def test_a_job_run_writes_its_logs_where_it_is_told_with_the_key_that_it_is_told() -> None:
    in_s3 = {"s3MonitoringConfiguration": {"logUri": "s3://logs/spark/", "encryptionKeyArn": f"{KEY}1"}}
    streams = {"cloudWatchLoggingConfiguration": {"enabled": True, "logGroupName": "/spark"}}
    needs = needs_of(a_job_run({"entryPoint": "local:///examples/pi.py"}, {**in_s3, **streams}))
    assert not any(need.is_required for need in needs)
    assert asked(needs, "s3") == [("s3:PutObject", "arn:aws:s3:::logs/spark/applications/*")]
    assert asked(needs, "kms") == [("kms:GenerateDataKey", f"{KEY}1"), ("kms:Decrypt", f"{KEY}1")]
    logs = "arn:aws:logs:us-west-2:123456789012:"
    assert asked(needs, "logs") == [
        ("logs:DescribeLogGroups", f"{logs}*"),
        *(
            (f"logs:{action}", f"{logs}log-group:/spark:*")
            for action in ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
        ),
    ]


def test_a_job_run_of_an_application_of_its_own_logs_as_that_says_unless_it_says_otherwise() -> None:
    step = a_job_run({"entryPoint": "s3://code/count.py"})
    step["Arguments"]["ApplicationConfig"] = {
        "monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": "s3://own"}}
    }
    assert ("s3:PutObject", "arn:aws:s3:::own/applications/*") in asked(needs_of(step), "s3")
    elsewhere = {"s3MonitoringConfiguration": {"logUri": "s3://other"}}
    step["Arguments"]["JobConfig"]["configurationOverrides"] = {"monitoringConfiguration": elsewhere}
    assert asked(needs_of(step), "s3")[1:] == [("s3:PutObject", "arn:aws:s3:::other/applications/*")]


@pytest.mark.parametrize("parameters", ["--conf 'spark.jars=s3://code/x.jar", {"Get": "Parameters.X"}, ""])
def test_what_spark_submit_cannot_read_names_nothing(parameters: Any) -> None:
    driver = {"entryPoint": "local:///pi.py", "sparkSubmitParameters": parameters}
    assert needs_of(a_job_run(driver)) == []
