"""The audit trail on a disk that fails: no call is answered without its line, and no line is torn."""

import asyncio
import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.full_disk import full_disk

from passrole import private_files
from passrole.audit import Audit, Entry, writer
from passrole.disk import FolderRemoved


def entry(operation: str) -> Entry:
    return Entry(0.0, operation, "arn", "sqs", operation, "us-east-1", (), None, None, 1.0)


def told(path: Path) -> list[str]:
    text = path.read_bytes()
    assert not text or text.endswith(b"\n"), "the last line is torn"
    return [json.loads(line)["operation"] for line in text.splitlines()]


class FullDisk:
    """os.write of a disk that has room for so many bytes more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = sys.maxsize
        self._write = os.write
        monkeypatch.setattr(os, "write", self)

    def __call__(self, descriptor: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._write(descriptor, data[: self.room])
        self.room -= written
        return written


@pytest.mark.parametrize("room", [0, 1, 100])
def test_a_line_that_has_no_room_is_taken_back_and_owed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, room: int
) -> None:
    disk, path = FullDisk(monkeypatch), tmp_path / "audit.jsonl"

    async def scenario() -> None:
        trail = Audit(path)
        trail.record(entry("Before"))
        disk.room = room
        for name in ("One", "Two"):
            with pytest.raises(OSError, match="No space left"):
                trail.record(entry(name))
        assert told(path) == ["Before"]
        with pytest.raises(OSError, match="No space left"):
            trail.check()
        disk.room = sys.maxsize
        trail.check()
        trail.record(entry("After"))
        trail.close()

    asyncio.run(scenario())
    assert told(path) == ["Before", "One", "Two", "After"]


def test_a_line_that_a_kill_has_torn_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    whole = b'{"operation":"One"}\n'
    for torn in (b"", b'{"oper', b"x" * 200_000):
        path.write_bytes(whole + torn)
        asyncio.run(opened_and_closed(path))
        assert path.read_bytes() == whole
    path.write_bytes(b'{"oper')
    asyncio.run(opened_and_closed(path))
    assert path.read_bytes() == b""


async def opened_and_closed(path: Path) -> None:
    Audit(path).close()


def test_a_trail_that_was_removed_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "data" / "audit.jsonl"
    path.parent.mkdir()

    async def scenario() -> None:
        trail = Audit(path)
        path.unlink()
        trail.record(entry("One"))
        assert told(path) == ["One"]
        path.unlink()
        path.parent.rmdir()
        with pytest.raises(FolderRemoved):
            trail.record(entry("Two"))
        trail.close()

    asyncio.run(scenario())


def test_a_trail_that_was_moved_is_begun_anew_and_one_whose_folder_was_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data" / "audit.jsonl"
    path.parent.mkdir()

    async def scenario() -> None:
        trail = Audit(path)
        path.rename(path.with_suffix(".old"))
        trail.record(entry("One"))
        assert told(path) == ["One"]
        path.parent.rename(tmp_path / "elsewhere")
        for is_replaced in (False, True):
            if is_replaced:
                path.parent.mkdir()
            for attempt in (trail.check, lambda: trail.record(entry("Two"))):
                with pytest.raises(FolderRemoved):
                    attempt()
        trail.close()

    asyncio.run(scenario())
    assert not path.exists()


def test_the_old_trail_goes_on_where_no_new_one_can_be_begun(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "audit.jsonl"

    def refuse(_: Path) -> Any:
        raise OSError(errno.EMFILE, "too many")

    async def scenario() -> None:
        trail = Audit(path)
        monkeypatch.setattr(writer, "BYTES_MAX", 10)
        monkeypatch.setattr(private_files, "open_to_append", refuse)
        trail.record(entry("One"))
        trail.record(entry("Two"))
        trail.close()

    asyncio.run(scenario())
    assert told(path) == ["One", "Two"]


@pytest.mark.parametrize("copied", [False, True])
def test_a_file_goes_with_the_age_of_its_lines(tmp_path: Path, copied: bool) -> None:
    path, full, told_of = tmp_path / "audit.jsonl", tmp_path / "audit.jsonl.1", list[int]()
    trail = Audit(path, (lambda: told_of.append(1)) if copied else None)
    trail.forget(1.0)
    trail.record(entry("Old"))
    trail.forget(0.0)
    assert (told(path), full.exists(), len(told_of)) == (["Old"], False, copied)
    trail.forget(1.0)
    assert (told(path), told(full), len(told_of)) == ([], ["Old"], 2 * copied)
    trail.record(entry("Next"))
    os.utime(full, (5.0, 5.0))
    trail.forget(5.0)
    assert (told(path), told(full)) == (["Next"], ["Old"]), "its last line is not so old"
    trail.forget(6.0)
    if copied:
        assert (told(path), told(full)) == (["Next"], ["Old"]), "who copies it removes it"
    else:
        assert (told(path), told(full)) == ([], ["Next"])
    trail.close()


def test_a_server_whose_trail_cannot_grow_answers_nothing(start_server: Callable[..., Server]) -> None:
    server = start_server()
    trail, who, sqs = server.data / "audit.jsonl", server.client("sts"), server.client("sqs")
    who.get_caller_identity()
    before, calls = told(trail), (who.get_caller_identity, lambda: sqs.create_queue(QueueName="q"))
    with full_disk(server):
        for call in (*calls, who.get_caller_identity):
            with pytest.raises(ClientError) as caught:
                call()
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
            assert caught.value.response["Error"]["Code"] == "InternalFailure"
        assert told(trail) == before
    assert sqs.list_queues().get("QueueUrls", []) == []
    assert told(trail) == [*before, "GetCallerIdentity", "ListQueues"]
    log = Path(server.log.name).read_text()
    assert log.count("may not grow further") == 1 and "Traceback" not in log
