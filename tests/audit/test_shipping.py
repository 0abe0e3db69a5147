"""The trails of several servers as rows of one database: each line once, in their order."""

import asyncio
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.audit.test_writer import FullDisk
from tests.eventually import eventually_async
from tests.store.conftest import Stores, stores

from passrole.audit import (
    Audit,
    Check,
    Entry,
    NoTrail,
    Unreadable,
    Wanted,
    entries,
    files,
    rows,
    shipping,
    writer,
)
from passrole.audit.wanted import EVERYTHING
from passrole.config import Config
from passrole.store import Store, Tx
from passrole.worker.audit_trail import AuditTrail
from passrole.worker.supervisor import Supervisor

__all__ = ["stores"]

T = TypeVar("T")
ALLOWED = Check("sqs:SendMessage", "arn:q", True, "identity", "p", 0)
DENIED = Check("sqs:SendMessage", "arn:q", False, "identity", None, None)


class Node:
    """What a server does with its trail."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.data = folder
        self.trail = Audit(folder / files.CURRENT, lambda: None)

    def call(self, time: float, request_id: str, *checks: Check, principal: str = "arn:p") -> None:
        code = None if all(check.allowed for check in checks) else "AccessDenied"
        self.trail.record(
            Entry(time, request_id, principal, "sqs", "SendMessage", "r", checks, code, code, 0.25)
        )

    async def ship(self, store: Store) -> None:
        await shipping.ship(store, self.data, f"host:{self.data}")


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Callable[[str], Node]]:
    made: list[Node] = []

    def make(name: str) -> Node:
        made.append(Node(tmp_path / name))
        return made[-1]

    yield make
    for node in made:
        node.trail.close()


async def read(store: Store, data: Path, wanted: Wanted = EVERYTHING, between: Any = None) -> list[str]:
    """The request ids; `between` is awaited after each look into the rows."""
    loop = asyncio.get_running_loop()

    async def looked(fn: Callable[[Tx], T]) -> T:
        found = await store.read(fn)
        if between is not None:
            await between()
        return found

    def look(fn: Callable[[Tx], T]) -> T:
        return asyncio.run_coroutine_threadsafe(looked(fn), loop).result()

    return [each.request_id for each in await asyncio.to_thread(lambda: list(entries(data, wanted, look)))]


async def kept(store: Store) -> list[bytes]:
    """All lines that are rows."""
    found = await store.read(lambda tx: tx.all("SELECT line FROM audit_lines ORDER BY file, place"))
    return [bytes(line) for (line,) in found]


async def copied(store: Store, lines: int) -> bytes:
    """All of them, once there are so many."""
    found = await kept(store)
    return b"".join(found) if len(found) == lines else b""


def test_whoever_reads_sees_the_calls_of_all_nodes_oldest_first(
    stores: Stores, nodes: Callable[[str], Node], tmp_path: Path
) -> None:
    first, second = nodes("first"), nodes("second")

    async def scenario(store: Store) -> None:
        with pytest.raises(NoTrail):
            await read(store, tmp_path / "neither")
        for time, node in enumerate((first, second, second, first)):
            node.call(time, f"{time}", ALLOWED)
        await first.ship(store)
        await second.ship(store)
        for data in (first.data, second.data, tmp_path / "neither"):
            assert await read(store, data) == ["0", "1", "2", "3"]
        second.call(4, "of its own", DENIED)
        assert await read(store, second.data) == ["0", "1", "2", "3", "of its own"]
        assert await read(store, second.data, Wanted(last=1)) == ["of its own"]
        assert await read(store, first.data) == ["0", "1", "2", "3"], "as long as it is not copied"

    stores.run(scenario)


@pytest.mark.parametrize(
    "wanted, found",
    [
        (Wanted(request_id="b"), ["b", "b"]),
        (Wanted(request_id="nobody's"), []),
        (Wanted(request_id="\ud800\0"), []),
        (Wanted(is_denied=True), ["b", "c"]),
        (Wanted(is_denied=True, last=1), ["c"]),
        (Wanted(last=3), ["b", "c", "d"]),
        (Wanted(holding=(b"arn:session/", b"arn:q")), ["c"]),
        (Wanted(since=2.0), ["b", "c", "d"]),
        (Wanted(since=2.0, until=3.0), ["b", "c"]),
        (Wanted(until=1.0), ["a", "b"]),
    ],
)
def test_rows_answer_as_files_do(
    stores: Stores,
    nodes: Callable[[str], Node],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wanted: Wanted,
    found: list[str],
) -> None:
    monkeypatch.setattr(rows, "PAGE_LINES", 2)
    node = nodes("node")
    node.call(1, "a", ALLOWED)
    node.call(1, "b", ALLOWED)
    node.call(2, "b", ALLOWED, DENIED)
    node.call(3, "c", DENIED, principal="arn:session/x")
    node.call(4, "d", principal="arn:session/y")
    assert [each.request_id for each in entries(node.data, wanted)] == found

    async def scenario(store: Store) -> None:
        assert await read(store, node.data, wanted) == found
        await node.ship(store)
        assert await read(store, tmp_path / "elsewhere", wanted) == found
        assert await read(store, node.data, wanted) == found

    stores.run(scenario)


def test_a_restart_copies_exactly_the_rest(stores: Stores, nodes: Callable[[str], Node]) -> None:
    node = nodes("node")

    async def before(store: Store) -> None:
        node.call(1, "copied")
        await node.ship(store)
        await node.ship(store)
        node.call(2, "killed before it was copied")

    async def after(store: Store) -> None:
        again = nodes("node")
        again.call(3, "next")
        await again.ship(store)
        assert b"".join(await kept(store)) == (node.data / files.CURRENT).read_bytes()

    stores.run(before, after)


class Failing:
    """A store whose connection is lost at a commit: it is made, or it is not."""

    def __init__(self, store: Store, is_made: bool) -> None:
        self._store, self._is_made = store, is_made
        self.read = store.read

    async def write(self, fn: Callable[[Tx], T]) -> T:
        if self._is_made:
            await self._store.write(fn)
        raise ConnectionError("lost")


@pytest.mark.parametrize("is_made", [True, False])
def test_a_commit_of_which_nobody_knows_doubles_nothing(
    stores: Stores, nodes: Callable[[str], Node], is_made: bool
) -> None:
    node = nodes("node")

    async def scenario(store: Store) -> None:
        node.call(1, "one")
        node.call(2, "two")
        failing: Any = Failing(store, is_made)
        with pytest.raises(ConnectionError):
            await node.ship(failing)
        assert len(await kept(store)) == 2 * is_made
        await node.ship(store)
        assert b"".join(await kept(store)) == (node.data / files.CURRENT).read_bytes()

    stores.run(scenario)


def test_a_full_file_is_there_until_it_is_copied(
    stores: Stores, nodes: Callable[[str], Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BYTES_MAX", 400)
    monkeypatch.setattr(files, "CHUNK_BYTES", 100)
    node, names = nodes("node"), [f"{number:02}" for number in range(20)]
    full = node.data / files.FULL

    async def scenario(store: Store) -> None:
        for number, name in enumerate(names[:15]):
            node.call(number, name)
        before = full.read_bytes()
        assert await read(store, node.data) == names[:15]
        await node.ship(store)
        assert not full.exists()
        assert await read(store, node.data) == names[:15]
        for number, name in enumerate(names[15:]):
            node.call(15 + number, name)
        assert full.exists() and full.read_bytes() != before
        assert await read(store, node.data) == names
        await node.ship(store)
        assert await read(store, node.data) == names
        assert len(await kept(store)) == len(names)

    stores.run(scenario)


def test_lines_that_are_copied_while_somebody_reads_are_seen_once(
    stores: Stores, nodes: Callable[[str], Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BYTES_MAX", 400)
    monkeypatch.setattr(rows, "PAGE_LINES", 2)
    node = nodes("node")

    async def scenario(store: Store) -> None:
        for number in range(3):
            node.call(number, f"{number}")
        await node.ship(store)
        for number in range(3, 8):
            node.call(number, f"{number}")
        assert (node.data / files.FULL).exists()
        assert await read(store, node.data, between=lambda: node.ship(store)) == list("01234567")
        assert not (node.data / files.FULL).exists()

    stores.run(scenario)


@pytest.mark.parametrize("room", [0, 1, 200])
def test_a_line_that_a_full_disk_takes_back_is_copied_once(
    stores: Stores, nodes: Callable[[str], Node], monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    disk, node = FullDisk(monkeypatch), nodes("node")

    async def scenario(store: Store) -> None:
        node.call(1, "before")
        for name, disk.room in (("one", min(room, 100)), ("two", room)):
            with pytest.raises(OSError, match="No space left"):
                node.call(2, name)
            await node.ship(store)
        assert len(await kept(store)) == 1
        disk.room = sys.maxsize
        node.call(3, "after")
        await node.ship(store)
        assert [json.loads(line)["request_id"] for line in await kept(store)] == [
            "before",
            "one",
            "two",
            "after",
        ]

    stores.run(scenario)


HOSTILE = [
    b"no JSON",
    b"[]",
    b"",
    b"\0\xff\r{}",
    b'{"time": "soon", "request_id": "x\\u0000y"}',
    b'{"time": 1' + b"0" * 400 + b', "request_id": "z"}',
    b'{"time": 7, "request_id": {"a": ["\\u0000"]}}',
    b'{"time": 7, "request_id": "' + b"long" * 100_000 + b'"}',
]


def test_lines_that_nobody_understands_are_copied_as_they_are_and_hold_up_no_others(
    stores: Stores, nodes: Callable[[str], Node]
) -> None:
    node = nodes("node")
    node.call(1, "before")
    with (node.data / files.CURRENT).open("ab") as file:
        file.writelines(line + b"\n" for line in HOSTILE)
    node.call(2, "after", DENIED)

    async def scenario(store: Store) -> None:
        await node.ship(store)
        assert b"".join(await kept(store)) == (node.data / files.CURRENT).read_bytes()
        assert await read(store, node.data, Wanted(is_denied=True)) == ["after"]
        with pytest.raises(Unreadable, match="`the database` has a line that is not JSON"):
            await read(store, node.data)

    stores.run(scenario)


def test_a_copy_of_a_folder_that_goes_on_by_itself_loses_nothing(
    stores: Stores, nodes: Callable[[str], Node], tmp_path: Path
) -> None:
    node = nodes("node")

    async def scenario(store: Store) -> None:
        node.call(1, "common")
        await node.ship(store)
        shutil.copytree(node.data, tmp_path / "copy")
        copy = nodes("copy")
        await copy.ship(store)
        assert await read(store, copy.data) == ["common"], "as long as it is the same file"
        node.call(2, "of the node")
        copy.call(3, "of the copy")
        for each in (node, copy, node, copy):
            await each.ship(store)
        found = await read(store, tmp_path / "elsewhere")
        assert found == ["common", "of the node", "of the copy"]

    stores.run(scenario)


@pytest.mark.parametrize("kept_lines", range(1, 10))
def test_an_older_folder_that_is_restored_goes_on_where_it_is(
    stores: Stores, nodes: Callable[[str], Node], tmp_path: Path, kept_lines: int
) -> None:
    node, names = nodes("node"), [f"{number}" * (number + 1) for number in range(10)]

    async def scenario(store: Store) -> None:
        for number, name in enumerate(names):
            node.call(number, name)
        await node.ship(store)
        whole = (node.data / files.CURRENT).read_bytes()
        older = tmp_path / "older"
        older.mkdir()
        (older / files.CURRENT).write_bytes(b"".join(whole.splitlines(keepends=True)[:kept_lines]))
        assert await read(store, older) == names, "as a backup that is only read"
        restored = nodes("older")
        restored.call(11, "new")
        assert await read(store, older) == [*names, "new"]
        await restored.ship(store)
        restored.call(12, "newer")
        await restored.ship(store)
        assert await read(store, older) == await read(store, node.data) == [*names, "new", "newer"]

    stores.run(scenario)


def test_the_loop_copies_what_is_written_and_the_end_copies_the_rest(stores: Stores, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        trail, supervisor = AuditTrail(store, Config(data=tmp_path, store="postgresql://")), Supervisor()
        trail.start(supervisor)
        for number, name in enumerate(("one", "two")):
            trail.audit.record(Entry(1, name, "arn:p", "sqs", "SendMessage", "r", (), None, None, 1))
            assert name.encode() in await eventually_async(partial(copied, store, number + 1))
        await supervisor.close()
        trail.audit.record(Entry(1, "last", "arn:p", "sqs", "SendMessage", "r", (), None, None, 1))
        await trail.close()
        assert [json.loads(line)["request_id"] for line in await kept(store)] == ["one", "two", "last"]
        (server,) = await store.read(lambda tx: tx.all("SELECT server FROM audit_files"))
        assert server[0].endswith(f":{tmp_path}")

    stores.run(scenario)
