"""Pipelines of Processing and Training steps: property files, results taken over, another attempt."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.eventually import eventually
from tests.services.sagemaker.jobs.workshop import Workshop

OVER = ("Succeeded", "Failed", "Stopped")
JOBS = ("Processing", "Training")


def allow(*actions: str, resource: str = "*", **conditions: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource, **conditions}
    return {"Version": "2012-10-17", "Statement": [statement]}


MAY_RUN_JOBS = allow(
    *(f"sagemaker:{verb}{kind}Job" for verb in ("Create", "Describe", "Stop") for kind in JOBS),
    "sagemaker:AddTags",
    "iam:PassRole",
    "s3:GetObject",
)


class Pipelines:
    """Makes pipelines of jobs whose programs are lines of shell, and looks at their executions."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.sagemaker = workshop.sagemaker

    def processing(self, name: str, script: str, *located: dict[str, str], **members: Any) -> dict[str, Any]:
        request = self.workshop.processing(script, *located)
        del request["ProcessingJobName"]
        return {"Name": name, "Type": "Processing", "Arguments": request, **members}

    def training(self, name: str, script: str, uri: Any, **members: Any) -> dict[str, Any]:
        request = self.workshop.training(script, {"train": ""})
        del request["TrainingJobName"]
        request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = uri
        return {"Name": name, "Type": "Training", "Arguments": request, **members}

    def create(self, *steps: dict[str, Any], policies: list[dict[str, Any]] | None = None) -> str:
        name, definition = new_name("jobs"), {"Version": "2020-12-01", "Steps": steps}
        role = self.workshop.server.role([MAY_RUN_JOBS] if policies is None else policies)
        self.sagemaker.create_pipeline(
            PipelineName=name, RoleArn=role, PipelineDefinition=json.dumps(definition)
        )
        return name

    def start(self, name: str) -> str:
        started = self.sagemaker.start_pipeline_execution(PipelineName=name)
        return str(started["PipelineExecutionArn"])

    def ended(self, execution: str) -> dict[str, dict[str, Any]]:
        """Its steps by name, once it is over."""

        def is_over() -> bool:
            described = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
            return described["PipelineExecutionStatus"] in OVER

        eventually(is_over, seconds=60)
        return self.steps(execution)

    def steps(self, execution: str) -> dict[str, dict[str, Any]]:
        listed = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)
        return {each["StepName"]: each for each in listed["PipelineExecutionSteps"]}

    def job(self, execution: str) -> str:
        """The ARN of the job of its step `One`, once that has one."""
        metadata = eventually(lambda: self.steps(execution).get("One", {}).get("Metadata"))
        return str(metadata["ProcessingJob"]["Arn"])

    def run(self, *steps: dict[str, Any], **more: Any) -> dict[str, dict[str, Any]]:
        return self.ended(self.start(self.create(*steps, **more)))


@pytest.fixture(scope="module")
def pipelines(server: Server, sandboxed: None) -> Pipelines:
    return Pipelines(Workshop(server))


def report(pipelines: Pipelines, text: str = '{"metrics": {"mse": {"value": 4.5}}}') -> dict[str, Any]:
    """A step that writes a report, and declares it as a property file."""
    script = f"printf '%s' '{text}' > /opt/ml/processing/out/report.json"
    folder = new_name("reports")
    return pipelines.processing(
        "Evaluate",
        script,
        {},
        {"out": f"{folder}/"},
        PropertyFiles=[{"PropertyFileName": "Report", "OutputName": "o0", "FilePath": "report.json"}],
    )


def value_of(path: str) -> dict[str, Any]:
    file = {"Get": "Steps.Evaluate.PropertyFiles.Report"}
    return {"Std:JsonGet": {"PropertyFile": file, "Path": path}}


def condition(path: str = "metrics.mse.value") -> dict[str, Any]:
    holds = {"Type": "LessThanOrEqualTo", "LeftValue": value_of(path), "RightValue": 6.0}
    arguments = {"Conditions": [holds], "IfSteps": [], "ElseSteps": []}
    return {"Name": "Good", "Type": "Condition", "Arguments": arguments, "DependsOn": ["Evaluate"]}


@pytest.mark.slow
def test_a_model_is_trained_on_what_was_prepared_and_judged_by_its_report(pipelines: Pipelines) -> None:
    pipelines.workshop.put(raw__numbers="1\n2\n3\n")
    prepared = "Steps.Prepare.ProcessingOutputConfig.Outputs['o0'].S3Output.S3Uri"
    model = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    evaluate = report(pipelines)
    evaluate["Arguments"]["ProcessingInputs"] = [
        {
            "InputName": "model",
            "S3Input": {
                "S3Uri": model,
                "LocalPath": "/opt/ml/processing/model",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }
    ]
    program = evaluate["Arguments"]["AppSpecification"]["ContainerArguments"]
    program[0] = f"tar -xOf /opt/ml/processing/model/model.tar.gz | grep -q 3 && {program[0]}"
    steps = pipelines.run(
        pipelines.processing(
            "Prepare",
            "cp /opt/ml/processing/in/numbers /opt/ml/processing/out/numbers",
            {"in": "raw/"},
            {"out": "prepared/"},
        ),
        pipelines.training(
            "Train", "wc -l < /opt/ml/input/data/train/numbers > /opt/ml/model/lines", {"Get": prepared}
        ),
        evaluate,
        condition(),
    )
    assert {name: each["StepStatus"] for name, each in steps.items()} == dict.fromkeys(
        ("Prepare", "Train", "Evaluate", "Good"), "Succeeded"
    ), steps
    assert steps["Good"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    arn = steps["Train"]["Metadata"]["TrainingJob"]["Arn"]
    tags = pipelines.sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert {each["Key"]: each["Value"] for each in tags}["sagemaker:pipeline-step-name"] == "Train"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "path", "reason"),
    [
        ("{}", "metrics.mse", "Invalid json path 'metrics.mse'"),
        ("no json", "metrics.mse", "is not a JSON document"),
    ],
)
def test_a_value_that_is_not_there_fails_who_asks_for_it(
    pipelines: Pipelines, text: str, path: str, reason: str
) -> None:
    steps = pipelines.run(report(pipelines, text), condition(path))
    assert steps["Evaluate"]["StepStatus"] == "Succeeded"
    assert steps["Good"]["StepStatus"] == "Failed" and reason in steps["Good"]["FailureReason"]


@pytest.mark.slow
def test_a_property_file_is_read_as_the_pipelines_role(pipelines: Pipelines) -> None:
    without = allow(*(each for each in MAY_RUN_JOBS["Statement"][0]["Action"] if each != "s3:GetObject"))
    steps = pipelines.run(report(pipelines), condition(), policies=[without])
    assert steps["Evaluate"]["StepStatus"] == "Succeeded"
    assert "not authorized to perform: s3:GetObject" in steps["Good"]["FailureReason"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "action",
    ["sagemaker:CreateProcessingJob", "sagemaker:AddTags", "iam:PassRole", "sagemaker:DescribeProcessingJob"],
)
def test_a_role_needs_every_permission_of_a_job(pipelines: Pipelines, action: str) -> None:
    without = allow(*(each for each in MAY_RUN_JOBS["Statement"][0]["Action"] if each != action))
    step = pipelines.run(pipelines.processing("One", "true"), policies=[without])["One"]
    assert step["StepStatus"] == "Failed"
    assert step["FailureReason"].startswith("ClientError: Failed to invoke sagemaker:")
    assert f"not authorized to perform: {action}" in step["FailureReason"]


@pytest.mark.slow
def test_a_failed_job_fails_its_step_in_its_words(pipelines: Pipelines) -> None:
    step = pipelines.run(pipelines.processing("One", "exit 7"))["One"]
    assert step["FailureReason"] == "ClientError: AlgorithmError: , exit code: 7"
    assert step["Metadata"]["ProcessingJob"]["Arn"]


@pytest.mark.slow
def test_a_result_is_taken_over_by_the_next_execution_and_the_one_after(pipelines: Pipelines) -> None:
    cache = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
    evaluate = {**report(pipelines), **cache}
    name = pipelines.create(evaluate, condition())
    first = pipelines.start(name)
    ran = pipelines.ended(first)["Evaluate"]
    assert "CacheHitResult" not in ran
    for _ in range(2):
        steps = pipelines.ended(pipelines.start(name))
        assert steps["Evaluate"]["CacheHitResult"] == {"SourcePipelineExecutionArn": first}
        assert steps["Evaluate"]["Metadata"] == ran["Metadata"]
        assert steps["Good"]["Metadata"] == {"Condition": {"Outcome": "True"}}


@pytest.mark.slow
def test_a_hit_asks_for_no_permission_to_create(pipelines: Pipelines) -> None:
    step = pipelines.processing("One", "true", CacheConfig={"Enabled": True})
    name = pipelines.create(step)
    assert pipelines.ended(pipelines.start(name))["One"]["StepStatus"] == "Succeeded"
    role = pipelines.workshop.server.role([allow("sqs:SendMessage")])
    pipelines.sagemaker.update_pipeline(PipelineName=name, RoleArn=role)
    assert "CacheHitResult" in pipelines.ended(pipelines.start(name))["One"]


@pytest.mark.slow
def test_a_stop_stops_the_job(pipelines: Pipelines) -> None:
    execution = pipelines.start(pipelines.create(pipelines.processing("One", "echo up; sleep 60")))
    arn = eventually(lambda: pipelines.steps(execution).get("One", {}).get("Metadata"))["ProcessingJob"][
        "Arn"
    ]
    job = arn.rpartition("/")[2]
    describe = pipelines.sagemaker.describe_processing_job
    eventually(lambda: describe(ProcessingJobName=job).get("ProcessingStartTime"))
    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    assert pipelines.ended(execution)["One"]["StepStatus"] == "Stopped"
    assert describe(ProcessingJobName=job)["ProcessingJobStatus"] == "Stopped"


@pytest.mark.slow
def test_a_job_that_somebody_else_stopped_fails_its_step(pipelines: Pipelines) -> None:
    execution = pipelines.start(pipelines.create(pipelines.processing("One", "sleep 60")))
    arn = eventually(lambda: pipelines.steps(execution).get("One", {}).get("Metadata"))["ProcessingJob"][
        "Arn"
    ]
    pipelines.sagemaker.stop_processing_job(ProcessingJobName=arn.rpartition("/")[2])
    step = pipelines.ended(execution)["One"]
    assert (step["StepStatus"], "Stopped" in step["FailureReason"]) == ("Failed", True)


@pytest.mark.slow
def test_a_job_that_is_lost_is_tried_again(pipelines: Pipelines) -> None:
    """Its shell is killed from outside, which passrole reports as an error of the service."""
    retries = {
        "RetryPolicies": [
            {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 1, "MaxAttempts": 2}
        ]
    }
    step = pipelines.processing("One", "sleep 5", **retries)
    execution = pipelines.start(pipelines.create(step))
    arn = eventually(lambda: pipelines.steps(execution).get("One", {}).get("Metadata"))["ProcessingJob"][
        "Arn"
    ]
    os.kill(pid_of(pipelines.workshop.server.data, arn.rpartition("/")[2]), signal.SIGKILL)
    ended = pipelines.ended(execution)["One"]
    assert (ended["StepStatus"], ended["AttemptCount"]) == ("Succeeded", 2), ended
    assert ended["Metadata"]["ProcessingJob"]["Arn"] != arn


def pid_of(data: Path, job: str) -> int:
    return int(eventually(lambda: pid_file_of(data, job).read_text().strip()))


def pid_file_of(data: Path, job: str) -> Path:
    def found() -> Path | None:
        return next(data.glob(f"jobs/processing-job/*/*/{job}/*/run/pid"), None)

    return eventually(found)
