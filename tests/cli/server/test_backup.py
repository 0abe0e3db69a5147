"""A backup is a data folder of one moment: it is restored, and what waited goes on."""

import json
import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.cli.pipelines import daily_pipeline
from tests.conftest import Server, new_name
from tests.store import chosen

from passrole.cli import main
from passrole.store import opening


def backup(data: Path, to: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["backup", str(to), "--data", str(data), *arguments])


def put(server: Server, bucket: str, key: str, text: str) -> None:
    server.client("s3").put_object(
        Bucket=bucket, Key=key, Body=text, ContentType="text/odd", Metadata={"by": "ada"}, Tagging="a=b"
    )


def seen(server: Server, bucket: str, key: str) -> tuple[Any, ...]:
    found = server.client("s3").get_object(Bucket=bucket, Key=key)
    return found["Body"].read(), found["ContentType"], found["Metadata"], found["ETag"], found.get("TagCount")


def by_cp(backup: Path, to: Path) -> None:
    subprocess.run(["cp", "-a", str(backup), str(to)], check=True)


def by_tar(backup: Path, to: Path) -> None:
    """tar's usual formats keep whole seconds alone."""
    archive = backup.with_suffix(".tar")
    subprocess.run(["tar", "--format=gnu", "-C", str(backup), "-cf", str(archive), "."], check=True)
    to.mkdir()
    subprocess.run(["tar", "-C", str(to), "-xf", str(archive)], check=True)


def by_moving(backup: Path, to: Path) -> None:
    backup.rename(to)


@pytest.mark.parametrize("restore", [by_cp, by_tar, by_moving])
@pytest.mark.parametrize("runs", [True, False])
def test_what_waited_goes_on_in_the_restored_folder(
    tmp_path: Path, restore: Callable[[Path, Path], None], runs: bool
) -> None:
    server = Server(tmp_path / "data")
    daily_pipeline.deployed(server, "kept")
    arn = daily_pipeline.started(server, "kept")
    server.client("s3").create_bucket(Bucket="kept")
    put(server, "kept", "a/b.txt", "one")
    before = seen(server, "kept", "a/b.txt")
    if not runs:
        server.kill()
    done = backup(server.data, tmp_path / "copy", "--format", "json")
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout)["backup"] == str(tmp_path / "copy")
    if runs:
        put(server, "kept", "a/b.txt", "two")
        server.stop()
    shutil.rmtree(server.data)
    restore(tmp_path / "copy", server.data)
    server.start()
    try:
        assert seen(server, "kept", "a/b.txt") == before
        server.client("sagemaker").send_pipeline_execution_step_success(
            CallbackToken=daily_pipeline.token(server, arn), OutputParameters=[{"Name": "by", "Value": "eve"}]
        )
        assert server.finished(arn)["PipelineExecutionStatus"] == "Succeeded"
        again = server.client("sagemaker").start_pipeline_execution(PipelineName="kept")
        daily_pipeline.waits(server, again["PipelineExecutionArn"])  # its function's code is there
    finally:
        server.stop()


def test_a_backup_while_objects_are_written_has_each_with_its_own_metadata(tmp_path: Path) -> None:
    server, bucket = Server(tmp_path / "data"), "busy"
    server.client("s3").create_bucket(Bucket=bucket)
    stopping = threading.Event()

    def write() -> None:
        number = 0
        while not stopping.is_set():
            number += 1
            put(server, bucket, f"key-{number % 20}", f"text {number % 1000:03}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [tmp_path / f"copy-{number}" for number in range(3)]
        for copy in copies:
            assert backup(server.data, copy).exit_code == 0
    finally:
        stopping.set()
        writer.join()
        server.stop()
    for copy in copies:
        restored = Server(copy)
        try:
            listed = restored.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
            assert [seen(restored, bucket, each["Key"])[1:3] for each in listed] == [
                ("text/odd", {"by": "ada"})
            ] * len(listed)
        finally:
            restored.stop()


@chosen.of_a_file
def test_a_file_that_somebody_else_wrote_keeps_no_metadata_after_a_copy(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    server.client("s3").create_bucket(Bucket="other")
    put(server, "other", "key", "one")
    server.stop()
    copy = tmp_path / "copied"
    by_cp(server.data, copy)
    (copy / "s3" / "other" / "key").write_text("six")
    restored = Server(copy)
    try:
        assert seen(restored, "other", "key")[:3] == (b"six", "binary/octet-stream", {})
    finally:
        restored.stop()


def test_a_backup_is_readable_by_its_owner_alone_and_has_nothing_of_a_process(
    server: Server, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    done = backup(server.data, copy)
    assert done.exit_code == 0
    away = f"mv {server.data} {server.data}.before"
    assert f"restore, without a server: {away} && cp -a {copy} {server.data}\n" in done.stdout
    assert stat.S_IMODE(copy.stat().st_mode) == 0o700
    assert stat.S_IMODE((copy / "passrole.db").stat().st_mode) == 0o600
    names = {path.name for path in copy.iterdir()}
    assert {"passrole.db", "credentials.json", "audit.jsonl", ".gitignore"} <= names
    assert names.isdisjoint({"lock", "server.json", "passrole.db-wal", "passrole.db-shm", "scratch"})


@pytest.mark.parametrize(
    "to, message",
    [
        ("full", "is there already; name a folder that is not, or an empty one"),
        ("file", "is there already"),
        ("data/inside", "is inside the data folder"),
    ],
)
def test_where_a_backup_may_not_be_made(tmp_path: Path, to: str, message: str) -> None:
    data = tmp_path / "data"
    assert CliRunner().invoke(main, ["init", "--data", str(data)]).exit_code == 0
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "kept").touch()
    (tmp_path / "file").touch()
    done = backup(data, tmp_path / to)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert message in done.stderr
    assert (tmp_path / "full" / "kept").exists()
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / new_name("empty")
    assert CliRunner().invoke(main, ["init", "--data", str(data)]).exit_code == 0
    copy.mkdir()
    assert backup(data, copy).exit_code == 0
    assert (copy / "credentials.json").is_file()
    assert "has no database yet" in backup(tmp_path / "none", tmp_path / "x").stderr


def test_a_copy_whose_files_got_the_same_inodes_keeps_its_metadata(tmp_path: Path) -> None:
    """A disk gives the inodes of deleted files to new ones: here the file stays, and loses its fractions."""
    server = Server(tmp_path / "data")
    try:
        server.client("s3").create_bucket(Bucket="kept")
        put(server, "kept", "a/b.txt", "one")
        before = seen(server, "kept", "a/b.txt")
        server.stop()
        (path,) = (path for path in (server.data / "s3" / "kept").rglob("*") if path.is_file())
        whole = path.stat().st_mtime_ns // 1_000_000_000 * 1_000_000_000
        os.utime(path, ns=(whole, whole))
        server.start()
        assert seen(server, "kept", "a/b.txt") == before
    finally:
        server.stop()


def test_objects_elsewhere_are_not_in_it_and_that_is_said(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    far = {"s3_endpoint": "http://127.0.0.1:9", "s3_access_key_id": "k", "s3_secret_access_key": "s"}
    made = backup(start_server(**far).data, tmp_path / "copy")
    assert made.exit_code == 0, made.output
    assert "warning: the objects are at http://127.0.0.1:9, and not in the backup" in made.stderr


@chosen.of_a_file
def test_a_folder_is_not_copied_without_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, url = tmp_path / "data", "postgresql://127.0.0.1:1/nobody"
    assert CliRunner().invoke(main, ["init", "--data", str(data)]).exit_code == 0
    monkeypatch.setenv("PASSROLE_STORE", url)
    done = backup(data, tmp_path / "copy")
    assert (done.exit_code, "has rows of its own" in done.output) == (2, True)
    monkeypatch.delenv("PASSROLE_STORE")
    (data / "passrole.db").unlink()
    (data / opening.MARK).write_text(f"{url}\n")
    done = backup(data, tmp_path / "copy")
    assert (done.exit_code, f"are in {url}: name it" in done.output) == (2, True)
    assert not (tmp_path / "copy").exists()
