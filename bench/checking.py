"""How long `passrole check` takes from the shell, its process included, on a definition of 200 steps.

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

_FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:"


def rows() -> Iterator[Row]:
    """Where the role may do everything, and where every permission is refused and explained."""
    python = Peer("python -c 'import boto3'", Figure(median_of(ROUNDS, lambda: seconds(bare_python)), "s"))
    for function, outcome in (("sagemaker-score", "allowed"), ("score", "refused")):
        took = median_of(ROUNDS, partial(_seconds_of_check, _FUNCTION + function))
        yield Row(f"`check`, {STEPS} steps, all {outcome}", Figure(took, "s"), python, Figure(1, "s"))


def _seconds_of_check(function: str) -> float:
    return seconds(lambda: _check(function))


def _check(function: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "pipeline.json")
        file.write_text(definitions.chain(function, STEPS))
        command = [sys.executable, "-m", "passrole", "check", str(file), "--managed-version", "v3"]
        finished = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)  # noqa: S603 (ourselves)
        assert finished.returncode in (0, 1)
