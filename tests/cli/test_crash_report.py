"""An unexpected error is one line, an exit code that scripts can tell apart, and a file without secrets."""

import re
import stat
import tempfile
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from passrole import server_file
from passrole.cli import main
from passrole.cli.crash_report import without_secrets
from passrole.policy import managed


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="passrole")


@pytest.fixture(autouse=True)
def _temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command fails that looks for a server."""

    def running(_config: Any) -> str:
        raise ValueError("odd\n\x1b[2Jhttp://passrole:hidden-1@[::1]:1 secret_access_key='hidden-2'")

    monkeypatch.setattr(server_file, "url", running)


def test_an_unexpected_error_is_one_line_and_its_traceback_is_in_a_file(server: Any, broken: None) -> None:
    result = invoke("callbacks", "--data", str(server.data))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (70, "", 1)
    line = r"passrole callbacks: unexpected ValueError: odd .*; the traceback is in `(.*)`\n"
    found = re.fullmatch(line, result.stderr)
    assert found, result.stderr
    log = Path(found[1])
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    text = log.read_text()
    assert text.startswith("passrole callbacks: passrole ")
    assert "Traceback (most recent call last):" in text
    assert "in reading\n    url = server_file.url(config)" in text
    for told in (result.stderr, text):
        assert "hidden" not in told and "\x1b" not in told


def test_the_command_of_a_group_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(managed, "policies", lambda: None)
    assert invoke("policy", "versions", "x").stderr.startswith(
        "passrole policy versions: unexpected AttributeError: "
    )


def test_an_unexpected_error_is_told_though_no_file_can_be_written(
    server: Any, broken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    result = invoke("callbacks", "--data", str(server.data))
    assert result.exit_code == 70
    assert result.stderr.endswith("no file with the traceback could be written: No such file or directory\n")


@pytest.mark.parametrize("error", [SystemExit(3), click.exceptions.Exit(3)])
def test_what_ends_a_command_on_purpose_is_not_unexpected(
    server: Any, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def running(_config: Any) -> str:
        raise error

    monkeypatch.setattr(server_file, "url", running)
    result = invoke("callbacks", "--data", str(server.data))
    assert (result.exit_code, result.stderr) == (3, "")


@pytest.mark.parametrize(
    "text, shown",
    [
        ("https://user:pass@host/x", "https://***@host/x"),
        ("secret_access_key='abc/+=', region='r'", "secret_access_key='***', region='r'"),
        ('{"SecretAccessKey": "abc", "x": 1}', '{"SecretAccessKey": "***", "x": 1}'),
        ("AWS_SESSION_TOKEN=abc rest", "AWS_SESSION_TOKEN=*** rest"),
        ("?X-Amz-Signature=abc&x=1", "?X-Amz-Signature=***&x=1"),
        ("given my-secret-value twice my-secret-value", "given *** twice ***"),
        ("http://127.0.0.1:4566/a@b", "http://127.0.0.1:4566/a@b"),
    ],
)
def test_what_stands_where_secrets_do_is_hidden(text: str, shown: str) -> None:
    assert without_secrets(text, ["my-secret-value"]) == shown
