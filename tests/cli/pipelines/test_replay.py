"""`passrole replay`: what was recorded is decided again, and a difference is told."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server
from tests.testing.pipelines import condition, fail, lambda_, pipeline

Passrole = Callable[..., "subprocess.Popen[str]"]
SOURCE = "def handler(event, context): return {'score': event['score']}"


@pytest.fixture
def recorded(server: Server, passrole: Passrole, tmp_path: Path) -> Iterator[Path]:
    """A recording of an execution that took a branch to a Fail step."""
    call = lambda_("Score", server.function("sagemaker-replayed", SOURCE), "score")
    call["Arguments"] = {"score": 0.5}
    left = "Steps.Score.OutputParameters['score']"
    decide = condition("Decide", left, 0.8, then=[], otherwise=[fail("TooBad", "bad")])
    sagemaker = server.client("sagemaker")
    sagemaker.create_pipeline(
        PipelineName="replayed",
        RoleArn=server.access["role_arn"],
        PipelineDefinition=json.dumps(pipeline(call, decide)),
    )
    arn = sagemaker.start_pipeline_execution(PipelineName="replayed")["PipelineExecutionArn"]
    assert server.finished(arn)["PipelineExecutionStatus"] == "Failed"
    file = tmp_path / "recorded.json"
    recording = run(passrole, "--record", arn, str(file), "--data", str(server.data))
    assert recording[0] == 0, recording
    yield file
    server.client("lambda").delete_function(FunctionName="sagemaker-replayed")
    sagemaker.delete_pipeline(PipelineName="replayed")


def run(passrole: Passrole, *words: str) -> tuple[int, str, str]:
    process = passrole("replay", *words)
    told, errors = process.communicate(timeout=60)
    return process.returncode, told, errors


def changed(file: Path, change: Callable[[Any], None]) -> Path:
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))
    return file


def test_a_recording_is_decided_the_same_and_is_for_its_owner_alone(
    recorded: Path, passrole: Passrole
) -> None:
    assert recorded.stat().st_mode & 0o777 == 0o600
    assert run(passrole, str(recorded)) == (0, f"{recorded}: Failed, 3 steps, decided the same\n", "")


def test_what_is_decided_otherwise_is_told(recorded: Path, passrole: Passrole) -> None:
    """As if an earlier version had taken the other branch."""

    def other(document: Any) -> None:
        definition = json.loads(document["Definition"])
        definition["Steps"][1]["Arguments"]["Conditions"][0]["RightValue"] = 0.4
        document["Definition"] = json.dumps(definition)

    code, told, _ = run(passrole, str(changed(recorded, other)))
    assert code == 1
    lines = told.splitlines()
    assert lines[0] == f"{recorded}: Failed, 3 steps, decided otherwise"
    assert lines[1].startswith("  row 2, after LambdaReturned Score")
    assert lines[2] == '    recorded   StepSucceeded Decide {"metadata": {"Condition": {"Outcome": "False"}}}'
    assert lines[3] == '    now        StepSucceeded Decide {"metadata": {"Condition": {"Outcome": "True"}}}'


def test_a_row_that_this_version_does_not_know_is_named(recorded: Path, passrole: Passrole) -> None:
    def newer(document: Any) -> None:
        document["Passrole"] = "99.0"
        document["Journal"][1][0]["fact"] = "StepSlept"

    code, told, errors = run(passrole, str(changed(recorded, newer)))
    assert (code, told) == (2, "")
    assert "recorded by passrole 99.0, cannot be read: row 2" in errors and "StepSlept" in errors


@pytest.mark.parametrize("text", ["{}", "[]", "{", '{"Format": 99}', '{"Format": 1}'])
def test_what_is_no_recording_is_refused(passrole: Passrole, tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    code, told, errors = run(passrole, str(file))
    assert (code, told) == (2, "") and str(file) in errors
