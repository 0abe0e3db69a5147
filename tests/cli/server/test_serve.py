"""A server that stays, and what keeps it from starting."""

import json
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Server

Passrole = Callable[..., "subprocess.Popen[str]"]


def test_serve_prints_its_one_line_and_ends_cleanly_on_sigterm(passrole: Passrole, tmp_path: Path) -> None:
    process = passrole("serve", "--data", str(tmp_path / "data"), "--port", "0")
    assert process.stdout is not None
    line = process.stdout.readline()
    url = json.loads((tmp_path / "data" / "server.json").read_text())["url"]
    assert line == f"passrole is ready at {url}\n"
    assert stat.S_IMODE((tmp_path / "data" / "credentials.json").stat().st_mode) == 0o600
    process.terminate()
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


def test_a_second_server_on_the_folder_is_refused(passrole: Passrole, tmp_path: Path) -> None:
    first = passrole("serve", "--data", str(tmp_path), "--port", "0")
    assert first.stdout is not None
    first.stdout.readline()
    second = passrole("serve", "--data", str(tmp_path), "--port", "0")
    _, told = second.communicate(timeout=20)
    assert told == f"passrole serve: another server uses the data folder `{tmp_path}`\n"
    assert second.returncode == 2


def test_a_port_that_is_taken_is_named(passrole: Passrole, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = passrole("serve", "--data", str(tmp_path), "--port", str(port))
        _, told = process.communicate(timeout=20)
    assert told == f"passrole serve: cannot listen on `127.0.0.1:{port}`: Address already in use\n"
    assert process.returncode == 2


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.1"])
def test_an_address_that_is_not_ours_is_named(passrole: Passrole, tmp_path: Path, host: str) -> None:
    process = passrole("serve", "--data", str(tmp_path), "--host", host, "--port", "0")
    _, told = process.communicate(timeout=20)
    assert told.startswith(f"passrole serve: cannot listen on `{host}:0`: ")
    assert told.count("\n") == 1
    assert process.returncode == 2


def test_a_server_on_an_ipv6_address_is_announced_as_clients_take_it(
    start_server: Callable[..., Server], passrole: Passrole
) -> None:
    if not _has_ipv6():
        pytest.skip("no IPv6 here")
    server = start_server(host="::1")
    assert server.url.startswith("http://[::1]:")
    queue = server.client("sqs").create_queue(QueueName="six")["QueueUrl"]
    assert queue == f"{server.url}/{server.account}/six"
    server.client("sqs").send_message(QueueUrl=queue, MessageBody="hello")
    next_command = passrole("callbacks", "--data", str(server.data))
    _, told = next_command.communicate(timeout=20)
    assert (next_command.returncode, told) == (0, "no callback waits for an answer\n")


def test_a_server_on_an_ipv6_address_is_reached_by_the_next_command(
    passrole: Passrole, tmp_path: Path
) -> None:
    if not _has_ipv6():
        pytest.skip("no IPv6 here")
    data, ipv6 = str(tmp_path), {"PASSROLE_HOST": "::1", "PASSROLE_LOG_CALLS": "no"}
    server = passrole("serve", "--data", data, "--port", "0", env=ipv6)
    assert server.stdout is not None
    announced = re.fullmatch(r"passrole is ready at (http://\[::1\]:\d+)\n", server.stdout.readline())
    assert announced
    variables = passrole("env", "--data", data, "--format", "json", env=ipv6).communicate(timeout=60)
    assert json.loads(variables[0])["AWS_ENDPOINT_URL"] == announced[1]
    listed = passrole("callbacks", "--data", data, env=ipv6)
    assert listed.communicate(timeout=60) == ("", "no callback waits for an answer\n")
    script = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    calls = passrole("exec", "--data", data, "--", sys.executable, "-c", script, env=ipv6)
    assert calls.communicate(timeout=60) == ("111122223333\n", "")
    server.terminate()
    assert server.communicate(timeout=20) == ("", "")


def test_without_a_server_an_ipv6_address_stands_in_brackets(passrole: Passrole, tmp_path: Path) -> None:
    ipv6 = {"PASSROLE_HOST": "::1", "PASSROLE_PORT": "4999"}
    passrole("init", "--data", str(tmp_path)).communicate(timeout=60)
    variables = passrole("env", "--data", str(tmp_path), "--format", "json", env=ipv6)
    assert json.loads(variables.communicate(timeout=60)[0])["AWS_ENDPOINT_URL"] == "http://[::1]:4999"


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True
