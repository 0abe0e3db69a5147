"""Colours: --no-color and NO_COLOR forbid them, FORCE_COLOR asks for them, else a terminal has them."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tests.cli.test_main import COMMANDS, POLICY_COMMANDS

from passrole.cli import colour, main

GREEN = "\x1b[32m"


@pytest.mark.parametrize(
    "environment, wanted",
    [
        ({}, None),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, None),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
    ],
)
def test_the_environment_decides_before_the_terminal(
    environment: dict[str, str], wanted: bool | None
) -> None:
    assert colour.wanted(environment) is wanted


def doctor(*arguments: str, color: bool = False, **environment: str) -> str:
    env = {"NO_COLOR": None, "FORCE_COLOR": None, "TERM": "xterm", **environment}
    return CliRunner().invoke(main, arguments, color=color, env=env).output


@pytest.mark.parametrize("arguments", [("--no-color", "doctor"), ("doctor", "--no-color")])
def test_no_color_counts_before_and_after_the_command(arguments: tuple[str, ...]) -> None:
    assert GREEN in doctor("doctor", color=True)
    assert "\x1b" not in doctor(*arguments, color=True)
    assert "\x1b" not in doctor(*arguments, FORCE_COLOR="1")


def test_a_pipe_has_colours_only_where_they_are_forced() -> None:
    assert "\x1b" not in doctor("doctor")
    assert GREEN in doctor("doctor", FORCE_COLOR="1")
    assert "\x1b" not in doctor("doctor", color=True, NO_COLOR="1")


@pytest.mark.parametrize("command", [*COMMANDS, *(f"policy {name}" for name in POLICY_COMMANDS)])
def test_every_command_takes_no_color(command: str) -> None:
    group: click.Command = main
    for name in command.split():
        assert isinstance(group, click.Group)
        group = group.commands[name]
    assert "--no-color" in [option for each in group.params for option in each.opts]


def test_a_console_for_tables_has_the_same_colours() -> None:
    context = click.Context(main)
    for color, system in ((False, None), (True, "standard")):
        context.color = color
        with context:
            console = colour.console()
            assert (console.color_system is None) is (system is None)


def test_the_json_of_a_command_never_has_colours(tmp_path: Path) -> None:
    json.loads(doctor("doctor", "--format", "json", FORCE_COLOR="1"))
