"""The server of a test session: how long a reset takes, and two hundred tests of a pipeline."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.measure import median_of, seconds
from bench.table import Figure, Row
from passrole.testing import Server

ROUNDS = 21
ROOT = Path(__file__).parents[1]


def rows() -> Iterator[Row]:
    """A reset of a server that was used, and a pytest session from the shell."""
    with Server() as server:
        reset = median_of(ROUNDS, lambda: _reset(server))
    yield Row("`passrole.testing`: reset, p50", Figure(reset, "s"), None, Figure(0.05, "s"))
    yield Row("200 tests of a pipeline in pytest", Figure(seconds(_session), "s"), None, Figure(20, "s"))


def _reset(server: Server) -> float:
    server.bucket(files={"a": "x" * 1_000})
    server.role(allow=["s3:GetObject"])
    server.queue()
    return seconds(server.reset)


def _session() -> None:
    """The how-to's pipeline and the tests of tests/testing/two_hundred.py, in a process of their own."""
    page = (ROOT / "docs" / "howto" / "test-a-pipeline.md").read_text()
    found = re.search(r"```json\n(.*?)```", page, re.DOTALL)
    assert found is not None, "the page has a definition"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "tests" / "testing" / "two_hundred.py", Path(folder, "test_two_hundred.py"))
        Path(folder, "pipeline.json").write_text(found[1])
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "passrole.testing.plugin"],
            cwd=folder,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdout=subprocess.DEVNULL,
            check=True,
        )
