"""Takes the pictures of the console for the README and the docs, from a run: `make screenshots`."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "images"
PASSROLE = [sys.executable, "-m", "passrole"]
WIDTH = 1180
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
TRAIN = (
    "awk -v r=$RATE 'BEGIN { for (i = 1; i < 61; i++) { n = (rand() - .5) / (3 + i / 4); e = exp(-i * r); "
    'printf "epoch=%d; loss=%.4f; validation:loss=%.4f; accuracy=%.4f;\\n", '
    "i, 2.4*e + .21 + n, 2.5*e + .26 + 1.6*n, .96 - e/2 - n/4 } }'"
)
"""A program that prints what a training would."""
SECONDS_MAX = 60.0


def main() -> None:
    """Run two pipelines, one up to its approval, take the pictures, and stop the server."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        command = [*PASSROLE, "serve", "--data", str(data), "--port", "0", "--console", "--console-port", "0"]
        with subprocess.Popen(  # noqa: S603 (ourselves)
            command, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL
        ) as server:
            try:
                assert server.stdout is not None
                server.stdout.readline()
                taken(data, started(Local(data)), trained(Local(data)))
            finally:
                server.terminate()


class Local:
    """The server's clients, and the role of its pipelines."""

    def __init__(self, data: Path) -> None:
        access = json.loads((data / "credentials.json").read_text())
        self.role = access["role_arn"]
        self._url = json.loads((data / "server.json").read_text())["url"]
        self._session = boto3.Session(
            access["access_key_id"], access["secret_access_key"], region_name=access["region"]
        )

    def client(self, service: str) -> Any:
        """A client of boto3."""
        return self._session.client(service, endpoint_url=self._url)  # type: ignore[call-overload]


def started(local: Local) -> str:
    """The id of an execution of a pipeline of eight steps, one of which waits, one of which failed."""
    sagemaker = local.client("sagemaker")
    queue = local.client("sqs").create_queue(QueueName="sagemaker-reviews")["QueueUrl"]
    sagemaker.create_pipeline(
        PipelineName="stopping-distances",
        PipelineDefinition=json.dumps(definition(queue)),
        RoleArn=local.role,
    )
    for name in ("weekly", "nightly"):
        arn = sagemaker.start_pipeline_execution(
            PipelineName="stopping-distances", PipelineExecutionDisplayName=name
        )["PipelineExecutionArn"]
    for step, succeeds in (("Import", True), ("Clean", True), ("Split", True), ("Baseline", False)):
        answer(sagemaker, arn, step, succeeds)
    return str(arn.rpartition("/")[2])


def trained(local: Local) -> tuple[str, str]:
    """The ids of two executions of a pipeline that trains, at two rates."""
    sagemaker, bucket = local.client("sagemaker"), "sagemaker-stopping-distances"
    local.client("s3").create_bucket(Bucket=bucket)
    local.client("iam").attach_role_policy(RoleName=local.role.rpartition("/")[2], PolicyArn=FULL_ACCESS)
    rate = {"Name": "LearningRate", "Type": "String", "DefaultValue": "0.05"}
    steps = [training(local.role, bucket)]
    sagemaker.create_pipeline(
        PipelineName="braking-model",
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Parameters": [rate], "Steps": steps}),
        RoleArn=local.role,
    )
    return ended(sagemaker, "slow", "0.05"), ended(sagemaker, "fast", "0.12")


def training(role: str, bucket: str) -> dict[str, Any]:
    """A step whose job prints three metrics."""
    metrics = [
        {"Name": name, "Regex": rf"(?:^|\s){name}=([0-9.]+);"}
        for name in ("loss", "validation:loss", "accuracy")
    ]
    arguments = {
        "RoleArn": role,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/sh", "-c"],
            "ContainerArguments": [TRAIN],
            "MetricDefinitions": metrics,
        },
        "Environment": {"RATE": {"Get": "Parameters.LearningRate"}},
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
    }
    return {"Name": "Train", "Type": "Training", "Arguments": arguments}


def ended(sagemaker: Any, name: str, rate: str) -> str:
    """The id of an execution at a rate, once it has succeeded."""
    arn = sagemaker.start_pipeline_execution(
        PipelineName="braking-model",
        PipelineExecutionDisplayName=name,
        PipelineParameters=[{"Name": "LearningRate", "Value": rate}],
    )["PipelineExecutionArn"]
    until = time.monotonic() + SECONDS_MAX
    while time.monotonic() < until:
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        if described["PipelineExecutionStatus"] == "Succeeded":
            return str(arn.rpartition("/")[2])
        if described["PipelineExecutionStatus"] == "Failed":
            steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)
            raise SystemExit(str(steps["PipelineExecutionSteps"][0]["FailureReason"]))
        time.sleep(0.1)
    raise SystemExit(f"{name} did not end")


def definition(queue: str) -> dict[str, Any]:
    """Steps that wait for answers, so that each stands where the picture wants it."""

    def step(name: str, *needed: str, **arguments: str) -> dict[str, Any]:
        outputs = [{"OutputName": "mean_error", "OutputType": "Float"}] if name == "Review" else []
        return {
            "Name": name,
            "Type": "Callback",
            "SqsQueueUrl": queue,
            "Arguments": arguments or {"step": name},
            "OutputParameters": outputs,
            "DependsOn": list(needed),
        }

    publish = {
        "Name": "IsGood",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [
                {
                    "Type": "LessThanOrEqualTo",
                    "LeftValue": {"Get": "Steps.Review.OutputParameters['mean_error']"},
                    "RightValue": 2.0,
                }
            ],
            "IfSteps": [step("Publish")],
            "ElseSteps": [
                {"Name": "TooFarOff", "Type": "Fail", "Arguments": {"ErrorMessage": "too far off"}}
            ],
        },
    }
    return {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "Speeds", "Type": "Integer", "DefaultValue": 50}],
        "Steps": [
            step("Import"),
            step("Clean", "Import"),
            step("Split", "Clean"),
            step("Baseline", "Clean"),
            step("Review", "Split", model="s3://models/stopping/14/model.tar.gz", rows="50"),
            publish,
        ],
    }


def answer(sagemaker: Any, arn: str, name: str, succeeds: bool) -> None:
    """Answer a step's callback once it waits."""
    until = time.monotonic() + SECONDS_MAX
    while time.monotonic() < until:
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
        for step in steps:
            token = step.get("Metadata", {}).get("Callback", {}).get("CallbackToken")
            if step["StepName"] == name and token:
                if succeeds:
                    sagemaker.send_pipeline_execution_step_success(CallbackToken=token)
                else:
                    reason = "the baseline of last week is missing"
                    sagemaker.send_pipeline_execution_step_failure(CallbackToken=token, FailureReason=reason)
                return
        time.sleep(0.1)
    raise SystemExit(f"{name} did not wait for an answer")


def taken(data: Path, execution: str, trainings: tuple[str, str]) -> None:
    """The pictures of the execution, the approvals, a training's metrics, and two executions compared."""
    left, right = trainings
    link = subprocess.run(  # noqa: S603 (ourselves)
        [*PASSROLE, "console", "--print", "--data", str(data)], check=True, capture_output=True, text=True
    ).stdout.strip()
    with sync_playwright() as started_playwright:
        browser: Browser = started_playwright.chromium.launch(
            executable_path=shutil.which("chromium") or "", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_context(reduced_motion="reduce").new_page()
        page.goto(link)
        base = page.url.rstrip("/")
        for name, height, path in (
            ("execution", 780, f"/executions/{execution}"),
            ("approvals", 650, "/approvals"),
            ("metrics", 600, f"/executions/{right}/steps/Train"),
            ("compare", 1010, f"/compare?left={left}&right={right}"),
        ):
            page.set_viewport_size({"width": WIDTH, "height": height})
            page.goto(base + path)
            page.screenshot(path=PICTURES / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
