"""The plugin in a pytest of its own, as users run it."""

import os
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_pytest(folder: Path, *options: str, **files: str) -> "subprocess.CompletedProcess[str]":
    """pytest in the folder, with these modules and the plugin alone."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    command = [sys.executable, "-m", "pytest", "-p", "passrole.testing.plugin", "-W", "error", *options]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "TMPDIR": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_package_declares_the_plugin_and_its_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"passrole": "passrole.testing.plugin"}
    assert any(each.startswith("pytest") for each in project["optional-dependencies"]["testing"])


def test_the_fixture_is_as_new_for_each_test(tmp_path: Path) -> None:
    ran = run_pytest(
        tmp_path,
        test_mine="""
        import pytest

        @pytest.mark.parametrize("number", range(20))
        def test_first_bucket(passrole, number):
            assert passrole.bucket() == "sagemaker-bucket-1"

        def test_settings(passrole):
            assert passrole.access.region == "eu-central-1"
        """,
        conftest="""
        import pytest

        @pytest.fixture(scope="session")
        def passrole_settings():
            return {"region": "eu-central-1"}
        """,
    )
    assert ran.returncode == 0, ran.stdout
    assert "21 passed" in ran.stdout
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("passrole-test-")] == []


def test_a_session_that_does_not_ask_for_it_loads_nothing_and_starts_nothing(tmp_path: Path) -> None:
    ran = run_pytest(
        tmp_path,
        test_mine="""
        import sys, threading

        def test_nothing_is_loaded():
            assert not {"passrole.app", "boto3", "uvicorn"} & set(sys.modules)
            assert [thread.name for thread in threading.enumerate()] == ["MainThread"]
        """,
    )
    assert ran.returncode == 0, ran.stdout


def test_a_failed_assertion_shows_the_steps_and_not_the_plugin(tmp_path: Path) -> None:
    ran = run_pytest(
        tmp_path,
        test_mine="""
        def test_mine(passrole):
            step = {"Name": "No", "Type": "Fail", "Arguments": {"ErrorMessage": "never"}}
            passrole.run({"Version": "2020-12-01", "Steps": [step]}).succeeded()
        """,
    )
    assert ran.returncode == 1
    assert "E       AssertionError: expected the execution to be Succeeded" in ran.stdout
    assert "never" in ran.stdout
    assert "src/passrole/testing" not in ran.stdout


def test_servers_of_several_processes_do_not_meet(tmp_path: Path) -> None:
    """As with pytest-xdist: each process has its own port and folder."""
    test = "def test_mine(passrole):\n    assert passrole.bucket() == 'sagemaker-bucket-1'\n"
    folders = [Path(tempfile.mkdtemp(dir=tmp_path)) for _ in range(2)]
    for folder in folders:
        (folder / "test_mine.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-p", "passrole.testing.plugin", "-q"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    running = [
        subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        for folder in folders
    ]
    assert [process.wait(60) for process in running] == [0, 0]
