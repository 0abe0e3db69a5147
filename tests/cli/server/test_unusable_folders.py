"""A data folder that cannot be used, and settings that cannot: one line each, and nothing is changed."""

import fcntl
import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.store import chosen

Passrole = Callable[..., "subprocess.Popen[str]"]


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    said, told = process.communicate(timeout=30)
    assert said == ""
    lines = [line for line in told.splitlines(keepends=True) if "these were readable by others" not in line]
    return process.returncode, "".join(lines)


def onboarded(passrole: Passrole, folder: Path) -> Path:
    assert passrole("init", "--data", str(folder)).wait(30) == 0
    return folder


def noise(path: Path) -> None:
    path.write_bytes(os.urandom(8_192))


def emptied(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100] + bytes(5_000))


def made_newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()


def another_program_s(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "harm, told",
    [
        (noise, "is damaged: restore the data folder from a copy"),
        (emptied, "is damaged: restore the data folder from a copy"),
        (made_newer, "is of a newer passrole (schema 99, known here: "),
        (another_program_s, "is the database of another program: move it away"),
        (a_folder, "cannot be opened: look at its permissions"),
    ],
)
def test_a_database_that_is_none_of_ours_is_told_in_one_line(
    passrole: Passrole, tmp_path: Path, harm: Callable[[Path], None], told: str
) -> None:
    folder = onboarded(passrole, tmp_path / "data")
    database = folder / "passrole.db"
    harm(database)
    before = None if database.is_dir() else database.read_bytes()
    code, line = ended(passrole("serve", "--data", str(folder), "--port", "0"))
    assert code == 2 and line.count("\n") == 1 and told in line
    assert line.startswith(f"passrole serve: the data folder `{folder}` cannot be used: ")
    assert before is None or another_program_s is harm or database.read_bytes() == before


@pytest.mark.parametrize("name", ["lock", "audit.jsonl", "ca.pem", "credentials.json"])
def test_a_folder_in_a_file_s_place_is_told_in_one_line(
    passrole: Passrole, tmp_path: Path, name: str
) -> None:
    (tmp_path / "data" / name).mkdir(parents=True)
    code, line = ended(passrole("serve", "--data", str(tmp_path / "data"), "--port", "0"))
    assert code == 2 and line.count("\n") == 1 and name in line


@pytest.mark.parametrize("text", ["{", "[]", '{"url": 1}', "\x00"])
def test_a_damaged_credentials_file_is_told_with_what_to_do(
    passrole: Passrole, tmp_path: Path, text: str
) -> None:
    folder = onboarded(passrole, tmp_path / "data")
    (folder / "credentials.json").write_text(text)
    (folder / "server.json").write_text(text)
    code, line = ended(passrole("callbacks", "--data", str(folder)))
    assert (code, line.count("\n")) == (2, 1) and "remove it, and the next start writes a new one" in line


@pytest.mark.parametrize(
    "setting",
    [
        "port = 99999999",
        "port = -1",
        "port = [1]",
        'port = "x"',
        "lambda_workers_max = 0",
        "lambda_idle_seconds = -1",
        "clock_skew_seconds = -1",
        'log_level = "loud"',
        "log_level = 3",
        'trusted_proxies = "x"',
        "account = 3",
        'host = ["x"]',
    ],
)
def test_a_setting_out_of_its_bounds_is_named(passrole: Passrole, tmp_path: Path, setting: str) -> None:
    (tmp_path / "config.toml").write_text(setting)
    code, line = ended(passrole("serve", "--data", str(tmp_path)))
    assert code == 2 and line.count("\n") == 1
    assert f": `{setting.split()[0]}` in `{tmp_path}/config.toml` is `" in line and "; use " in line


def test_a_second_server_is_refused_whose_lock_file_somebody_removed(
    passrole: Passrole, tmp_path: Path
) -> None:
    first = passrole("serve", "--data", str(tmp_path), "--port", "0")
    assert first.stdout is not None
    first.stdout.readline()
    (tmp_path / "lock").unlink()
    code, line = ended(passrole("serve", "--data", str(tmp_path), "--port", "0"))
    assert (code, line) == (2, f"passrole serve: another server uses the data folder `{tmp_path}`\n")
    assert first.poll() is None


def test_a_server_of_an_older_version_is_respected(passrole: Passrole, tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, line = ended(passrole("serve", "--data", str(tmp_path), "--port", "0"))
    assert (code, line) == (2, f"passrole serve: another server uses the data folder `{tmp_path}`\n")


def folder_moved(data: Path) -> None:
    data.rename(data.with_name("elsewhere"))


def folder_replaced(data: Path) -> None:
    data.rename(data.with_name("elsewhere"))
    data.mkdir()


def log_removed(data: Path) -> None:
    (data / "passrole.db-wal").unlink()


def database_replaced(data: Path) -> None:
    copy = data / "copy"
    copy.write_bytes((data / "passrole.db").read_bytes())
    copy.rename(data / "passrole.db")


@pytest.mark.parametrize(
    "harm",
    [
        folder_moved,
        folder_replaced,
        *(pytest.param(each, marks=chosen.of_a_file) for each in (log_removed, database_replaced)),
    ],
)
def test_nothing_is_acknowledged_that_goes_into_files_which_are_gone(
    start_server: Callable[..., Server], harm: Callable[[Path], None]
) -> None:
    server = start_server()
    sqs = server.client("sqs")
    sqs.create_queue(QueueName="before")
    harm(server.data)
    calls: list[Callable[[], Any]] = [
        lambda: sqs.create_queue(QueueName="after"),
        lambda: server.client("s3").create_bucket(Bucket="after"),
        lambda: server.client("iam").create_user(UserName="after"),
    ]
    for call in calls:
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    log = Path(server.log.name).read_text()
    assert log.count("was removed or replaced while the server ran") == 1 and "Traceback" not in log
