"""A database that is only looked at."""

import asyncio
import sqlite3
from functools import partial
from pathlib import Path

import pytest

from passrole.store import ReadOnlyStore, SqliteStore, Tx
from passrole.store.read_only import NotForWriting, connect


def keys(tx: Tx) -> list[str]:
    return [key for (key,) in tx.all("SELECT key FROM documents WHERE kind = 'k' ORDER BY key")]


def add(tx: Tx, key: str) -> int:
    return tx.run("INSERT INTO documents (kind, key, body) VALUES ('k', ?, '1')", key)


async def made(folder: Path, key: str) -> None:
    store = SqliteStore(folder)
    await store.write(partial(add, key=key))
    await store.close()


def test_it_sees_what_was_committed_while_another_process_writes(tmp_path: Path) -> None:
    async def story() -> None:
        store = SqliteStore(tmp_path)
        await store.write(partial(add, key="a"))
        reader = ReadOnlyStore(tmp_path)  # no lock is in its way, and it takes none
        assert await reader.read(keys) == ["a"]
        await store.write(partial(add, key="b"))
        assert await reader.read(keys) == ["a", "b"]
        await store.close()
        await made(tmp_path, "c")
        assert await reader.read(keys) == ["a", "b", "c"]
        await reader.close()

    asyncio.run(story())


def test_it_writes_nothing(tmp_path: Path) -> None:
    asyncio.run(made(tmp_path, "a"))
    reader = ReadOnlyStore(tmp_path)
    with pytest.raises(NotForWriting):
        asyncio.run(reader.write(partial(add, key="b")))
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.look(partial(add, key="b"))
    assert reader.look(keys) == ["a"]
    asyncio.run(reader.close())


def test_where_nothing_can_be_made_beside_it_a_database_that_was_closed_is_read(tmp_path: Path) -> None:
    asyncio.run(made(tmp_path, "a"))
    (tmp_path / "passrole.db-shm").mkdir()  # as good as a read-only disk
    reader = ReadOnlyStore(tmp_path)
    assert reader.look(keys) == ["a"]
    asyncio.run(reader.close())
    (tmp_path / "passrole.db-wal").write_bytes(b"commits that are not in the database")
    with pytest.raises(sqlite3.OperationalError):
        connect(tmp_path / "passrole.db")
