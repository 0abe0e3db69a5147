"""What the machine has, and what is said of what it has not."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.conftest import Server

from passrole.cli import main
from passrole.cli.server import diagnostics
from passrole.cli.server.diagnostics import findings
from passrole.config import Config
from passrole.runtimes import sandbox
from passrole.runtimes.sandbox import ladder
from passrole.runtimes.sandbox.serial import Serial
from passrole.runtimes.sandbox.unshare import Unshare


def found(config: Config) -> dict[str, tuple[str, str, str]]:
    return {each.subject: (each.level, each.found, each.advice) for each in findings(config)}


def test_everything_is_looked_at_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSROLE_PORT", "0")
    result = CliRunner().invoke(main, ["doctor", "--data", str(tmp_path / "new")])
    assert result.exit_code == 0, result.output
    subjects = [line[4:].partition(":")[0] for line in result.output.splitlines()]
    assert subjects == [
        "Python",
        "data folder",
        "database",
        "objects",
        "port",
        "Lambda functions",
        "Node.js",
        "Java",
        "Spark",
        "S3 in Spark",
        "sandbox",
        "containers",
    ]
    assert not (tmp_path / "new").exists()


def test_programs_get_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSROLE_PORT", "0")
    result = CliRunner().invoke(main, ["doctor", "--data", str(tmp_path), "--format", "json"])
    first = json.loads(result.output)[0]
    assert (first["subject"], first["level"]) == ("Python", "ok")


def test_what_is_missing_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    here = found(Config(data=tmp_path, port=0, spark_home="/nowhere"))
    assert here["Java"][:2] == ("missing", "not found")
    assert here["Spark"] == ("missing", "not found", "EMR steps need it: pip install 'passrole[emr]'")


@pytest.mark.parametrize(
    ("settings", "level", "told", "advice"),
    [
        ({}, "missing", "which is not installed", "passrole doctor --install-s3a"),
        ({"spark_s3": "folder"}, "limited", "no permission is checked", "set spark_s3 to s3a"),
        ({"spark_s3": "folder", "s3_endpoint": "http://s3:9000"}, "missing", "elsewhere", "set spark_s3"),
    ],
)
def test_the_way_of_spark_to_s3_is_told(
    settings: dict[str, Any], level: str, told: str, advice: str, tmp_path: Path
) -> None:
    found_level, found_told, found_advice = found(Config(data=tmp_path, port=0, **settings))["S3 in Spark"]
    assert (found_level, told in found_told, advice in found_advice) == (level, True, True)


def test_objects_in_a_folder_are_a_limit_for_servers_that_share_a_database(tmp_path: Path) -> None:
    shared = Config(data=tmp_path, port=0, store="postgresql://127.0.0.1:9/none")
    level, _, advice = found(shared)["objects"]
    assert (level, "set s3_endpoint" in advice) == ("limited", True)


def test_a_public_url_is_asked_whether_a_server_is_behind_it(server: Server, tmp_path: Path) -> None:
    assert "public URL" not in found(Config(data=tmp_path, port=0))
    right = found(Config(data=tmp_path, port=0, public_url=server.url))["public URL"]
    assert right == ("ok", f"{server.url} answers", "")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    level, told, advice = found(Config(data=tmp_path, port=0, public_url=nobody))["public URL"]
    assert (level, f"behind `{nobody}`" in told, "public_url" in advice) == ("limited", True, True)


def test_what_limits_is_marked_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = found(Config(data=tmp_path, port=0, lambda_bootstrap="own", sandbox="unshare"))
    assert (
        here["Lambda functions"][0] == "limited" and "own small runtime client" in here["Lambda functions"][1]
    )
    level, told, _ = here["sandbox"]
    if level != "wrong":  # it works here
        assert level == "limited"
        assert told.startswith(
            "bubblewrap is not used: the setting `sandbox` is `unshare`; unshare confines "
        )
    monkeypatch.setenv("PASSROLE_PORT", "0")
    monkeypatch.setenv("PASSROLE_LAMBDA_BOOTSTRAP", "own")
    said = CliRunner().invoke(main, ["doctor", "--data", str(tmp_path)]).stdout
    assert "!!  Lambda functions: run under our own small runtime client; " in said


def test_a_sandbox_that_is_not_the_best_is_a_limit_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "chosen", lambda *_: Unshare())
    monkeypatch.setattr(diagnostics, "why_not", lambda _: "`bwrap` is not installed")
    level, told, advice = found(Config(data=tmp_path, port=0))["sandbox"]
    assert level == "limited" and "apt-get install bubblewrap" in advice
    assert told.startswith("bubblewrap is not used: `bwrap` is not installed; unshare confines ")


def test_an_old_java_is_not_enough(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    java = tmp_path / "bin" / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    java.chmod(0o755)
    level, told, advice = found(Config(data=tmp_path, port=0, java_home=str(tmp_path)))["Java"]
    assert (level, "11.0.2" in told, "version 17" in advice) == ("missing", True, True)


def test_what_confines_nothing_is_told_with_what_that_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "SERIAL", Serial(tmp_path / "ml"))
    level, told, advice = found(Config(data=tmp_path, port=0, sandbox="serial"))["sandbox"]
    assert (level, told) == ("missing", "serial, as the setting says")
    assert advice.startswith("nothing is confined") and "one at a time" in advice


def test_a_port_that_is_taken_keeps_the_server_from_running(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        level, told, advice = found(Config(data=tmp_path, port=port))["port"]
        assert (level, f"127.0.0.1:{port}" in told, "--port" in advice) == ("wrong", True, True)
        result = CliRunner().invoke(
            main, ["doctor", "--data", str(tmp_path)], env={"PASSROLE_PORT": str(port)}
        )
    assert result.exit_code == 1


def test_an_ipv6_address_is_named_in_brackets(tmp_path: Path) -> None:
    assert found(Config(data=tmp_path, host="::1", port=0))["port"][1].startswith("[::1]:0 ")


def test_a_server_that_runs_is_found(server: Server) -> None:
    assert found(Config(data=server.data))["server"] == ("ok", f"runs at {server.url}", "")
