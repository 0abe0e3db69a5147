"""The data folder is its owner's alone, whoever makes it and however it was before."""

import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.conftest import Server

from passrole import private_files
from passrole.store import SqliteStore

SECRET = ["passrole.db", "audit.jsonl", "credentials.json", "server.json", "proxy.secret", "ca.key"]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def usual_mask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "passrole", *arguments], capture_output=True, text=True, timeout=60, check=True
    )


def test_the_folder_that_a_command_makes_is_private(tmp_path: Path) -> None:
    told = command("init", "--data", str(tmp_path / "parent" / "data")).stderr
    assert (mode(tmp_path / "parent" / "data"), told) == (0o700, "")


def test_the_folder_that_the_store_makes_is_private(tmp_path: Path) -> None:
    async def opened() -> None:
        await SqliteStore(tmp_path / "data").close()

    import asyncio

    asyncio.run(opened())
    assert mode(tmp_path / "data") == 0o700
    assert mode(tmp_path / "data" / "passrole.db") == 0o600


def test_what_a_server_keeps_is_private_and_its_certificate_is_not(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    server.client("iam").list_users()
    server.client("iam").list_users()  # the first one's line is in the audit trail by now
    assert mode(server.data) == 0o700
    assert {name: mode(server.data / name) for name in SECRET} == dict.fromkeys(SECRET, 0o600)
    assert mode(server.data / "ca.pem") == 0o644
    open_to_others = [each for each in server.data.iterdir() if each.is_file() and mode(each) & 0o077]
    assert [each.name for each in open_to_others] == ["ca.pem"]


def test_a_folder_that_is_too_open_is_tightened_and_that_is_said_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    command("init", "--data", str(data))
    data.chmod(0o755)
    for name in ("passrole.db", "credentials.json"):
        (data / name).chmod(0o644)
    (data / "config.toml").write_text('s3_secret_access_key = "hidden"\n')
    told = command("init", "--data", str(data)).stderr
    assert told.count("\n") == 1 and told.startswith(
        "warning: these were readable by others and are now private: "
    )
    assert f"`{data}`" in told and "config.toml" in told
    assert [mode(data), mode(data / "passrole.db"), mode(data / "config.toml")] == [0o700, 0o600, 0o600]
    assert command("init", "--data", str(data)).stderr == ""


def test_a_server_tightens_its_folder(tmp_path: Path, start_server: Callable[..., Server]) -> None:
    data = tmp_path / "data-0"
    data.mkdir(mode=0o777)
    data.chmod(0o777)
    (data / "audit.jsonl").write_text(json.dumps({}) + "\n")
    server = start_server()
    assert server.data == data
    assert (mode(data), mode(data / "audit.jsonl")) == (0o700, 0o600)
    assert "these were readable by others" in Path(server.log.name).read_text()


def test_the_store_alone_tightens_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o770)
    with caplog.at_level(logging.WARNING):
        private_files.make_folder(data, logging.getLogger("passrole").warning)
        private_files.make_folder(data, logging.getLogger("passrole").warning)
    assert mode(data) == 0o700
    assert [record.message for record in caplog.records] == [
        f"these were readable by others and are now private: `{data}`"
    ]


def test_a_folder_that_everybody_writes_to_is_not_closed_for_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    said: list[str] = []
    private_files.make_folder(tmp_path, said.append)
    assert mode(tmp_path) == 0o1777 and "shared with other users" in said[0]


def test_a_link_in_the_folder_leads_to_no_change_elsewhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("x")
    outside.chmod(0o644)
    data = tmp_path / "data"
    data.mkdir()
    (data / "link").symlink_to(outside)
    private_files.make_folder(data, lambda _told: None)
    assert mode(outside) == 0o644


def test_a_private_file_is_private_whatever_was_left_of_an_attempt(tmp_path: Path) -> None:
    (tmp_path / "secret.new").write_text("left")
    (tmp_path / "secret.new").chmod(0o666)
    private_files.write(tmp_path / "secret", b"s")
    assert (mode(tmp_path / "secret"), (tmp_path / "secret").read_bytes()) == (0o600, b"s")


def test_threads_that_write_a_file_at_the_same_time_do_not_meet(tmp_path: Path) -> None:
    contents = {bytes([65 + number]) * 4_000 for number in range(8)}
    for _ in range(50):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda content: private_files.write(tmp_path / "f", content), contents))
        assert (tmp_path / "f").read_bytes() in contents
    assert [each.name for each in tmp_path.iterdir()] == ["f"]
