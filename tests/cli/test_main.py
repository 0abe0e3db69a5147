"""Help that teaches, and misuse told in one line."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from passrole.cli import main
from passrole.cli.errors import Failed, Misuse, one_line

COMMANDS = [
    "demo",
    "serve",
    "console",
    "init",
    "doctor",
    "env",
    "exec",
    "check",
    "explain",
    "policy",
    "run",
    "start",
    "list",
    "show",
    "logs",
    "stop",
    "retry",
    "callbacks",
    "models",
    "approve",
    "reject",
    "replay",
    "status",
    "clean",
    "backup",
    "migrate",
    "completion",
]
POLICY_COMMANDS = ["generate", "diff", "versions", "lint"]


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="passrole")


def test_the_commands_are_listed_in_the_order_of_a_first_day() -> None:
    assert list(main.commands) == COMMANDS
    assert list(main.commands["policy"].commands) == POLICY_COMMANDS  # type: ignore[attr-defined]
    listed = invoke("--help").stdout.split("Commands:")[1]
    assert [line.split()[0] for line in listed.splitlines()[1 : 1 + len(COMMANDS)]] == COMMANDS


def test_no_summary_is_cut_off() -> None:
    assert "..." not in invoke("--help").stdout.split("Commands:")[1]


def test_a_group_without_a_command_shows_its_help() -> None:
    result = CliRunner().invoke(main, ["policy"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Commands:\n  generate " in result.stdout


def test_without_a_command_the_help_is_shown() -> None:
    assert invoke().stdout == invoke("--help").stdout
    assert invoke().exit_code == 0


@pytest.mark.parametrize("command", [*COMMANDS, *(f"policy {name}" for name in POLICY_COMMANDS)])
def test_the_help_of_a_command_ends_with_examples_of_it(command: str) -> None:
    result = invoke(*command.split(), "--help")
    assert result.exit_code == 0
    assert f"passrole {command}" in result.stdout.split("Examples:")[1]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("nope", "passrole: no such command 'nope' (see `passrole --help`)"),
        ("run --xyz", "passrole run: no such option '--xyz' (see `passrole run --help`)"),
        ("run", "passrole run: missing argument 'DEFINITION' (see `passrole run --help`)"),
        ("run no.json", "'no.json' does not exist"),
        ("run {file} -p novalue", "`novalue` is not NAME=VALUE"),
        ("run {file} -p =x", "`=x` is not NAME=VALUE"),
        ("run {file} -p a=1 -p a=2", "`a` is given twice with -p"),
        ("run {file} --function f", "`f` is not NAME=FOLDER:HANDLER"),
        ("run {file} --function f={folder}:app", "with a handler such as `app.handler`"),
        (
            "run {file} --function f=nowhere:app.handler",
            "the folder `nowhere` of function `f` does not exist",
        ),
        ("run {file} --function f={folder}:app.handler", "has no `app.py` for the handler `app.handler`"),
        ("run {binary}", "cannot be read"),
        ("run {nameless}", "gives no name for the pipeline; choose one with --name"),
        ("approve", "missing argument 'TOKEN'"),
        ("models --status new", "'new' is not one of 'pending', 'approved', 'rejected'"),
        ("approve abc -o x", "`x` is not NAME=VALUE"),
        ("reject abc", "missing option '--reason'"),
        ("serve --port 99999", "99999 is not in the range 0<=x<=65535"),
        ("serve --data {file}", "is a file"),
        ("init --data {file}/below", "cannot be used: Not a directory"),
        ("env --data {folder}/new", "is not a data folder yet; prepare it with `passrole init --data "),
        ("callbacks --data {folder}/new", "is not a data folder yet"),
        ("callbacks --format xml", "'xml' is not one of 'text', 'json'"),
        ("exec", "missing argument '-- COMMAND ...'"),
        ("serve --data {odd}", "`{odd}/config.toml` has an unknown setting `colour`"),
    ],
)
def test_misuse_is_one_line_on_stderr_and_exit_code_2(arguments: str, message: str, tmp_path: Path) -> None:
    places = {
        "folder": tmp_path / "empty",
        "odd": tmp_path / "odd",
        "file": tmp_path / "pipeline.json",
        "binary": tmp_path / "binary.json",
        "nameless": tmp_path / "---.json",
    }
    for folder in ("folder", "odd"):
        places[folder].mkdir()
    (places["odd"] / "config.toml").write_text("colour = 1")
    places["file"].write_text("{}")
    places["nameless"].write_text("{}")
    places["binary"].write_bytes(b"\xff\xfe")
    result = invoke(*arguments.format(**places).split())
    assert message.format(**places) in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert result.exit_code == 2


@pytest.mark.parametrize(
    "error, line",
    [
        (Failed("the server\n  went away."), "passrole: the server went away"),
        (Failed("AccessDenied: User: x"), "passrole: AccessDenied: User: x"),
        (Misuse("`x` is odd"), "passrole: `x` is odd"),
        (click.UsageError("Odd use."), "passrole: odd use (see `passrole --help`)"),
    ],
)
def test_an_error_is_one_sentence_without_a_full_stop(error: click.ClickException, line: str) -> None:
    assert one_line(error) == line


def test_the_help_imports_neither_clients_nor_server_nor_tables() -> None:
    script = (
        "import sys, passrole.cli;"
        "print([name for name in ('boto3', 'botocore', 'rich', 'uvicorn', 'yaml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
