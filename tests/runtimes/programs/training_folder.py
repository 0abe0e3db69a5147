"""A training job's folder as SageMaker lays it out, and a program that is run in it.

Both `sagemaker-training` and `script_mode.py` take the folder's place from SAGEMAKER_BASE_DIR, so that the
same cases run under either. What a run shows is written as if it had happened at /opt/ml.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from passrole import runtimes

PROGRAMS = Path(runtimes.__file__).parent / "programs"
CASES = Path(__file__).parent / "cases"
AS_ON_AWS = "/opt/ml"
PROBE = """\
import json, os, pathlib, sys

base = pathlib.Path(os.environ["SM_MODEL_DIR"]).parent
seen = {"argv": sys.argv, "cwd": os.getcwd(), "variables": dict(os.environ)}
(base / "seen.json").write_text(json.dumps(seen))
"""
_MACHINE = {"num_cpus": "CPUS", "num_gpus": 0, "num_neurons": 0}
_OF_THE_TEST = ("SAGEMAKER_BASE_DIR", "SAGEMAKER_TRAINING_MODULE", "SM_STUDIO_LOCAL_MODE")


@dataclass
class Seen:
    """What a run left behind; `argv`, `cwd` and `variables` are None where the probe was not reached."""

    exit_code: int
    failure: str | None
    success: bool
    argv: list[str] | None = None
    cwd: str | None = None
    variables: dict[str, str] | None = None
    output: str = field(default="", compare=False)


class TrainingFolder:
    """`/opt/ml`, below a folder of the test's."""

    def __init__(self, base: Path) -> None:
        self.base = base.resolve()
        for name in ("input/config", "input/data", "model", "output/data", "code"):
            (self.base / name).mkdir(parents=True)

    def configure(
        self, hyperparameters: Any, resources: Mapping[str, Any] | None = None, channels: Any = None
    ) -> None:
        """The three files that every training job finds."""
        alone = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"}
        for name, content in (
            ("hyperparameters", hyperparameters),
            ("resourceconfig", alone if resources is None else resources),
            ("inputdataconfig", channels or {}),
        ):
            (self.base / f"input/config/{name}.json").write_text(json.dumps(content))
        for channel in channels or {}:
            (self.base / "input/data" / channel).mkdir(exist_ok=True)

    def write(self, files: Mapping[str, str], folder: str = "code") -> None:
        """Files of the user's; `@probe` stands for the probe."""
        for name, text in files.items():
            path = self.base / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("@probe", PROBE).replace("@python", sys.executable))

    def run(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Seen:
        """Run a program to its end."""
        done = subprocess.run(
            command,
            env=self.environment(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=self.base,
        )
        return self.seen(done.returncode, done.stdout, Path(command[0]))

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """What the platform sets, and whatever a case adds."""
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.base),
            "PYTHONUNBUFFERED": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "SAGEMAKER_BASE_DIR": str(self.base),
            "SM_STUDIO_LOCAL_MODE": "true",  # the toolkit would look `algo-1` up for 15 minutes
            **(more or {}),
        }

    def seen(self, exit_code: int, output: str, python: Path) -> Seen:
        """What there is to see now."""
        failure = self.base / "output/failure"
        shown = Seen(
            exit_code,
            self._as_on_aws(failure.read_text(errors="replace"), python) if failure.exists() else None,
            (self.base / "output/success").exists(),
            output=output,
        )
        probe = self.base / "seen.json"
        if probe.exists():
            found = json.loads(self._as_on_aws(probe.read_text(), python))
            shown.argv, shown.cwd = found["argv"], found["cwd"]
            shown.variables = {
                name: _without_the_machine(name, value)
                for name, value in sorted(found["variables"].items())
                if name.startswith(("SM_", "SAGEMAKER_", "CURRENT_")) and name not in _OF_THE_TEST
            }
        return shown

    def _as_on_aws(self, text: str, python: Path) -> str:
        for of_ours in (str(self.base / "site/bin/python"), str(python)):
            text = text.replace(of_ours, "python")
        return text.replace(str(self.base), AS_ON_AWS)


def _without_the_machine(name: str, value: str) -> str:
    if name == "SM_TRAINING_ENV":
        told = {**json.loads(value), **_MACHINE}
        return json.dumps(told, sort_keys=True, separators=(",", ":"))
    return str(_MACHINE.get(name.removeprefix("SM_").lower(), value))


def other_python(version: str) -> str:
    """Another Python of this machine; the test is skipped where it is not installed."""
    found = next(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), None)
    named = str(found) if found else shutil.which(f"python{version}")
    if named is None:
        pytest.skip(f"Python {version} is not here")
    return named


def python_of(variable: str) -> str | None:
    """The interpreter that a variable of the developer's names, for packages that are not ours to install."""
    named = os.environ.get(variable)
    return named if named and Path(named).exists() else None


def tiny_wheel(folder: Path) -> None:
    """Put a package that pip installs without an index into a folder: tiny-1.0-py3-none-any.whl."""
    with zipfile.ZipFile(folder / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        about = "tiny-1.0.dist-info"
        wheel.writestr("tiny.py", "")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
