"""The library as a console or a test plugin uses it: it raises, and neither prints nor handles signals."""

import signal
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server

from passrole import app, server_file
from passrole.client import InvalidInput, ServerUnavailable
from passrole.client.connection import connect, connected
from passrole.config import Config


def test_a_folder_without_a_server_is_told_from_one_that_is_none(tmp_path: Path) -> None:
    config = Config(data=tmp_path)
    with pytest.raises(InvalidInput, match="is not a data folder yet"):
        connect(config, must_run=False)
    app.onboard(config)
    with pytest.raises(ServerUnavailable, match="no server runs on"):
        connect(config, must_run=True)
    assert connect(config, must_run=False).url == "http://127.0.0.1:4566"


def test_what_the_server_refuses_keeps_its_code(server: Server) -> None:
    connection = connect(Config(data=server.data), must_run=True)
    assert connection.url == server.url
    with pytest.raises(ClientError) as raised:
        connection.ask("ReadEmrStepLog", {"ClusterId": "j-1", "StepId": "s-1", "Stream": "x", "Offset": 0})
    assert raised.value.operation_name == "ReadEmrStepLog"
    with pytest.raises(ClientError, match="NoSuchEntity"):
        connection.role_arn("nobody")


def test_a_server_of_its_own_ends_with_the_block(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config, handler = Config(data=tmp_path), signal.getsignal(signal.SIGTERM)
    with connected(config) as connection:
        assert connection.temporary
        assert signal.getsignal(signal.SIGTERM) == handler
        assert connection.client("sts").get_caller_identity()["Account"] == connection.access.account
    assert server_file.url(config) is None
    assert capfd.readouterr() == ("", "")


def test_settings_that_no_server_takes_are_invalid_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSROLE_LAMBDA_BOOTSTRAP", "odd")  # only the server looks at this one
    with pytest.raises(InvalidInput, match="PASSROLE_LAMBDA_BOOTSTRAP is `odd`"), connected(Config(tmp_path)):
        pass
