"""Onboarding without a server."""

import json
from pathlib import Path

from click.testing import CliRunner
from tests.conftest import Server

from passrole.cli import main


def test_init_makes_the_role_and_the_administrator_and_says_so_again(tmp_path: Path) -> None:
    first, second = (CliRunner().invoke(main, ["init", "--data", str(tmp_path)]) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout == second.stdout
    access = json.loads((tmp_path / "credentials.json").read_text())
    assert ":role/service-role/AmazonSageMaker-ExecutionRole-" in access["role_arn"]
    for name in ("account", "region", "role_arn", "lambda_role_arn", "user", "access_key_id"):
        assert access[name] in first.stdout
    assert access["secret_access_key"] not in first.stdout


def test_the_folder_keeps_itself_out_of_a_repository(tmp_path: Path) -> None:
    CliRunner().invoke(main, ["init", "--data", str(tmp_path)])
    assert (tmp_path / ".gitignore").read_text() == "*\n"
    (tmp_path / ".gitignore").write_text("mine\n")
    CliRunner().invoke(main, ["init", "--studio", "--data", str(tmp_path)])
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


def test_studios_role_may_do_what_sagemaker_can_also_if_it_is_asked_for_later(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for arguments in ([], ["--studio"], ["--studio"]):
        assert CliRunner().invoke(main, ["init", *arguments, "--data", str(data)]).exit_code == 0
    server = Server(data)
    try:
        name = server.access["role_name"]
        listed = server.client("iam").list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        assert [each["PolicyName"] for each in listed] == [
            "AmazonSageMakerFullAccess",
            "AmazonSageMakerPipelinesIntegrations",
        ]
    finally:
        server.stop()
