"""Notebooks that a notebook job runs, on the papermill of the interpreter PASSROLE_NOTEBOOK_PYTHON."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.eventually import eventually
from tests.runtimes.programs.training_folder import PROGRAMS, Seen, TrainingFolder, python_of

VARIABLE = "PASSROLE_NOTEBOOK_PYTHON"
PYTHON = python_of(VARIABLE)
PROGRAM = str(PROGRAMS / "notebook_mode.py")
needs_papermill = pytest.mark.skipif(PYTHON is None, reason=f"{VARIABLE} names no interpreter with papermill")
LOG = "sagemaker_job_execution.log"


def notebook(*cells: str, **metadata: Any) -> str:
    """A notebook of code cells; the first has the parameters' defaults."""
    made: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell{number}",
            "metadata": {"tags": ["parameters"]} if number == 0 else {},
            "outputs": [],
            "source": text,
        }
        for number, text in enumerate(cells)
    ]
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def folder(tmp_path: Path) -> TrainingFolder:
    made = TrainingFolder(tmp_path / "ml")
    made.configure({"rounds": "3"})
    (made.base / "input/data/nb").mkdir()
    return made


def variables(folder: TrainingFolder, **more: str) -> dict[str, str]:
    return {
        "SM_JOB_DEF_VERSION": "1.0",
        "SM_EXECUTION_INPUT_PATH": str(folder.base / "input/data/nb"),
        "SM_KERNEL_NAME": "python3",
        "SM_INPUT_NOTEBOOK_NAME": "nb.ipynb",
        "SM_OUTPUT_NOTEBOOK_NAME": "out.ipynb",
        "SM_SKIP_EFS_SIMULATION": "true",
        **more,
    }


def run(folder: TrainingFolder, python: str | None = PYTHON, **more: str) -> Seen:
    return folder.run([python or sys.executable, PROGRAM], variables(folder, **more))


def put(folder: TrainingFolder, **files: str) -> None:
    for name, text in files.items():
        (folder.base / "input/data/nb" / name.replace("__", ".")).write_text(text)


def printed(folder: TrainingFolder, name: str = "out.ipynb") -> str:
    """What the cells of the result printed."""
    cells = json.loads((folder.base / "output/data" / name).read_text())["cells"]
    return "".join("".join(each.get("text", "")) for cell in cells for each in cell.get("outputs", ()))


@needs_papermill
def test_a_notebook_gets_its_parameters_as_text_and_leaves_its_result(folder: TrainingFolder) -> None:
    put(folder, nb__ipynb=notebook("rounds = 1", "import helper\nprint(repr(rounds), helper.x)"))
    put(folder, helper__py="x = 'beside'")
    seen = run(folder)
    assert (seen.exit_code, seen.failure) == (0, None), seen.output
    assert printed(folder) == "'3' beside\n"
    data = folder.base / "output/data"
    assert {each.name for each in data.iterdir()} == {"nb.ipynb", "out.ipynb", LOG}
    assert "'3' beside" in (data / LOG).read_text() and "'3' beside" in seen.output
    assert (data / "nb.ipynb").read_text() == notebook(
        "rounds = 1", "import helper\nprint(repr(rounds), helper.x)"
    )


@needs_papermill
def test_what_an_init_script_exports_is_there_for_the_notebook(folder: TrainingFolder) -> None:
    put(folder, nb__ipynb=notebook("", "import os\nprint(os.environ['OF_INIT'], 'OF_LCC' in os.environ)"))
    put(folder, init__sh="export OF_INIT=set\necho initialized", lcc__sh="export OF_LCC=lost\necho lifecycle")
    seen = run(folder, SM_INIT_SCRIPT="init.sh", SM_LCC_INIT_SCRIPT="lcc.sh")
    assert seen.exit_code == 0, seen.output
    assert printed(folder) == "set False\n"
    assert "lifecycle\ninitialized" in (folder.base / "output/data" / LOG).read_text()


@needs_papermill
def test_the_result_of_a_notebook_that_fails_is_kept_and_its_error_told(folder: TrainingFolder) -> None:
    put(folder, nb__ipynb=notebook("", "print('before')", "raise RuntimeError('no data')", "print('after')"))
    seen = run(folder)
    assert seen.exit_code == 1
    assert seen.failure is not None and seen.failure.startswith("[SM-111] Error with executing notebook\n")
    assert "RuntimeError: no data" in seen.failure
    assert "before" in printed(folder) and "after" not in printed(folder)


@needs_papermill
@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        (
            {"SM_INPUT_NOTEBOOK_NAME": "no.ipynb"},
            "[SM-001] Error with preparing the input notebook\nCannot find",
        ),
        ({"SM_JOB_DEF_VERSION": "2.0"}, "[SM-101] Error with checking the version of the job\nCannot handle"),
        (
            {"SM_INIT_SCRIPT": "bad.sh"},
            "[SM-101] Error with running init script\nbad.sh ended with exit code 3",
        ),
        (
            {"SM_LCC_INIT_SCRIPT": "bad.sh"},
            "[SM-101] Error with running LCC script as init-script\nbad.sh ended",
        ),
        ({"SM_KERNEL_NAME": "none"}, "[SM-101] Error with executing notebook\nNo such kernel named none"),
    ],
)
def test_the_step_that_failed_is_named(
    folder: TrainingFolder, changes: Mapping[str, str], failure: str
) -> None:
    put(folder, nb__ipynb=notebook("print(1)"), bad__sh="exit 3")
    seen = run(folder, **changes)
    assert seen.exit_code == 1
    assert seen.failure is not None and seen.failure.startswith(failure), seen.failure


@needs_papermill
def test_the_time_of_an_execution_is_in_the_result_s_name(folder: TrainingFolder) -> None:
    put(folder, nb__ipynb=notebook("print(1)"))
    seen = run(folder, SM_OUTPUT_NOTEBOOK_NAME="nb-2026-11-28T10:00:00.123Z.ipynb")
    assert seen.exit_code == 0, seen.output
    assert printed(folder, "nb-2026-11-28T10-00-00-123Z.ipynb") == "1\n"


@needs_papermill
def test_a_notebook_that_is_stopped_ends(folder: TrainingFolder) -> None:
    put(folder, nb__ipynb=notebook("", "print('begun')", "import time; time.sleep(600)"))
    command, log = [str(PYTHON), PROGRAM], folder.base / "output/data" / LOG
    with subprocess.Popen(
        command, env=folder.environment(variables(folder)), stdout=subprocess.DEVNULL
    ) as job:
        try:
            eventually(lambda: log.exists() and "begun" in log.read_text())
            job.send_signal(signal.SIGTERM)
            assert job.wait(timeout=60) == 1
        finally:
            job.kill()
    assert "Error with executing notebook" in (folder.base / "output/failure").read_text()


def test_without_papermill_it_says_what_to_install(folder: TrainingFolder, tmp_path: Path) -> None:
    put(folder, nb__ipynb=notebook("print(1)"))
    command = [sys.executable, "-I", "-S", PROGRAM]  # without the packages of this environment
    seen = folder.run(command, variables(folder))
    assert seen.exit_code == 1
    assert seen.failure is not None and "pip install 'passrole[notebooks]'" in seen.failure
    assert seen.failure.startswith("ClientError: notebooks are run by papermill")
