"""A pipeline of jobs and a function whose programs note that they began and that they ended."""

import json
import os
import random
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.conftest import Server
from tests.services.sagemaker.jobs.workshop import Workshop

MAY_ALL = {"Effect": "Allow", "Action": ["sagemaker:*", "iam:PassRole", "lambda:*", "s3:*"], "Resource": "*"}

# Programs and the function write a line where they begin and where they end.
PROGRAM = """
    echo "$EXECUTION $1 begin" >> {notes}
    case $1 in
        Prepare) cp /opt/ml/processing/in/numbers /opt/ml/processing/out/;;
        Train) cp /opt/ml/input/data/train/numbers /opt/ml/model/;;
        Again) sleep 0.4;;
    esac
    sleep 0.2
    echo "$EXECUTION $1 end" >> {notes}
"""
FUNCTION = """
    import os
    import time

    def note(event, what):
        file = os.open(event["file"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(file, f"{event['execution']} Note {what}\\n".encode())
        os.close(file)

    def handler(event, context):
        note(event, "begin")
        time.sleep(0.1)
        note(event, "end")
        return {"n": 1}
"""


class Pipeline:
    """Prepares, trains on what was prepared, notes that, and beside it has a job that may be lost."""

    def __init__(self, server: Server, notes: Path) -> None:
        self.server = server
        self.notes = notes
        self.workshop = Workshop(server)
        self.workshop.put(raw__numbers="1\n2\n3\n")
        self.program = notes.with_name("program")
        self.program.write_text(PROGRAM.format(notes=notes))
        self.function = server.function("crash-sagemaker-note", FUNCTION)
        role = server.role([{"Version": "2012-10-17", "Statement": MAY_ALL}])
        self.workshop.sagemaker.create_pipeline(
            PipelineName="crash", RoleArn=role, PipelineDefinition=self._definition()
        )
        self.started: list[str] = []
        self.ended: set[str] = set()
        self.lost: Counter[str] = Counter()

    def start(self) -> None:
        token = f"{len(self.started):032}"
        started = self.workshop.sagemaker.start_pipeline_execution(
            PipelineName="crash", ClientRequestToken=token
        )
        self.started.append(started["PipelineExecutionArn"])

    def running(self) -> list[str]:
        self.ended |= {arn for arn in self.started if arn not in self.ended and self.is_over(arn)}
        return [arn for arn in self.started if arn not in self.ended]

    def is_over(self, execution: str) -> bool:
        described = self.workshop.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        return bool(described["PipelineExecutionStatus"] != "Executing")

    def lose_a_job(self, chance: random.Random) -> None:
        """Kill the shell over a program of the step that is tried again; at most two of an execution."""
        there = list(self.server.data.glob("jobs/processing-job/*/*/pipelines-*-Again-*/algo-1/run"))
        for run in chance.sample(there, len(there)):
            execution = run.parts[-3].split("-")[1]
            if self.lost[execution] < 2 and not (run / "exit").exists():
                with suppress(OSError, ValueError):
                    os.kill(int((run / "pid").read_text()), signal.SIGKILL)
                    self.lost[execution] += 1
                    return

    def noted(self) -> list[list[str]]:
        return [line.split() for line in self.notes.read_text().splitlines()] if self.notes.exists() else []

    def _definition(self) -> str:
        prepare = self.workshop.processing(f"sh {self.program} Prepare", {"in": "raw/"}, {"out": "prepared"})
        out = prepare["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]
        here = f"{out['S3Uri']}/"
        out["S3Uri"] = {"Std:Join": {"On": "", "Values": [here, {"Get": "Execution.PipelineExecutionId"}]}}
        train = self.workshop.training(f"sh {self.program} Train", {"train": ""})
        train["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = {
            "Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['o0'].S3Output.S3Uri"
        }
        again = self.workshop.processing(f"sh {self.program} Again")
        policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 1, "MaxAttempts": 5}
        steps = [
            self._step("Prepare", "Processing", prepare),
            self._step("Train", "Training", train),
            self._step("Again", "Processing", again) | {"RetryPolicies": [policy]},
            {
                "Name": "Note",
                "Type": "Lambda",
                "FunctionArn": self.function,
                "Arguments": {
                    "execution": {"Get": "Execution.PipelineExecutionId"},
                    "file": str(self.notes),
                    "model": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"},
                },
            },
        ]
        return json.dumps({"Version": "2020-12-01", "Steps": steps})

    def _step(self, name: str, type_: str, request: dict[str, Any]) -> dict[str, Any]:
        request.pop(f"{type_}JobName")
        environment = {"EXECUTION": {"Get": "Execution.PipelineExecutionId"}}
        return {"Name": name, "Type": type_, "Arguments": {**request, "Environment": environment}}
