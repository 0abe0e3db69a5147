r"""Pipelines of functions, a job and a callback, whose programs note their runs; their clients.

    First (function) -> Work (job) ----------+
                   \-> Ask (callback) -> Then (function) -> Last (function)

Each step is given what the one before returned: the id of that run. So what a step was given tells which
result of the one before was the one that counted.
"""

import itertools
import json
import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from tests.chaos.caller import Caller, code
from tests.chaos.load.crew import Crew
from tests.chaos.load.executions import started
from tests.chaos.load.mailbox import Mailbox, body
from tests.chaos.load.roles import made_role
from tests.conftest import zipped

AT_ONCE = 8
PIPELINE = "chaos"
_SERVICES = ("sagemaker.amazonaws.com", "lambda.amazonaws.com")
OVER = {"Succeeded", "Failed", "Stopped", "CompletedWithFailures"}
_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
_MAY = {"Effect": "Allow", "Action": ["sagemaker:*", "iam:PassRole", "lambda:*", "s3:*", "sqs:*", "logs:*"]}
_FUNCTION = """
    import os
    import time

    def note(event, run, what):
        given = ",".join(map(str, event["given"]))
        node = os.environ["AWS_ENDPOINT_URL"]
        line = f"{event['execution']} {event['step']} {run} {what} {time.monotonic()} {given} {node}\\n"
        file = os.open(event["file"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(file, line.encode())
        os.close(file)

    def handler(event, context):
        note(event, context.aws_request_id, "begin")
        time.sleep(event["seconds"])
        note(event, context.aws_request_id, "end")
        return {"n": context.aws_request_id}
"""
_PROGRAM = """
name=$(sed -n 's/.*"ProcessingJobName": *"\\([^"]*\\)".*/\\1/p' /opt/ml/config/processingjobconfig.json)
note() { echo "$EXECUTION Work $name $1 $(cut -d' ' -f1 /proc/uptime) $GIVEN " >> FILE; }
note begin
sleep 0.3
echo "$GIVEN" > /opt/ml/processing/out/given
note end
"""
_EXECUTION = {"Get": "Execution.PipelineExecutionId"}


class Pipelines:
    """The pipeline with all that it needs, and its executions."""

    def __init__(self, caller: Caller, notes: Path) -> None:
        self._caller, self._told, self._notes = caller, caller.told, notes
        self._numbers, self._answers = itertools.count(), itertools.count()
        self._callbacks = Mailbox(caller, "chaos-sagemaker-callbacks")
        self.role = made_role(caller, "chaos", _SERVICES, _MAY)
        self._program = notes.with_name("program")
        self._program.write_text(_PROGRAM.replace("FILE", str(notes)))
        self._bucket = "chaos-work"
        caller.until_told("s3.create_bucket", Bucket=self._bucket)
        self._function = caller.until_told(
            "lambda.create_function",
            FunctionName="chaos-sagemaker-note",
            Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
            Role=self.role,
            Handler="main.handler",
            Timeout=30,
            Code={"ZipFile": zipped({"main.py": _FUNCTION})},
        )["FunctionArn"]
        caller.until_told(
            "sagemaker.create_pipeline",
            PipelineName=PIPELINE,
            RoleArn=self.role,
            ClientRequestToken="p" * 32,
            PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": self._steps()}),
        )

    def join(self, crew: Crew) -> None:
        crew.produces(self.start, 0.3)
        crew.consumes(self.watch, 0.3)
        crew.consumes(self.answer, 0.1)
        crew.consumes(self.answer, 0.1)

    def start(self) -> None:
        """One more, while few enough run; asked again with its token until it is answered."""
        if len(self._told.open_executions()) >= AT_ONCE:
            return
        token = f"{next(self._numbers):032}"
        for _ in range(1 + (int(token) % 7 == 0)):  # a client that asks twice is told of the same execution
            started(self._caller, PIPELINE, token)

    def watch(self) -> None:
        """What is told of those that run, and of their steps."""
        for arn in self._told.open_executions():
            self.look_at(arn)

    def look_at(self, arn: str) -> None:
        described = self._caller.until_told("sagemaker.describe_pipeline_execution", PipelineExecutionArn=arn)
        listed = self._caller.until_told("sagemaker.list_pipeline_execution_steps", PipelineExecutionArn=arn)
        for step in listed["PipelineExecutionSteps"]:
            if step["StepStatus"] == "Succeeded":
                self._told.step((arn.rpartition("/")[2], step["StepName"]), _outputs(step))
        status = described["PipelineExecutionStatus"]
        if status in OVER:
            reasons = [
                step["FailureReason"] for step in listed["PipelineExecutionSteps"] if "FailureReason" in step
            ]
            with self._told.lock:
                self._told.ended[arn] = status if status == "Succeeded" else f"{status}: {reasons}"

    def listed(self, pipeline: str) -> dict[str, str]:
        """All executions, and their display names."""
        found: dict[str, str] = {}
        more: dict[str, str] = {}
        while True:
            page = self._caller.until_told(
                "sagemaker.list_pipeline_executions", PipelineName=pipeline, MaxResults=100, **more
            )
            for each in page["PipelineExecutionSummaries"]:
                found[each["PipelineExecutionArn"]] = each.get("PipelineExecutionDisplayName", "")
            if "NextToken" not in page:
                return found
            more = {"NextToken": page["NextToken"]}

    def answer(self) -> None:
        """Each receiver of a message answers something else; one of them may be heard."""
        self._callbacks.receive(body, self._answer)

    def function_step(self, name: str, *given: str, seconds: float = 0.1) -> dict[str, Any]:
        """One whose function is given these values, and takes so long."""
        return {
            "Name": name,
            "Type": "Lambda",
            "FunctionArn": self._function,
            "Arguments": {
                "execution": _EXECUTION,
                "step": name,
                "file": str(self._notes),
                "given": [{"Get": each} for each in given],
                "seconds": seconds,
            },
            "OutputParameters": [{"OutputName": "n", "OutputType": "String"}],
        }

    def _answer(self, message: str) -> None:
        asked = json.loads(message)
        token, answer = asked["token"], f"a{next(self._answers)}"
        with self._told.lock:
            self._told.asked[token] = (asked["pipelineExecutionArn"].rpartition("/")[2], "Ask")
            self._told.tried[token].add(answer)
        try:
            self._caller.until_told(
                "sagemaker.send_pipeline_execution_step_success",
                CallbackToken=token,
                OutputParameters=[{"Name": "n", "Value": answer}],
                ClientRequestToken=f"{answer:_>32}",
            )
        except ClientError as error:  # another answer came first
            self._told.failure(f"an answer: {code(error)}")
        else:
            with self._told.lock:
                self._told.answered[token].append(answer)

    def _steps(self) -> list[dict[str, Any]]:
        first, ask, then = (f"Steps.{name}.OutputParameters['n']" for name in ("First", "Ask", "Then"))
        output = [{"OutputName": "n", "OutputType": "String"}]
        return [
            self.function_step("First"),
            self._job_step("Work", first),
            {
                "Name": "Ask",
                "Type": "Callback",
                "SqsQueueUrl": self._callbacks.url,
                "Arguments": {"n": {"Get": first}},
                "OutputParameters": output,
            },
            self.function_step("Then", first, ask),
            {**self.function_step("Last", then), "DependsOn": ["Work"]},
        ]

    def _job_step(self, name: str, given: str) -> dict[str, Any]:
        uri = {"Std:Join": {"On": "", "Values": [f"s3://{self._bucket}/", _EXECUTION]}}
        output = {"S3Uri": uri, "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
        instance = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        return {
            "Name": name,
            "Type": "Processing",
            "Arguments": {
                "RoleArn": self.role,
                "AppSpecification": {
                    "ImageUri": _IMAGE,
                    "ContainerEntrypoint": ["/bin/sh", str(self._program)],
                },
                "ProcessingResources": {"ClusterConfig": instance},
                "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": output}]},
                "Environment": {"EXECUTION": _EXECUTION, "GIVEN": {"Get": given}},
            },
            "RetryPolicies": [
                {
                    "ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR", "Step.SERVICE_FAULT"],
                    "IntervalSeconds": 1,
                    "BackoffRate": 1.0,
                    "MaxAttempts": 20,
                }
            ],
        }


def _outputs(step: dict[str, Any]) -> dict[str, str]:
    found = step.get("Metadata", {})
    outputs = found.get("Lambda", found.get("Callback", {})).get("OutputParameters", ())
    return {each["Name"]: each["Value"] for each in outputs}
