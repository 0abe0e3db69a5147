"""Which data folder a command takes: named before or after the verb, by the environment, or found above."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from passrole.cli import main


def status_of(*arguments: str) -> str:
    """The data folder that `status` takes, or the error."""
    done = CliRunner().invoke(main, [*arguments, "--format", "json"])
    return str(json.loads(done.stdout)["data"]) if done.exit_code == 0 else done.stderr


def init(folder: Path) -> Path:
    assert CliRunner().invoke(main, ["init", "--data", str(folder)]).exit_code == 0
    return folder


def test_the_folder_is_named_before_or_after_the_command(tmp_path: Path) -> None:
    one, two = init(tmp_path / "one"), init(tmp_path / "two")
    assert status_of("--data", str(one), "status") == str(one)
    assert status_of("status", "--data", str(one)) == str(one)
    assert status_of("--data", str(one), "status", "--data", str(two)) == str(two)


def test_a_group_of_commands_takes_it_before_its_name(tmp_path: Path) -> None:
    script = CliRunner().invoke(
        main, ["--data", str(tmp_path / "none"), "policy", "generate", "--from-executions", "--role", "r"]
    )
    assert (script.exit_code, script.stderr.count("\n")) == (2, 1)
    assert str(tmp_path / "none") in script.stderr


def test_the_closest_folder_above_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outer, inner = tmp_path / ".passrole", tmp_path / "a" / ".passrole"
    init(outer)
    below = tmp_path / "a" / "b" / "c"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert status_of("status") == str(outer)
    init(inner)
    assert status_of("status") == str(inner)
    here = init(below / ".passrole")
    assert status_of("status") == str(here)


@pytest.mark.parametrize("variable", [False, True])
def test_a_folder_that_is_named_is_not_looked_for_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: bool
) -> None:
    init(tmp_path / "data")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    if variable:
        monkeypatch.setenv("PASSROLE_DATA", "data")
    told = status_of("status", *(() if variable else ("--data", "data")))
    assert "`data` is not a data folder yet" in told


def test_a_folder_above_that_is_no_data_folder_or_of_somebody_else_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".passrole").mkdir()
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert "`.passrole` is not a data folder yet" in status_of("status")
    init(tmp_path / ".passrole")
    assert status_of("status") == str(tmp_path / ".passrole")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert "`.passrole` is not a data folder yet" in status_of("status")


def test_init_makes_a_folder_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init(tmp_path / ".passrole")
    below = tmp_path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    assert CliRunner().invoke(main, ["init"]).exit_code == 0
    assert (below / ".passrole" / "credentials.json").is_file()


def test_a_server_says_which_folder_above_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, below = init(tmp_path / ".passrole"), tmp_path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    done = CliRunner().invoke(main, ["exec", "--", "true"])
    assert done.exit_code == 0
    assert f"the data folder is `{data}`\n" in done.stderr
    assert not (below / ".passrole").exists()
