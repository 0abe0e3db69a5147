"""The bundled example, and the command line as a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.store import chosen

from passrole.cli.server.demo import FOLDER
from passrole.client.server_process import STARTING

EXAMPLE = FOLDER / "stopping_distance"
Passrole = Callable[..., "subprocess.Popen[str]"]
Write = Callable[[str, Any], str]


@pytest.fixture(scope="session")
def example() -> Path:
    """The folder of the bundled example."""
    return EXAMPLE


@pytest.fixture(scope="session")
def run_arguments() -> list[str]:
    """`passrole run` of the bundled example with its functions."""
    functions = (
        f"--function=sagemaker-{name}={EXAMPLE / name}:{name}.handler" for name in ("fit", "publish")
    )
    return ["run", str(EXAMPLE / "pipeline.json"), *functions]


@pytest.fixture(scope="session")
def quiet() -> Callable[[str], str]:
    """What a command said, without the line on a slow start of its server, as a busy machine has it."""
    return lambda said: said.removeprefix(f"{STARTING}\n")


@pytest.fixture
def passrole() -> Iterator[Passrole]:
    """Starts `passrole ARGUMENTS`; whatever still runs at the end of the test is ended."""
    started: list[subprocess.Popen[str]] = []
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell's background jobs, and their children
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def start(*arguments: str, **options: Any) -> "subprocess.Popen[str]":
        given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        environment = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            **chosen.named_in(arguments),
            **given.pop("env", {}),
        }
        command = [sys.executable, "-m", "passrole", *arguments]
        started.append(subprocess.Popen(command, text=True, env=environment, **given))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=20)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a document as JSON, give its path."""

    def put(name: str, document: Any) -> str:
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return str(path)

    return put


# A training job, and its model registered.
TRAINING: dict[str, Any] = {
    "Version": "2020-12-01",
    "Steps": [
        {
            "Name": "Train",
            "Type": "Training",
            "Arguments": {
                "RoleArn": "arn:aws:iam::111122223333:role/jobs",
                "AlgorithmSpecification": {
                    "TrainingImage": "111122223333.dkr.ecr.us-east-1.amazonaws.com/t:1"
                },
                "InputDataConfig": [{"DataSource": {"S3DataSource": {"S3Uri": "s3://in/train"}}}],
                "OutputDataConfig": {"S3OutputPath": "s3://out/models"},
            },
        },
        {
            "Name": "Register",
            "Type": "RegisterModel",
            "Arguments": {"ModelPackageGroupName": "churn"},
        },
    ],
}
