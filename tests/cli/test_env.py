"""The variables as printed, for the administrator and for a role."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from passrole.cli import main


def env(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["env", "--data", str(data), *arguments])


def test_the_administrators_variables_lead_to_the_running_server(server: Any) -> None:
    values = json.loads(env(server.data, "--format", "json").stdout)
    assert values["AWS_ENDPOINT_URL"] == server.url
    assert values["AWS_ACCESS_KEY_ID"] == server.access["access_key_id"]
    assert "AWS_SESSION_TOKEN" not in values


def test_a_role_has_a_session_as_a_notebook_has(server: Any) -> None:
    name = server.access["role_name"]
    values = json.loads(env(server.data, "--role", name, "--format", "json").stdout)
    sts = server.client_with(
        "sts", values["AWS_ACCESS_KEY_ID"], values["AWS_SECRET_ACCESS_KEY"], values["AWS_SESSION_TOKEN"]
    )
    assert f":assumed-role/{name}/" in sts.get_caller_identity()["Arn"]


def test_a_role_that_does_not_trust_sagemaker_has_none(server: Any) -> None:
    role = server.role(trust="lambda.amazonaws.com").rpartition("/")[2]
    result = env(server.data, "--role", role)
    assert result.exit_code == 1
    assert result.stderr.startswith("passrole env: AccessDenied")
    assert result.stderr.count("\n") == 1


def test_without_a_server_the_variables_name_the_place_where_one_will_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSROLE_PORT", "4999")
    CliRunner().invoke(main, ["init", "--data", str(tmp_path)])
    result = env(tmp_path)
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:4999" in result.stdout.splitlines()
    assert env(tmp_path, "--role", "x").stderr.startswith("passrole env: no server runs on `")
    assert env(tmp_path, "--role", "x").exit_code == 1
