"""Onboarding without a server."""

import json
from pathlib import Path

from click.testing import CliRunner

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
