"""The tutorial that trains: its files are written and its commands run, as a reader does both."""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "train-a-model.md"
FILE = re.compile(r"`(\w+\.py)`[^`]*?:\n\n```python\n(.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
CHANGING = re.compile(r" *[0-9]+\.[0-9]+ s|from [a-z0-9]{12}|sagemaker-pipeline-[a-z0-9]{12}|[0-9.]+$")


@pytest.mark.slow
def test_the_tutorial_that_trains_does_what_it_says(tmp_path: Path, sandboxed: None) -> None:
    if not any(each.version.startswith("2.") for each in metadata.distributions(name="sagemaker")):
        pytest.skip("version 2 of the SageMaker SDK is not installed")
    page = PAGE.read_text()
    for name, text in FILE.findall(page):
        (tmp_path / name).write_text(text)
    sessions = [part for block in CONSOLE.findall(page) for part in block.split("$ ")[1:]]
    assert len(sessions) == 7
    for session in sessions:
        command, *expected = session.splitlines()
        told = _run(command, tmp_path)
        wanted = [_steady(line) for line in expected if line != "..." and "  Executing  " not in line]
        assert [line for line in wanted if line not in told] == [], told


def _run(command: str, folder: Path) -> list[str]:
    """The lines that a command of the page prints."""
    programs = {"passrole": f"'{sys.executable}' -m passrole", "python": f"'{sys.executable}'"}
    words = [programs.get(word, word) for word in command.split(" ")]
    finished = subprocess.run(
        ["sh", "-c", " ".join(words)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert finished.returncode == 0 or finished.stdout, finished.stderr
    return [_steady(line) for line in finished.stdout.splitlines()]


def _steady(line: str) -> str:
    """A line without what differs from run to run."""
    return CHANGING.sub("*", line)
