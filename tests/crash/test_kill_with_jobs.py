"""kill -9 at random moments over pipelines of jobs and functions: nothing is lost, and nothing runs twice.

At the end no process, mount or file is left. `PASSROLE_KILLS=200` kills more often, `PASSROLE_SEED=1` at
other moments.
"""

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server
from tests.eventually import eventually
from tests.services.sagemaker.jobs.workshop import Workshop

from passrole.runtimes import sandbox

KILLS = int(os.environ.get("PASSROLE_KILLS", "8"))
SEED = int(os.environ.get("PASSROLE_SEED", "7"))
AT_ONCE = 5
LOST_JOBS = 0.3  # in so many of the rounds the shell over one program is killed too
KEPT = {"hosts", "run"}  # of an instance's folder, once its job is over

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


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_random_kills_lose_no_job_and_run_none_twice(tmp_path: Path) -> None:
    try:
        sandbox.chosen()
    except sandbox.SandboxMissing as error:
        pytest.skip(str(error))
    server, chance = Server(tmp_path / "data"), random.Random(SEED)
    try:
        pipeline = Pipeline(server, tmp_path / "notes")
        busy = 0
        for _ in range(KILLS):
            for _ in range(AT_ONCE - len(pipeline.running())):
                pipeline.start()
            time.sleep(chance.uniform(0.0, 0.8))
            if chance.random() < LOST_JOBS:
                pipeline.lose_a_job(chance)
            busy += bool(pipeline.running())
            server.kill()
            server.start()
        ends = {arn: server.finished(arn, 300)["PipelineExecutionStatus"] for arn in pipeline.started}
        assert set(ends.values()) == {"Succeeded"}, [
            failures(server, arn) for arn in ends if ends[arn] != "Succeeded"
        ]
        for arn in pipeline.started:
            check(pipeline, arn)
        eventually(lambda: {name for home in homes(server.data) for name in names(home)} == KEPT)
    finally:
        server.stop()
    print(f"{KILLS} kills, {len(pipeline.started)} executions, {sum(pipeline.lost.values())} jobs lost")
    assert busy >= KILLS / 2, "the kills came too early or too late to tell anything"
    assert len(list(homes(server.data))) >= 3 * len(pipeline.started)
    eventually(lambda: not inside(tmp_path), seen=lambda: inside(tmp_path))
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


def check(pipeline: Pipeline, execution: str) -> None:
    """What the programs of one execution noted, and what they left."""
    mine = execution.rpartition("/")[2]
    noted = [(step, what) for of, step, what in pipeline.noted() if of == mine]
    for name, step in pipeline.server.steps(execution).items():
        ran = [what for of, what in noted if of == name]
        attempts = step.get("AttemptCount") or 1
        if name == "Note":  # a function that was running when the server died is invoked again
            assert ran.count("begin") >= 1, (execution, name, ran)
        elif name == "Again":  # a shell may die before its program begins, or after it has ended
            assert attempts - pipeline.lost[mine] <= ran.count("begin") <= attempts, (
                execution,
                attempts,
                ran,
            )
            assert attempts <= 1 + pipeline.lost[mine] and ran.count("end") >= 1
        else:
            assert attempts == 1 and ran == ["begin", "end"], (execution, name, ran)
    assert pipeline.workshop.read(f"prepared/{mine}/numbers") == b"1\n2\n3\n"


def failures(server: Server, execution: str) -> dict[str, str]:
    """Why steps failed, by their names."""
    steps = server.steps(execution)
    return {name: step["FailureReason"] for name, step in steps.items() if "FailureReason" in step}


def homes(data: Path) -> Iterator[Path]:
    """The folders of all instances of all jobs."""
    return data.glob("jobs/*/*/*/*/algo-*")


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def inside(folder: Path) -> list[tuple[str, str]]:
    """Processes that a job or a function has left: they name the folder, or have something of it mounted."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            with suppress(OSError):
                command = (process / "cmdline").read_text(errors="replace")
                if str(folder) in command or str(folder) in (process / "mountinfo").read_text():
                    found.append((process.name, command))
    return found
