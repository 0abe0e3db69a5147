"""What is left of an object when a write ends half-way, and when readers and writers meet."""

import asyncio
import errno
from typing import Any, TypeAlias

import pytest

from passrole.services.s3 import folders, objects, rows

S3: TypeAlias = Any


def nothing(*_: object) -> None:
    """In place of what a killed process does no more."""


def no_room(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "no room")


def rows_of(s3: S3, key: str) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = s3.run(
        s3.store.read(lambda tx: tx.all("SELECT metadata, pending FROM objects WHERE key = ?", key))
    )
    return found


def test_a_full_disk_leaves_the_old_object_and_nothing_else(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put("k", b"old", metadata={"a": "old"})
    with monkeypatch.context() as patched, pytest.raises(OSError, match="no room"):
        patched.setattr(folders, "place", no_room)
        s3.put("k", b"new", metadata={"a": "new"})
    assert (s3.get("k"), s3.head("k")["Metadata"]) == (b"old", {"a": "old"})
    assert len(rows_of(s3, "k")) == 1
    assert list((s3.folder / "s3/.work").iterdir()) == []


def test_killed_before_the_file_is_in_place_the_old_object_is_whole(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("k", b"old", metadata={"a": "old"})
    with monkeypatch.context() as patched, pytest.raises(OSError, match="no room"):
        patched.setattr(folders, "place", no_room)
        patched.setattr(rows, "discard_pending", nothing)
        s3.put("k", b"new", metadata={"a": "new"})
    assert (s3.get("k"), s3.head("k")["Metadata"]) == (b"old", {"a": "old"})


def test_killed_before_the_commit_the_new_object_is_whole(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put("k", b"old", metadata={"a": "old"})
    with monkeypatch.context() as patched, pytest.raises(OSError, match="no room"):
        patched.setattr(rows, "confirm", no_room)
        patched.setattr(rows, "discard_pending", nothing)
        s3.put("k", b"new", metadata={"a": "new"})
    assert (s3.get("k"), s3.head("k")["Metadata"]) == (b"new", {"a": "new"})


@pytest.mark.parametrize("operation", ["put", "copy"])
def test_a_new_object_is_whole_though_what_tells_of_it_cannot_be_written(
    s3: S3, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """Only one write fails, as where a connection has died: the next one has another."""
    s3.put("k", b"old", metadata={"a": "old"})
    new: dict[str, Any] = {"metadata": {"a": "new"}, "content_type": "text/plain", "tagging": "t=1"}
    s3.put("source", b"new", **new)
    with monkeypatch.context() as patched, pytest.raises(OSError, match="no room"):
        patched.setattr(rows, "confirm", no_room)
        if operation == "put":
            s3.put("k", b"new", **new)
        else:
            s3.copy_object(bucket="data", key="k", copy_source="data/source")
    found = s3.get_object(bucket="data", key="k")
    assert (found["Body"], found["Metadata"], found["ContentType"]) == (b"new", {"a": "new"}, "text/plain")
    assert found["TagCount"] == 1
    assert list((s3.folder / "s3/.work").iterdir()) == []


def test_what_cannot_be_put_in_a_row_leaves_no_file(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who tries again while the database is away would fill the disk."""
    monkeypatch.setattr(rows, "put", no_room)
    with pytest.raises(OSError, match="no room"):
        s3.put("k", b"new")
    assert list((s3.folder / "s3/.work").iterdir()) == []


def test_of_many_writers_at_once_one_wins_as_a_whole(s3: S3) -> None:
    put = s3.handler("put_object")

    async def all_at_once() -> None:
        writers = (
            put(s3.context, bucket="data", key="k", body=b"%d" % n, metadata={"n": str(n)}) for n in range(20)
        )
        await asyncio.gather(*writers)

    s3.run(all_at_once())
    answer = s3.get_object(bucket="data", key="k")
    assert answer["Metadata"] == {"n": answer["Body"].decode()}
    assert len(rows_of(s3, "k")) == 1


def test_of_many_writers_who_want_nothing_there_one_succeeds(s3: S3) -> None:
    put = s3.handler("put_object")

    async def all_at_once() -> list[object]:
        writers = (
            put(s3.context, bucket="data", key="lock", body=b"%d" % n, if_none_match="*") for n in range(10)
        )
        return list(await asyncio.gather(*writers, return_exceptions=True))

    outcomes = s3.run(all_at_once())
    assert sum(isinstance(each, dict) for each in outcomes) == 1
    assert list((s3.folder / "s3/.work").iterdir()) == []


def test_an_object_that_is_never_still_is_refused(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    async def changed(*_: object) -> None:
        """The file is another one at each look."""

    s3.put("k")
    monkeypatch.setattr(objects, "read", changed)
    assert s3.refusal(lambda: s3.get("k")) == ("OperationAborted", 409)


def test_a_file_that_is_replaced_under_a_reader_is_not_mixed_with_its_forerunner(s3: S3) -> None:
    s3.put("k", b"old")
    found = s3.run(objects.find(s3.context, "data", "k"))
    s3.put("k", b"new, and longer")
    assert s3.run(objects.read(s3.context, found, 0, 3)) is None
