"""A database that is only looked at: by whoever reads a data folder on which no server runs.

It takes no lock, brings no schema up to date and writes nothing, so that a server may start meanwhile. Each
read is a transaction of its own, as in sqlite.py.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from passrole.store.interface import Listener, Store
from passrole.store.migrations import check_newest
from passrole.store.share import Share
from passrole.store.sqlite import FILE, SqliteTx

T = TypeVar("T")


class NotForWriting(Exception):
    """A transaction was to write into a database that is only looked at."""


class LookedAt(Store, Protocol):
    """A store of either kind that is only looked at."""

    def look(self, fn: Callable[[Any], T]) -> T:
        """`read` for those who have no event loop."""

    def close_now(self) -> None:
        """`close` for those who have no event loop."""


class ReadOnlyStore:
    """See interface.Store; `write` raises NotForWriting, and no listener ever hears anything."""

    def __init__(self, folder: Path) -> None:
        """Raises UnknownSchema, sqlite3.Error."""
        self.share = Share()
        path = folder / FILE
        self._connection = connect(path)
        try:
            check_newest(self._connection, path)
        except BaseException:
            self._connection.close()
            raise
        self._tx = SqliteTx(self._connection)

    async def write(self, fn: Callable[[SqliteTx], T]) -> T:
        """Refused."""
        raise NotForWriting(f"{fn} was to write")

    async def read(self, fn: Callable[[SqliteTx], T]) -> T:
        """One snapshot of what is committed."""
        return self.look(fn)

    def look(self, fn: Callable[[SqliteTx], T]) -> T:
        """`read` for those who have no event loop."""
        with _snapshot(self._connection):
            return fn(self._tx)

    def listen(self, channel: str, listener: Listener) -> Callable[[], None]:  # noqa: ARG002 (the interface's)
        """Nothing changes here, so nobody is told."""
        return lambda: None

    async def close(self) -> None:
        """Close the database."""
        self.close_now()

    def close_now(self) -> None:
        """`close` for those who have no event loop."""
        self._connection.close()


@contextmanager
def closing_store(folder: Path) -> Iterator[ReadOnlyStore]:
    """One that is closed at the end of the block. Raises UnknownSchema, sqlite3.Error."""
    store = ReadOnlyStore(folder)
    try:
        yield store
    finally:
        store.close_now()


def connect(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises sqlite3.Error.

    SQLite makes two files beside a database that it reads. Where it may not, as on a read-only disk, and no
    server has left a log of commits, the database is whole without them.
    https://www.sqlite.org/wal.html#read_only_databases
    """
    try:
        return _connect(path, "mode=ro")
    except sqlite3.OperationalError:
        log = path.with_name(f"{path.name}-wal")
        if not path.is_file() or (log.exists() and log.stat().st_size > 0):
            raise
        return _connect(path, "immutable=1")


def _connect(path: Path, how: str) -> sqlite3.Connection:
    address = f"{path.resolve().as_uri()}?{how}"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # it is opened by the first read
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")
