"""The how-to's own pipeline and tests, as they stand on the page."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.testing.test_plugin import run_pytest

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "test-a-pipeline.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_tests_of_the_page_pass(tmp_path: Path) -> None:
    (definition,) = blocks("json")
    (tmp_path / "pipeline.json").write_text(definition)
    assert len(json.loads(definition)["Steps"]) == 2
    ran = run_pytest(tmp_path, test_pipeline=blocks("python")[0])
    assert ran.returncode == 0, ran.stdout
    assert "10 passed" in ran.stdout


def test_the_page_s_way_without_pytest_works(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(blocks("python")[1])
    command = [sys.executable, "-W", "error", "-m", "unittest", "test_mine"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
