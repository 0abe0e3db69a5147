"""Stop means stop: functions that wait for a worker of the machine are not invoked any more."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.eventually import eventually

WAITS = """
import os
import time
def handler(event, context):
    open(event["folder"] + "/" + event["name"], "w").close()
    while not os.path.exists(event["folder"] + "/../gate"):
        time.sleep(0.02)
"""


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server with one worker for functions."""
    running = Server(tmp_path_factory.mktemp("narrow") / "data", lambda_workers_max="1")
    yield running
    running.stop()


def steps(function: str, folder: str, count: int) -> list[dict[str, Any]]:
    names = [f"L{number}" for number in range(count)]
    return [
        {
            "Name": name,
            "Type": "Lambda",
            "FunctionArn": function,
            "Arguments": {"folder": folder, "name": name},
        }
        for name in names
    ]


def start(server: Server, folder: str, count: int) -> str:
    sagemaker, name = server.client("sagemaker"), new_name("stops")
    function = server.function(new_name("sagemaker-waits"), WAITS, Timeout=60)
    text = json.dumps({"Version": "2020-12-01", "Steps": steps(function, folder, count)})
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=server.access["role_arn"])
    arn: str = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    return arn


def statuses(server: Server, execution: str) -> list[str]:
    return [step["StepStatus"] for step in server.steps(execution).values()]


def test_functions_that_had_not_begun_are_not_invoked_after_a_stop(narrow: Server, tmp_path: Path) -> None:
    folder = tmp_path / "begun"
    folder.mkdir()
    execution = start(narrow, str(folder), 8)
    eventually(lambda: any(folder.iterdir()))
    narrow.client("sagemaker").stop_pipeline_execution(PipelineExecutionArn=execution)
    eventually(lambda: statuses(narrow, execution).count("Stopped") == 7)
    (tmp_path / "gate").touch()
    assert narrow.finished(execution)["PipelineExecutionStatus"] == "Stopped"
    begun = {path.name for path in folder.iterdir()}
    ended = {name: step["StepStatus"] for name, step in narrow.steps(execution).items()}
    assert len(begun) == 1
    assert ended == {f"L{n}": "Succeeded" if f"L{n}" in begun else "Stopped" for n in range(8)}


def test_the_outcome_does_not_depend_on_the_queue_for_a_worker(narrow: Server, tmp_path: Path) -> None:
    folder = tmp_path / "begun"
    folder.mkdir()
    execution = start(narrow, str(folder), 6)
    eventually(lambda: statuses(narrow, execution).count("Executing") == 6)
    (tmp_path / "gate").touch()
    assert narrow.finished(execution)["PipelineExecutionStatus"] == "Succeeded"
