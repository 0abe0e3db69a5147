"""What `sagemaker-training` itself does with the cases that script mode is held to.

It is no dependency: it compiles C and brings 324 MB (docs/decisions). Where PASSROLE_TOOLKIT_PYTHON names an
interpreter that has it, its behaviour is compared with the record, and with PASSROLE_TOOLKIT_RECORD=1 the
cases that have no `seen` yet get one.
"""

import dataclasses
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.runtimes.programs.training_folder import CASES, Seen, TrainingFolder, python_of

FILE = CASES / "script_mode.json"
VARIABLE = "PASSROLE_TOOLKIT_PYTHON"
PYTHON = python_of(VARIABLE)

# the images of PyTorch and TensorFlow start the toolkit so: what the program printed is in the failure file
CAPTURING = """\
from sagemaker_training import entry_point, environment

def main():
    env = environment.Environment()
    args, variables = env.to_cmd_args(), env.to_env_vars()
    entry_point.run(env.module_dir, env.user_entry_point, args, variables, capture_error=True)
"""


if PYTHON is None:
    pytest.skip(f"{VARIABLE} names no interpreter that has sagemaker-training", allow_module_level=True)


@pytest.mark.parametrize("case", json.loads(FILE.read_text()), ids=lambda case: case["name"])
def test_the_toolkit_does_what_the_record_says(tmp_path: Path, case: dict[str, Any]) -> None:
    recording = "PASSROLE_TOOLKIT_RECORD" in os.environ
    if recording and "seen" in case:
        return
    seen = _as_recorded(_toolkit(case, tmp_path / "ml"))
    if recording:
        _record(case["name"], seen)
    else:
        assert _in_any_pieces(seen) == _in_any_pieces(case["seen"])


def _in_any_pieces(seen: dict[str, Any]) -> dict[str, Any]:
    """The toolkit breaks a captured line wherever the pipe did."""
    failure = seen["failure"]
    return {**seen, "failure": failure and failure.replace(":", " ").split()}


def _record(name: str, seen: dict[str, Any]) -> None:
    cases = json.loads(FILE.read_text())
    next(case for case in cases if case["name"] == name)["seen"] = seen
    FILE.write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n")


def _toolkit(case: dict[str, Any], base: Path) -> Seen:
    assert PYTHON is not None
    folder = TrainingFolder(base)
    folder.configure(case["hyperparameters"], case.get("resources"), case.get("channels"))
    folder.write(case["files"])
    environment = dict(case.get("environment", {}))
    if case.get("capture_error"):
        (base / "framework.py").write_text(CAPTURING)
        environment.update(SAGEMAKER_TRAINING_MODULE="framework:main", PYTHONPATH=str(base))
    seen = folder.run([PYTHON, "-c", "from sagemaker_training.trainer import train; train()"], environment)
    _uninstall_the_package_of_a_case()
    return seen


def _uninstall_the_package_of_a_case() -> None:
    subprocess.run([str(PYTHON), "-m", "pip", "uninstall", "-q", "-y", "probing"], capture_output=True)


def _as_recorded(seen: Seen) -> dict[str, Any]:
    fields = dataclasses.asdict(seen)
    del fields["output"]
    return fields
