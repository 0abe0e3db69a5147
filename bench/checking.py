"""How long `passrole check` takes from the shell, its process included, on 200 steps and on 50 files.

The peer is Python itself: an interpreter that starts, imports what every AWS client imports, and ends.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench import definitions
from bench.measure import median_of, seconds
from bench.start_up import bare_python
from bench.table import Figure, Peer, Row

ROUNDS, STEPS = 5, 200
FILES, STEPS_OF_EACH = 50, 20

_FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:"


def rows() -> Iterator[Row]:
    """Where the role may do everything, and where every permission is refused and explained."""
    python = Peer("python -c 'import boto3'", Figure(median_of(ROUNDS, lambda: seconds(bare_python)), "s"))
    for function, outcome in (("sagemaker-score", "allowed"), ("score", "refused")):
        took = median_of(ROUNDS, partial(_seconds_of_check, _FUNCTION + function))
        yield Row(f"`check`, {STEPS} steps, all {outcome}", Figure(took, "s"), python, Figure(1, "s"))
    took = median_of(ROUNDS, lambda: seconds(_check_many))
    label = f"`check`, {FILES} files of {STEPS_OF_EACH} steps, all refused, as SARIF"
    yield Row(label, Figure(took, "s"), python, Figure(2, "s"))


def _seconds_of_check(function: str) -> float:
    return seconds(lambda: _check(function))


def _check(function: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "pipeline.json")
        file.write_text(definitions.chain(function, STEPS))
        _run(str(file))


def _check_many() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(FILES):
            text = definitions.chain(f"{_FUNCTION}score", STEPS_OF_EACH)
            Path(folder, f"pipeline-{number}.json").write_text(text)
        _run(folder, "--format", "sarif")


def _run(*arguments: str) -> None:
    command = [sys.executable, "-m", "passrole", "check", *arguments, "--managed-version", "v3"]
    finished = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)  # noqa: S603 (ourselves)
    assert finished.returncode in (0, 1)
