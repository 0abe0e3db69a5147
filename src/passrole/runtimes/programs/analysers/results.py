"""What an analyser leaves: files in its output folder, and the exit message of its job.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-results.html
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONSTRAINTS, STATISTICS, VIOLATIONS = "constraints.json", "statistics.json", "constraint_violations.json"


class Refused(Exception):
    """What the user can mend; the message says how."""


def finished(analyse: Callable[[], int]) -> int:
    """Run an analysis, which gives how many violations it found; the exit code."""
    try:
        violations = analyse()
    except Refused as error:
        return _failed(f"ClientError: {error}")
    except Exception as error:
        traceback.print_exc()
        return _failed(f"{type(error).__name__}: {error}")
    if violations:
        _tell(f"CompletedWithViolations: Job completed successfully with {violations} violations.")
    else:
        _tell("Completed: Job completed successfully with no violations.")
    return 0


def say(line: str) -> None:
    """A line of the job's log."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def write(folder: Path, name: str, document: Any) -> None:
    """A JSON file of the results."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(document, indent=2), encoding="utf-8")
    say(f"wrote {name}")


def read(path: str) -> Any:
    """A JSON file. Raises Refused."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"The file {path} is not there or is no JSON: {error}") from None


def wheel(name: str) -> Any:
    """A module of a package that the user has installed. Raises Refused where it is not."""
    package = name.split(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != package:
            raise
        raise Refused(
            f"{package} is not installed in this environment; install it with: pip install {package}"
        ) from None


def base() -> Path:
    """/opt/ml, or what stands for it in a test."""
    return Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))


def _failed(message: str) -> int:
    _tell(message)
    return 1


def _tell(message: str) -> None:
    output = base() / "output"
    output.mkdir(parents=True, exist_ok=True)
    (output / "message").write_text(message[:1024], encoding="utf-8")
    say(message)
