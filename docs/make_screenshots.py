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
SIZE = {"width": 1180, "height": 760}
SECONDS_MAX = 60.0


def main() -> None:
    """Run a pipeline up to its approval, take the pictures, and stop the server."""
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
                taken(data, started(data))
            finally:
                server.terminate()


def started(data: Path) -> str:
    """The id of an execution of a pipeline of eight steps, one of which waits, one of which failed."""
    access = json.loads((data / "credentials.json").read_text())
    session = boto3.Session(
        access["access_key_id"], access["secret_access_key"], region_name=access["region"]
    )
    url = json.loads((data / "server.json").read_text())["url"]
    sagemaker: Any = session.client("sagemaker", endpoint_url=url)
    queue = session.client("sqs", endpoint_url=url).create_queue(QueueName="sagemaker-reviews")["QueueUrl"]
    sagemaker.create_pipeline(
        PipelineName="stopping-distances",
        PipelineDefinition=json.dumps(definition(queue)),
        RoleArn=access["role_arn"],
    )
    for name in ("weekly", "nightly"):
        arn = sagemaker.start_pipeline_execution(
            PipelineName="stopping-distances", PipelineExecutionDisplayName=name
        )["PipelineExecutionArn"]
    for step, succeeds in (("Import", True), ("Clean", True), ("Split", True), ("Baseline", False)):
        answer(sagemaker, arn, step, succeeds)
    return str(arn.rpartition("/")[2])


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


def taken(data: Path, execution: str) -> None:
    """The pictures of the execution and of the approvals."""
    link = subprocess.run(  # noqa: S603 (ourselves)
        [*PASSROLE, "console", "--print", "--data", str(data)], check=True, capture_output=True, text=True
    ).stdout.strip()
    with sync_playwright() as started_playwright:
        browser: Browser = started_playwright.chromium.launch(
            executable_path=shutil.which("chromium") or "", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_context(viewport=SIZE, reduced_motion="reduce").new_page()
        page.goto(link)
        base = page.url.rstrip("/")
        for name, path in (("execution", f"/executions/{execution}"), ("approvals", "/approvals")):
            page.goto(base + path)
            page.screenshot(path=PICTURES / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
