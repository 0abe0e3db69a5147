"""A notebook job's `amazon_sagemaker_scheduler`: run a notebook by papermill, and leave what AWS's leaves.

    python notebook_mode.py

The SDK's NotebookJobStep and notebook jobs of Studio say in SM_* variables what is to be run. In output/data
are then the notebook, the notebook with its results, and the log; in output/failure which step has failed.
It does what sagemaker-headless-execution-driver 0.0.13 does, but for two folders that it makes outside of
/opt/ml. The environment has papermill and a kernel: `pip install 'passrole[notebooks]'`.
https://docs.aws.amazon.com/sagemaker/latest/dg/notebook-auto-run.html
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

INPUT = "input/data/sagemaker_headless_execution"
LOG = "sagemaker_job_execution.log"
VERSION = "1.0"
EXECUTE = "--execute"
PREPARE, CHECK, CONVERT = "preparing the input notebook", "checking the version of the job", "converting"
LIFECYCLE, INITIALIZE, RUN = "running LCC script as init-script", "running init script", "executing notebook"
NEEDED = ("papermill", "ipykernel")

# Sourced: what the script exports is there for the notebook. The mark tells that it came to its end.
_SHELL = 'set -e; if [ -n "$1" ]; then . "$1"; fi; : > "$2"; exec "$3" "$4" --execute'


class StepFailed(Exception):
    """A step of the job has failed; the arguments are its name and why."""


def main(arguments: list[str]) -> int:
    """Run the job, or the notebook alone where the job asks for that; the exit code."""
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    if arguments == [EXECUTE]:
        return execute(base)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        return _refused(base, missing)
    return Job(base, dict(os.environ)).run()


class Job:
    """What the variables say, and how far it came."""

    def __init__(self, base: Path, variables: dict[str, str]) -> None:
        self._variables = variables
        self._data = base / "output/data"
        self._failure = base / "output/failure"
        self._folder = Path(variables.get("SM_EXECUTION_INPUT_PATH") or base / INPUT)
        self._name = variables.get("SM_INPUT_NOTEBOOK_NAME", "")
        self._result = self._data / output_name(variables.get("SM_OUTPUT_NOTEBOOK_NAME", ""))
        self._child: subprocess.Popen[bytes] | None = None
        self._data.mkdir(parents=True, exist_ok=True)
        self._log = (self._data / LOG).open("wb")

    def run(self) -> int:
        """The exit code."""
        signal.signal(signal.SIGTERM, self._end)
        try:
            self._prepare()
            self._lifecycle()
            try:
                self._notebook()
            finally:
                self._convert()
        except StepFailed as failed:
            step, why = failed.args
            self._say(why)
            there = (self._data / self._name, self._result, self._data / LOG)
            flags = "".join("1" if each.is_file() else "0" for each in there)
            text = f"[SM-{flags}] Error with {step}\n{why}"
            self._failure.write_text(text, encoding="utf-8", errors="replace")
            return 1
        finally:
            self._log.close()
        return 0

    def _prepare(self) -> None:
        if not self._name or not (self._folder / self._name).is_file():
            raise StepFailed(PREPARE, f"Cannot find input notebook: {self._folder / self._name}")
        shutil.copy2(self._folder / self._name, self._data)
        version = self._variables.get("SM_JOB_DEF_VERSION", "")
        if version != VERSION:
            raise StepFailed(CHECK, f"Cannot handle SageMaker job definition version: {version}")

    def _lifecycle(self) -> None:
        """A script of the user's profile; what it exports does not reach the notebook."""
        script = self._variables.get("SM_LCC_INIT_SCRIPT")
        if script:
            code = self._run(["/bin/sh", str(self._folder / script)])
            if code:
                raise StepFailed(LIFECYCLE, f"{script} ended with exit code {code}")

    def _notebook(self) -> None:
        script = self._variables.get("SM_INIT_SCRIPT")
        initialized = self._failure.with_name("initialized")
        words = [str(self._folder / script) if script else "", str(initialized), sys.executable, __file__]
        code = self._run(["/bin/bash", "-c", _SHELL, "notebook", *words])
        is_initialized = initialized.exists()
        initialized.unlink(missing_ok=True) if is_initialized else None
        if code and not is_initialized:
            raise StepFailed(INITIALIZE, f"{script} ended with exit code {code}")
        if code:
            why = self._failure.read_text(encoding="utf-8") if self._failure.exists() else f"exit code {code}"
            raise StepFailed(RUN, why)

    def _convert(self) -> None:
        for form in filter(None, self._variables.get("SM_OUTPUT_FORMATS", "").split(",")):
            if self._result.is_file() and re.fullmatch(r"[a-z]+", form):
                words = ["-m", "jupyter", "nbconvert", "--to", form, str(self._result)]
                if self._run([sys.executable, *words]):
                    self._say(f"The output notebook was not converted to {form}: is nbconvert installed?")

    def _run(self, command: list[str]) -> int:
        """Run a command to its end, and have what it prints in the log; the exit code."""
        variables = {**self._variables, "SM_PAPERMILL_OUTPUT": str(self._result)}
        self._child = subprocess.Popen(  # noqa: S603 (the user's program is what this is for)
            command, cwd=self._folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for line in self._child.stdout or ():
            self._write(line)
        code = self._child.wait()
        self._child = None
        return code

    def _end(self, _number: int, _frame: object) -> None:
        if self._child is not None:
            self._child.terminate()

    def _say(self, text: str) -> None:
        self._write(f"{text}\n".encode())

    def _write(self, line: bytes) -> None:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
        self._log.write(line)
        self._log.flush()


def execute(base: Path) -> int:
    """Run the notebook in this process, whose environment the init script has made; the exit code."""
    import papermill  # type: ignore[import-not-found, unused-ignore]  # the user's, not ours

    signal.signal(signal.SIGTERM, _interrupted)
    name, result = os.environ["SM_INPUT_NOTEBOOK_NAME"], os.environ["SM_PAPERMILL_OUTPUT"]
    parameters = json.loads((base / "input/config/hyperparameters.json").read_text(encoding="utf-8"))
    kernel = os.environ.get("SM_KERNEL_NAME") or None
    _tell(f"Use kernel {kernel} to execute {name} with output to {result}. Params: {parameters}")
    try:
        papermill.execute_notebook(
            name,
            result,
            parameters=parameters,
            kernel_name=kernel,
            language=_language(Path(name), kernel),
            progress_bar=False,
            stdout_file=sys.stdout,
            stderr_file=sys.stderr,
        )
    except Exception as error:
        traceback.print_exc()
        (base / "output/failure").write_text(str(error).strip(), encoding="utf-8", errors="replace")
        return 1
    return 0


def output_name(given: str) -> str:
    """A name may have the time of an execution in it: dots and colons become hyphens, but for the ending."""
    return re.sub(r"-*ipynb$", ".ipynb", re.sub(r"[.:]", "-", given))


def _language(notebook: Path, kernel: str | None) -> Any:
    """The kernel's language, for a notebook that names none; None leaves it to papermill."""
    from jupyter_client.kernelspec import (  # type: ignore[import-not-found, unused-ignore]  # the user's
        KernelSpecManager,
    )

    metadata = json.loads(notebook.read_text(encoding="utf-8")).get("metadata") or {}
    if kernel is None or (metadata.get("language_info") or {}).get("name"):
        return None
    return KernelSpecManager().get_kernel_spec(kernel).language


def _interrupted(_number: int, _frame: object) -> None:
    raise SystemExit("Notebook execution is interrupted.")


def _refused(base: Path, missing: list[str]) -> int:
    text = (
        f"ClientError: notebooks are run by papermill, and the environment of this job has no"
        f" {' and no '.join(missing)}: run `pip install 'passrole[notebooks]'` in it"
    )
    _tell(text)
    (base / "output").mkdir(parents=True, exist_ok=True)
    (base / "output/failure").write_text(text, encoding="utf-8")
    return 1


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
