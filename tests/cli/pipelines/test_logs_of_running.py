"""What `passrole logs` says of a function that is printing, and just after it has returned."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.conftest import Server, new_name
from tests.eventually import eventually

from passrole.cli import main

PRINTS = """
import os, time
def handler(event, context):
    print("printed", flush=True)
    open(event["began"], "w").close()
    while not os.path.exists(event["until"]):
        time.sleep(0.02)
"""


def logs(server: Server, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["logs", "--data", str(server.data), *arguments])


@pytest.fixture
def talking(server: Server, tmp_path: Path) -> tuple[str, Callable[[], None]]:
    """An execution whose function has printed and runs; and what lets that return."""
    function = server.function(new_name("sagemaker-talking"), PRINTS, None)
    arguments = {"began": str(tmp_path / "began"), "until": str(tmp_path / "until")}
    step: dict[str, Any] = {
        "Name": "Talk", "Type": "Lambda", "FunctionArn": function, "Arguments": arguments
    }  # fmt: skip
    sagemaker, name = server.client("sagemaker"), new_name("talking")
    sagemaker.create_pipeline(
        PipelineName=name,
        RoleArn=server.access["role_arn"],
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [step]}),
        ClientRequestToken=uuid.uuid4().hex,
    )
    arn = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    eventually((tmp_path / "began").exists)
    return arn, (tmp_path / "until").touch


def test_a_function_that_prints_has_no_logs_yet_and_then_all_of_them(
    server: Server, talking: tuple[str, Callable[[], None]]
) -> None:
    arn, let_return = talking
    while_it_runs = logs(server, arn)
    assert while_it_runs.stdout == ""
    assert while_it_runs.stderr.startswith(
        "`Talk` has no logs yet: its function runs, and its log comes when"
    )
    let_return()
    followed = logs(server, "--follow", arn)
    assert followed.stderr == ""
    assert "  Talk  printed\n" in followed.stdout
