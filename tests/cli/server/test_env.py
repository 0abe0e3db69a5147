"""The variables as printed, for the administrator and for a role."""

import configparser
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.conftest import Server

from passrole.cli import main


def env(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["env", "--data", str(data), *arguments])


def test_the_administrators_variables_lead_to_the_running_server(server: Server) -> None:
    values = json.loads(env(server.data, "--format", "json").stdout)
    assert values["AWS_ENDPOINT_URL"] == server.url
    assert values["AWS_ACCESS_KEY_ID"] == server.access["access_key_id"]
    assert "AWS_SESSION_TOKEN" not in values


def test_a_role_has_a_session_as_a_notebook_has(server: Server) -> None:
    name = server.access["role_name"]
    values = json.loads(env(server.data, "--role", name, "--format", "json").stdout)
    sts = server.client_with(
        "sts", values["AWS_ACCESS_KEY_ID"], values["AWS_SECRET_ACCESS_KEY"], values["AWS_SESSION_TOKEN"]
    )
    assert f":assumed-role/{name}/" in sts.get_caller_identity()["Arn"]


def test_a_role_that_does_not_trust_sagemaker_has_none(server: Server) -> None:
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


@pytest.mark.parametrize("client", ["go", "rclone"])
def test_gos_clients_are_given_no_bundle_at_which_they_stop(server: Server, client: str) -> None:
    lines = env(server.data, "--for", client).stdout.splitlines()
    assert not any(line.startswith("export AWS_CA_BUNDLE=") for line in lines)
    assert "AWS_CA_BUNDLE" in lines[-1].removeprefix("unset ").split()
    assert f"export AWS_ENDPOINT_URL={server.url}" in lines


def test_rclone_has_a_remote_that_addresses_buckets_by_path(server: Server) -> None:
    values = json.loads(env(server.data, "--for", "rclone", "--format", "json").stdout)
    assert values["RCLONE_CONFIG_PASSROLE_ENDPOINT"] == server.url
    assert values["RCLONE_CONFIG_PASSROLE_PROVIDER"] == "Other"


@pytest.mark.parametrize("client", ["polars", "deltalake"])
def test_rusts_clients_are_told_that_plain_http_is_meant(server: Server, client: str) -> None:
    assert "export AWS_ALLOW_HTTP=true" in env(server.data, "--for", client).stdout.splitlines()


def test_s3cmd_has_a_configuration_with_the_roles_session(server: Server) -> None:
    name = server.access["role_name"]
    text = env(server.data, "--for", "s3cmd", "--role", name).stdout
    found = configparser.ConfigParser(interpolation=None)
    found.read_string(text)
    host = server.url.removeprefix("http://")
    assert (found["default"]["host_base"], found["default"]["host_bucket"]) == (host, host)
    assert found["default"]["use_https"] == "False"
    assert found["default"]["access_token"]
    assert "access_token" not in env(server.data, "--for", "s3cmd").stdout


def test_duckdb_has_one_statement(server: Server) -> None:
    text = env(server.data, "--for", "duckdb").stdout.strip()
    assert text.startswith("CREATE OR REPLACE SECRET passrole (TYPE s3, KEY_ID '")
    assert text.endswith("URL_STYLE 'path', USE_SSL false);")
    assert "\n" not in text


def test_a_client_that_is_not_known_is_refused_with_those_that_are(server: Server) -> None:
    result = env(server.data, "--for", "gopher")
    assert result.exit_code == 2
    assert "rclone" in result.stderr


def test_everything_that_was_set_is_unset_without_a_server(server: Server, tmp_path: Path) -> None:
    line = env(tmp_path, "--unset").stdout
    name = server.access["role_name"]
    lines = env(server.data, "--role", name).stdout.splitlines()
    exported = {line.split()[1].partition("=")[0] for line in lines if line.startswith("export ")}
    assert exported == set(line.split()[1:]) and line.startswith("unset ")
