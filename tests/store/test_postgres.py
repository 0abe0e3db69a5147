"""What is PostgreSQL's own: its schema, transactions that run again, connections that are lost."""

import asyncio
import itertools
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.postgres import Cluster

from passrole import disk
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


def test_a_database_that_is_gone_without_a_word_is_away_after_half_a_minute() -> None:
    """By the kernel's own times a server would wait for hours; what the URL says goes before."""
    pytest.importorskip("psycopg", reason="no psycopg here: install the extra `postgres`")
    from psycopg.conninfo import conninfo_to_dict

    from passrole.store.postgres_connecting import conninfo

    url = "postgresql://u@10.0.0.10/d"
    given = {
        name: int(str(value)) for name, value in conninfo_to_dict(conninfo(url)).items() if "keep" in name
    }
    assert given == {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 4}
    assert conninfo_to_dict(conninfo(url))["tcp_user_timeout"] == "30000"
    assert conninfo_to_dict(conninfo(f"{url}?keepalives_idle=60"))["keepalives_idle"] == "60"


def test_a_commit_that_hangs_does_not_keep_a_server_from_its_end(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that waits for a standby does, or for a lock that nobody frees."""
    import psycopg

    from passrole.store import postgres

    monkeypatch.setattr(postgres, "CLOSE_SECONDS", 0.1)
    put = "INSERT INTO definitions VALUES ('d', '')"

    async def scenario(store: Any) -> None:
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE definitions")
            hanging = asyncio.ensure_future(store.write(lambda tx: tx.run(put)))
            active = psycopg.pq.TransactionStatus.ACTIVE
            await eventually_async(lambda: store._writer.pgconn.transaction_status == active)
            async with asyncio.timeout(30):
                await store.close()
            with pytest.raises(disk.StoreUnreachable):
                await hanging

    opened(url, scenario)


def test_a_server_that_enters_again_and_hangs_ends_all_the_same(url: str) -> None:
    """A thread that waits for an answer would keep the process from its end."""
    import psycopg

    from passrole.store.postgres import PostgresStore

    async def scenario() -> None:
        store = PostgresStore(url, is_shared=True, name="one")
        assert store.node is not None
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        with psycopg.connect(url) as other, psycopg.connect(url, autocommit=True) as looking:
            other.execute("LOCK TABLE nodes")
            entering = asyncio.ensure_future(asyncio.to_thread(store.node.enter))
            await eventually_async(lambda: looking.execute(waiting).fetchone() == (1,))
            async with asyncio.timeout(30):
                await store.close()
                with pytest.raises(Exception, match="connection"):
                    await entering

    asyncio.run(scenario())


def test_a_newer_schema_is_refused(url: str) -> None:
    insert = "INSERT INTO passrole_schema VALUES (?)"
    opened(url, lambda store: store.write(lambda tx: tx.run(insert, 1_000)))
    with pytest.raises(UnknownSchema, match="schema 1000"):
        opened(url, lambda store: store.read(lambda tx: None))


@pytest.mark.parametrize("away_seconds", [0.0, 0.3])
def test_a_commit_runs_again_where_somebody_else_changed_what_it_read(
    url: str, monkeypatch: pytest.MonkeyPatch, away_seconds: float
) -> None:
    """Also where the database did not answer for longer than conflicts may last."""
    import psycopg

    from passrole.store import postgres

    monkeypatch.setattr(postgres, "CONFLICT_SECONDS", 0.2)
    runs = list[int]()

    def counted(tx: Tx) -> int:
        (found,) = tx.one("SELECT count(*) FROM definitions") or (0,)
        runs.append(found)
        if len(runs) == 1:
            time.sleep(away_seconds)
            with psycopg.connect(url) as other:
                other.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
                (_,) = other.execute("SELECT count(*) FROM definitions").fetchone() or (0,)
                other.execute("INSERT INTO definitions (digest, text) VALUES ('other', '')")
        _define(tx, f"after {found}")
        return int(found)

    async def scenario(store: Any) -> Any:
        return await store.write(counted), await store.read(
            lambda tx: tx.all("SELECT digest FROM definitions")
        )

    assert opened(url, scenario) == (1, [("other",), ("after 1",)])
    assert runs == [0, 1]


def test_conflicts_without_an_end_are_an_outage(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As beside a commit that hangs until a standby is back: it says nothing of who wrote."""
    import psycopg

    from passrole.store import postgres

    monkeypatch.setattr(postgres, "CONFLICT_SECONDS", 0.2)
    runs = itertools.count()

    def overtaken(tx: Tx) -> None:
        tx.one("SELECT count(*) FROM definitions")
        with psycopg.connect(url) as other:
            other.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
            other.execute("SELECT count(*) FROM definitions")
            other.execute(
                f"INSERT INTO definitions (digest, text) VALUES ('other {next(runs)}', '')".encode()
            )
        _define(tx, "refused")

    async def scenario(store: Any) -> Any:
        with pytest.raises(ConnectionError, match="could not serialize"):
            await store.write(overtaken)
        await store.write(lambda tx: _define(tx, "next"))
        return await store.read(lambda tx: {digest for (digest,) in tx.all("SELECT digest FROM definitions")})

    found = opened(url, scenario)
    assert "next" in found and "refused" not in found and next(runs) > 1


def test_one_that_fails_after_it_wrote_undoes_itself_and_not_those_of_its_commit(url: str) -> None:
    started = threading.Event()

    def waits(tx: Tx) -> None:
        started.wait(30)
        _define(tx, "first")

    def fails(tx: Tx) -> None:
        _define(tx, "fails")
        raise ValueError("no")

    def is_wrong(tx: Tx) -> None:
        tx.run("INSERT INTO definitions (digest) VALUES ('no text')")

    async def scenario(store: Any) -> Any:
        first = asyncio.ensure_future(store.write(waits))
        others = (lambda tx: _define(tx, "a"), fails, is_wrong, lambda tx: _define(tx, "b"))
        written = asyncio.gather(*map(store.write, others), return_exceptions=True)
        await asyncio.sleep(0)  # all of them wait for the first
        started.set()
        await first
        return [type(each).__name__ for each in await written], await store.read(
            lambda tx: [digest for (digest,) in tx.all("SELECT digest FROM definitions ORDER BY digest")]
        )

    expected = ["NoneType", "ValueError", "NotNullViolation", "NoneType"]
    assert opened(url, scenario) == (expected, ["a", "b", "first"])


def test_a_server_that_lost_the_lock_writes_nothing_until_it_has_it_again(url: str) -> None:
    import psycopg

    async def scenario(store: Any) -> Any:
        with pytest.raises(ConnectionError):
            await store.write(lambda tx: tx.one("SELECT pg_terminate_backend(pg_backend_pid())"))
        with psycopg.connect(url) as other:
            other.execute("SELECT pg_advisory_lock(%s)", (0x70617373726F6C65,))
            with pytest.raises(ConnectionError, match="another server has the database"):
                await store.write(lambda tx: _define(tx, "refused"))
        await store.write(lambda tx: _define(tx, "again"))
        return await store.read(lambda tx: tx.all("SELECT digest FROM definitions"))

    assert opened(url, scenario) == [("again",)]


def test_a_lost_connection_fails_its_transaction_and_the_next_has_another(url: str) -> None:
    def loses_its_connection(tx: Tx) -> None:
        tx.run("INSERT INTO definitions (digest, text) VALUES ('lost', '')")
        tx.one("SELECT pg_terminate_backend(pg_backend_pid())")

    async def scenario(store: Any) -> Any:
        with pytest.raises(ConnectionError, match="administrator command"):
            await store.write(loses_its_connection)
        for number in range(8):  # whichever thread has lost its own
            await store.write(lambda tx, number=number: _define(tx, f"{number}"))
        return await store.read(lambda tx: [digest for (digest,) in tx.all("SELECT digest FROM definitions")])

    assert sorted(opened(url, scenario)) == [f"{number}" for number in range(8)]


def test_where_no_database_is_the_message_says_so(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(ConnectionError, match="No such file"):
        opened(f"postgresql://nobody@/nothing?host={tmp_path}", lambda store: store.read(lambda tx: None))


def test_who_only_looks_takes_no_lock_and_writes_nothing(url: str) -> None:
    from passrole.store.postgres import ReadOnlyPostgresStore
    from passrole.store.read_only import NotForWriting

    with pytest.raises(UnknownSchema, match="passrole serve"):
        ReadOnlyPostgresStore(url)

    async def beside(store: Any) -> Any:
        await store.write(lambda tx: _define(tx, "seen"))
        reader = ReadOnlyPostgresStore(url)
        with pytest.raises(NotForWriting):
            await reader.write(lambda tx: None)
        found = await reader.read(lambda tx: tx.all("SELECT digest FROM definitions"))
        await reader.close()
        return found

    assert opened(url, beside) == [("seen",)]


def test_what_no_future_takes_is_raised_as_something_else(url: str) -> None:
    def stops(tx: Tx) -> None:
        next(iter(()))

    with pytest.raises(RuntimeError, match="StopIteration"):
        opened(url, lambda store: store.write(stops))


def _define(tx: Tx, digest: str) -> None:
    tx.run("INSERT INTO definitions (digest, text) VALUES (?, '')", digest)


def test_a_second_server_is_refused_until_the_first_has_ended(url: str) -> None:
    from passrole.store.postgres import PostgresStore
    from passrole.store.postgres_connecting import DatabaseInUse

    async def beside(_store: Any) -> None:
        with pytest.raises(DatabaseInUse):
            PostgresStore(url)

    opened(url, beside)
    opened(url, lambda store: store.read(lambda tx: tx.all("SELECT 1")))
