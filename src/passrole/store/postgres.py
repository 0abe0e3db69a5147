"""The store of one server on PostgreSQL. It needs psycopg 3, and is imported by whoever chose it.

Each transaction is SERIALIZABLE, and runs again where it met another one's change; a few run at once, each in
a thread with a connection of its own. Reads have threads of their own, and each is a snapshot.
https://www.postgresql.org/docs/current/transaction-iso.html

Statements are those of every store. What PostgreSQL has under another name, such as `instr`, its schema
defines (migrations/postgres); all that is left here are the marks of parameters.

A lock in the database refuses a second server: tasks are taken by the one that has it. A store that is opened
as `is_shared` stands beside others of its kind, and hears their notices (postgres_notices.py).
"""

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, TypeVar

import psycopg
from psycopg import errors

from passrole.store.interface import Listener, Notice, Row, notice
from passrole.store.listeners import Listeners
from passrole.store.migrations import postgres as migrations
from passrole.store.postgres_notices import Notices
from passrole.store.shards import ALONE

T = TypeVar("T")

WRITERS = 4
READERS = 4
WRITES_MAX = 4_096
"""Transactions that wait for a writer or are under way; who asks for more waits until there is room."""

CONFLICT_SECONDS = 30.0
"""How long a transaction is run again and again because others change what it reads."""

_PAUSE_SECONDS, _PAUSE_SECONDS_MAX = 0.001, 0.1
_CONFLICTS = (errors.SerializationFailure, errors.DeadlockDetected)
LOCK_SECONDS = 3.0
"""How long the lock of the server before is waited for: it is freed a moment after its connection ends."""

_SERVER_LOCK = 0x70617373726F6C65  # "passrole"
_SCHEMA_LOCK = _SERVER_LOCK + 1


class DatabaseInUse(Exception):
    """Another server has the database."""


class PostgresTx:
    """A transaction on one connection; see interface.Tx."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        self.notices: list[Notice] = []

    def run(self, sql: str, *parameters: Any) -> int:
        """Rows changed."""
        changed: int = self._execute(sql, parameters).rowcount
        return changed

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """One statement for many rows."""
        self._connection.cursor().executemany(_marked(sql), list(rows))

    def one(self, sql: str, *parameters: Any) -> Row | None:
        """The first row."""
        row: Row | None = self._execute(sql, parameters).fetchone()
        return row

    def all(self, sql: str, *parameters: Any) -> list[Row]:
        """Every row."""
        rows: list[Row] = self._execute(sql, parameters).fetchall()
        return rows

    def notify(self, channel: str, key: str = "") -> None:
        """Delivered after the commit."""
        self.notices.append(notice(channel, key))

    def _execute(self, sql: str, parameters: Sequence[Any]) -> "psycopg.Cursor[Any]":
        return self._connection.execute(_marked(sql), parameters)


class PostgresStore:
    """See interface.Store. Open it inside the event loop that will use it."""

    node = ALONE

    def __init__(self, url: str, *, is_shared: bool = False) -> None:
        """Raises DatabaseInUse, UnknownSchema, ConnectionError."""
        self._loop = asyncio.get_running_loop()
        self._url = url
        self._listeners = Listeners()
        self._notices: Notices | None = None
        self._lock = self._locked("pg_advisory_lock_shared" if is_shared else "pg_advisory_lock")
        try:
            self._migrate()
            if is_shared:
                self._notices = Notices(partial(connect, url), self._hear)
        except BaseException:
            self._lock.close()
            raise
        self._room = asyncio.Semaphore(WRITES_MAX)
        self._mine = threading.local()
        self._connections: list[psycopg.Connection[Any]] = []
        self._writers = ThreadPoolExecutor(WRITERS, "passrole-writer")
        self._readers = ThreadPoolExecutor(READERS, "passrole-reader")
        self._closed = False

    async def write(self, fn: Callable[[PostgresTx], T]) -> T:
        """Durable when it returns. Raises ConnectionError: then it may be durable or not."""
        async with self._room:
            if self._closed:
                raise RuntimeError("the store is closed")
            return await asyncio.shield(self._loop.run_in_executor(self._writers, self._write, fn))

    async def read(self, fn: Callable[[PostgresTx], T]) -> T:
        """One snapshot of what is committed."""
        return await self._loop.run_in_executor(self._readers, self._read, fn)

    def listen(self, channel: str, listener: Listener) -> Callable[[], None]:
        """Hear a channel."""
        return self._listeners.add(channel, listener)

    async def close(self) -> None:
        """Finish what was asked for, then close the connections and free the lock."""
        if self._closed:
            return
        self._closed = True
        for pool in (self._writers, self._readers):
            await self._loop.run_in_executor(None, pool.shutdown)
        if self._notices is not None:
            await self._loop.run_in_executor(None, self._notices.close)
        for connection in (*self._connections, self._lock):
            connection.close()

    def _write(self, fn: Callable[[PostgresTx], T]) -> T:
        until, pause = time.monotonic() + CONFLICT_SECONDS, _PAUSE_SECONDS
        while True:
            try:
                result, notices = self._once(fn, read_only=False)
            except _CONFLICTS:
                if time.monotonic() > until:
                    raise
                time.sleep(random.uniform(0, pause))  # noqa: S311 (no secret)
                pause = min(2 * pause, _PAUSE_SECONDS_MAX)
            else:
                for each in notices:
                    self._hear(each)
                if self._notices is not None:
                    self._notices.send(notices)
                return result

    def _hear(self, notice: Notice) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop is closed
            self._loop.call_soon_threadsafe(self._listeners.tell, notice)

    def _read(self, fn: Callable[[PostgresTx], T]) -> T:
        return self._once(fn, read_only=True)[0]

    def _once(self, fn: Callable[[PostgresTx], T], *, read_only: bool) -> tuple[T, list[Notice]]:
        connection = self._connection(read_only=read_only)
        tx = PostgresTx(connection)
        try:
            with connection.transaction():
                result = fn(tx)
        except StopIteration as error:  # no future takes it
            raise RuntimeError("a transaction raised StopIteration") from error
        except psycopg.OperationalError as error:
            if isinstance(error, _CONFLICTS):
                raise
            connection.close()  # the next transaction connects anew
            raise ConnectionError(f"PostgreSQL: {error}".strip()) from error
        return result, tx.notices

    def _connection(self, *, read_only: bool) -> "psycopg.Connection[Any]":
        """This thread's."""
        connection: psycopg.Connection[Any] | None = getattr(self._mine, "connection", None)
        if connection is None or connection.closed:
            connection = connect(self._url)
            level = psycopg.IsolationLevel
            connection.isolation_level = level.REPEATABLE_READ if read_only else level.SERIALIZABLE
            connection.read_only = read_only
            self._mine.connection = connection
            self._connections.append(connection)
        return connection

    def _locked(self, how: str) -> "psycopg.Connection[Any]":
        """A connection with the server's lock."""
        connection = connect(self._url)
        connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{LOCK_SECONDS * 1000:.0f}ms",))
        try:
            connection.execute(f"SELECT {how}(%s)".encode(), (_SERVER_LOCK,))
        except errors.LockNotAvailable:
            connection.close()
            raise DatabaseInUse(
                "another server has the database; stop it, or give another database"
            ) from None
        connection.execute("SELECT set_config('lock_timeout', '0', false)")
        return connection

    def _migrate(self) -> None:
        """One server at a time."""
        self._lock.execute("SELECT pg_advisory_lock(%s)", (_SCHEMA_LOCK,))
        migrations.migrate(self._lock)
        self._lock.execute("SELECT pg_advisory_unlock(%s)", (_SCHEMA_LOCK,))


def connect(url: str) -> "psycopg.Connection[Any]":
    """A connection in autocommit. Raises ConnectionError."""
    try:
        return psycopg.connect(url, autocommit=True)
    except psycopg.OperationalError as error:
        raise ConnectionError(f"PostgreSQL cannot be reached: {error}".strip()) from error


@cache
def _marked(sql: str) -> str:
    """The statement with psycopg's marks of parameters; statements have no `?` in their texts."""
    return sql.replace("%", "%%").replace("?", "%s")
