"""What is PostgreSQL's own: its schema, transactions that run again, connections that are lost."""

import asyncio
import itertools
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import Cluster

from passrole.store import SqliteStore, Tx, UnknownSchema

_numbers = itertools.count(1)
_TYPES = {"TEXT": "text", "BLOB": "bytea", "INTEGER": "bigint", "REAL": "double precision"}


def opened(url: str, scenario: Callable[[Any], Any]) -> Any:
    from passrole.store.postgres import PostgresStore

    async def one() -> Any:
        store = PostgresStore(url)
        try:
            return await scenario(store)
        finally:
            await store.close()

    return asyncio.run(one())


@pytest.fixture
def url(postgres: Cluster) -> str:
    return postgres.create(f"own_{next(_numbers)}")


def columns_of_sqlite(folder: Path) -> dict[str, dict[str, str]]:
    async def made() -> None:
        await SqliteStore(folder).close()

    asyncio.run(made())
    connection = sqlite3.connect(folder / "passrole.db")
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    found = {
        table: {
            name: _TYPES[type_] for _, name, type_, *_ in connection.execute(f"PRAGMA table_info({table})")
        }
        for table in tables
        if not table.startswith("sqlite_")
    }
    connection.close()
    return found


def test_its_schema_has_the_tables_and_columns_of_sqlite(url: str, tmp_path: Path) -> None:
    sql = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = ?"
    rows = opened(url, lambda store: store.read(lambda tx: tx.all(sql, "public")))
    found: dict[str, dict[str, str]] = {}
    for table, column, type_ in rows:
        found.setdefault(table, {})[column] = type_
    del found["passrole_schema"]
    assert found == columns_of_sqlite(tmp_path)


def test_its_schema_is_as_new_as_sqlites() -> None:
    from passrole.store import migrations
    from passrole.store.migrations import postgres

    assert postgres._files()[-1][0] == migrations._files()[-1][0]


def test_a_newer_schema_is_refused(url: str) -> None:
    insert = "INSERT INTO passrole_schema VALUES (?)"
    opened(url, lambda store: store.write(lambda tx: tx.run(insert, 1_000)))
    with pytest.raises(UnknownSchema, match="schema 1000"):
        opened(url, lambda store: store.read(lambda tx: None))


def test_a_transaction_runs_again_where_another_changed_what_it_read(url: str) -> None:
    met, runs = threading.Barrier(2, timeout=30), list[str]()

    def counted(name: str, tx: Tx) -> None:
        runs.append(name)
        found = tx.all("SELECT digest FROM definitions")
        if len(runs) <= 2:
            met.wait()  # both have read before either writes
        tx.run("INSERT INTO definitions (digest, text) VALUES (?, ?)", f"{name} of {len(found)}", "")

    async def scenario(store: Any) -> Any:
        await asyncio.gather(*(store.write(lambda tx, name=name: counted(name, tx)) for name in "ab"))
        return await store.read(lambda tx: tx.all("SELECT digest FROM definitions ORDER BY digest"))

    found = opened(url, scenario)
    assert len(runs) > 2
    assert sorted(digest[2:] for (digest,) in found) == ["of 0", "of 1"]


def test_a_lost_connection_fails_its_transaction_and_the_next_has_another(url: str) -> None:
    def loses_its_connection(tx: Tx) -> None:
        tx.run("INSERT INTO definitions (digest, text) VALUES ('lost', '')")
        tx.one("SELECT pg_terminate_backend(pg_backend_pid())")

    async def scenario(store: Any) -> Any:
        with pytest.raises(ConnectionError, match="PostgreSQL"):
            await store.write(loses_its_connection)
        for number in range(8):  # whichever thread has lost its own
            await store.write(lambda tx, number=number: _define(tx, f"{number}"))
        return await store.read(lambda tx: [digest for (digest,) in tx.all("SELECT digest FROM definitions")])

    assert sorted(opened(url, scenario)) == [f"{number}" for number in range(8)]


def test_where_no_database_is_the_message_says_so(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(ConnectionError, match="PostgreSQL cannot be reached"):
        opened(f"postgresql://nobody@/nothing?host={tmp_path}", lambda store: store.read(lambda tx: None))


def test_what_no_future_takes_is_raised_as_something_else(url: str) -> None:
    def stops(tx: Tx) -> None:
        next(iter(()))

    with pytest.raises(RuntimeError, match="StopIteration"):
        opened(url, lambda store: store.write(stops))


def _define(tx: Tx, digest: str) -> None:
    tx.run("INSERT INTO definitions (digest, text) VALUES (?, '')", digest)


def test_a_second_server_is_refused_until_the_first_has_ended(url: str) -> None:
    from passrole.store.postgres import DatabaseInUse, PostgresStore

    async def beside(_store: Any) -> None:
        with pytest.raises(DatabaseInUse):
            PostgresStore(url)

    opened(url, beside)
    opened(url, lambda store: store.read(lambda tx: tx.all("SELECT 1")))
