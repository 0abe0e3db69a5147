"""Copies the rows of a data folder's database to PostgreSQL, and back: table by table, counted and compared.

No server may run on either side, but for a backup. The target must have no rows, and gets all of them in one
transaction, or none. Files of the data folder (objects, folders of jobs, the trail) stay where they are. Then
the folder's rows are in the target: its own database lies beside it under another name, or it knows of none.
"""

import contextlib
import hashlib
import socket
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from passrole import private_files
from passrole.client.errors import InvalidInput
from passrole.config import Config
from passrole.store import opening, postgres_moved
from passrole.store.migrations import UnknownSchema, migrate
from passrole.store.sqlite import FILE, DataFolderInUse, hold

if TYPE_CHECKING:
    import psycopg

ROWS_AT_ONCE = 1_000
LARGE_ROWS_AT_ONCE = 8
_LARGE = frozenset({"content_pieces"})
"""Tables whose rows have up to a megabyte."""

_OF_SERVERS = frozenset({"claims", "leases", "nodes"})
"""Tables that say which server does what: they are not copied, since no server runs."""

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """A table: its columns, those of its primary key, and the column that counts, where one does."""

    name: str
    columns: Sequence[str]
    key: Sequence[str]
    counter: str | None


@dataclass(frozen=True)
class Copied:
    """A table that was copied: how many rows, and the digest of what both sides have, in whatever order."""

    table: str
    rows: int
    digest: str


class Side(Protocol):
    """A database of either kind."""

    name: str

    def rows(self, table: Table) -> Generator[Row, None, None]:
        """All rows in the order of the key."""

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        """Add rows."""

    def last(self, table: Table) -> int:
        """The highest number that the table's counter has given, also to rows that are gone."""

    def continue_after(self, table: Table, number: int) -> None:
        """The counter goes on after this number."""


def to_postgres(config: Config, url: str) -> list[Copied]:
    """Copy a data folder's rows to an empty database. Raises InvalidInput.

    Killed before the folder is marked: nothing was copied. After: its own rows are not used any more, whether
    the database has them or not, and it is done anew.
    """
    _require_database(config.data)
    with _explained(), hold(config.data):
        with _sqlite(config.data) as source, _postgres(url) as target:
            copied = _copied(_tables(source.connection), source, target)
            target.has_rows_again()
            opening.mark(config.data, url)
        (config.data / FILE).rename(config.data / f"{FILE}.until-{time.strftime('%Y%m%dT%H%M%S')}")
    return copied


def to_folder(config: Config, url: str) -> list[Copied]:
    """Copy a database's rows to a data folder without any. Raises InvalidInput.

    Killed before the database says that they moved: it has them, as the folder's mark says. After: the folder
    has them; with the mark both are refused, and it is done anew. Whoever is still connected to the database
    is cut off, and told so when it comes back.
    """
    private_files.make_folder(config.data, lambda *_: None)
    with _explained(), hold(config.data):
        with _postgres(url) as source:
            with _sqlite(config.data) as target:
                copied = _copied(_tables(target.connection), source, target)
                opening.mark(config.data, url)
            source.moved_to(f"`{config.data}` of {socket.gethostname()}")
        _end_others(url)
        (config.data / opening.MARK).unlink()
    return copied


def to_backup(url: str, folder: Path) -> None:
    """Copy a database's rows, as they are at one moment, to a new file in a folder; servers may run.

    Raises InvalidInput.
    """
    (folder / FILE).unlink(missing_ok=True)
    with _explained(), _postgres(url, is_alone=False) as source, _sqlite(folder) as target:
        _copied(_tables(target.connection), source, target)


def _require_database(data: Path) -> None:
    if not (data / FILE).is_file():
        raise InvalidInput(f"`{data}` has no database yet, so there is nothing to migrate")


def _copied(tables: Sequence[Table], source: Side, target: Side) -> list[Copied]:
    for table in tables:
        with contextlib.closing(target.rows(table)) as rows:
            if next(rows, None) is not None:
                raise InvalidInput(
                    f"{target.name} is not empty (table {table.name}): migrate into one that has no rows"
                )
    copied = []
    for table in tables:
        with contextlib.closing(source.rows(table)) as rows:
            target.insert(table, rows)
        if table.counter is not None:
            target.continue_after(table, source.last(table))
        before, after = (_digest(side.rows(table)) for side in (source, target))
        if before != after:
            raise InvalidInput(
                f"table {table.name} would not be the same in {target.name}"
                f" ({before[0]} rows, {after[0]} arrived); nothing was copied"
            )
        copied.append(Copied(table.name, *after))
    return copied


def _digest(rows: Iterable[Row]) -> tuple[int, str]:
    """How many rows, and the sum of the digests of their values."""
    count, total = 0, 0
    for row in rows:
        count += 1
        typed = repr([(type(value).__name__, value) for value in row])
        total += int.from_bytes(hashlib.sha256(typed.encode()).digest())
    return count, f"{total % 2**256:064x}"


class _Sqlite:
    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self.connection = connection
        self.name = f"the database in `{folder}`"

    def rows(self, table: Table) -> Generator[Row, None, None]:
        yield from self.connection.execute(_select(table))

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        marks = ", ".join("?" * len(table.columns))
        statement = f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({marks})"  # noqa: S608
        self.connection.executemany(statement, rows)

    def last(self, table: Table) -> int:
        asked = "SELECT seq FROM sqlite_sequence WHERE name = ?"
        row = self.connection.execute(asked, (table.name,)).fetchone()
        return int(row[0]) if row else 0

    def continue_after(self, table: Table, number: int) -> None:
        self.connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table.name,))
        if number:
            self.connection.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (table.name, number))


class _Postgres:
    name = "the PostgreSQL database"

    def __init__(self, driver: ModuleType, connection: "psycopg.Connection[Any]") -> None:
        self._driver = driver
        self._connection = connection

    def rows(self, table: Table) -> Generator[Row, None, None]:
        with self._connection.cursor(f"all_{table.name}") as cursor:  # one that the server keeps
            cursor.itersize = LARGE_ROWS_AT_ONCE if table.name in _LARGE else ROWS_AT_ONCE
            yield from map(self._driver.given, cursor.execute(_select(table).encode()))

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        statement = f"COPY {table.name} ({', '.join(table.columns)}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for row in rows:
                copy.write_row(self._driver.kept(row))

    def moved_to(self, place: str) -> None:
        """No server uses the rows any more."""
        postgres_moved.mark(self._connection, place)

    def has_rows_again(self) -> None:
        """Servers may use it."""
        postgres_moved.unmark(self._connection)

    def last(self, table: Table) -> int:
        sequence = self._sequence(table)
        row = self._connection.execute(
            f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}".encode()  # noqa: S608
        ).fetchone()
        return int(row[0]) if row else 0

    def continue_after(self, table: Table, number: int) -> None:
        asked = "SELECT setval(%s::regclass, %s, %s)"
        self._connection.execute(asked, (self._sequence(table), max(number, 1), number > 0))

    def _sequence(self, table: Table) -> str:
        asked = "SELECT pg_get_serial_sequence(%s, %s)"
        row = self._connection.execute(asked, (table.name, table.counter)).fetchone()
        assert row is not None, "a SELECT without FROM has a row"
        return str(row[0])


def _select(table: Table) -> str:
    names = ", ".join(table.columns)
    return f"SELECT {names} FROM {table.name} ORDER BY {', '.join(table.key)}"  # noqa: S608


def _tables(connection: sqlite3.Connection) -> list[Table]:
    """The tables of a schema, which are the same in both kinds of database."""
    asked = (
        "SELECT name, sql LIKE '%AUTOINCREMENT%' FROM sqlite_schema"
        " WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY name"
    )
    found = []
    for name, counts in connection.execute(asked).fetchall():
        if name in _OF_SERVERS:
            continue
        columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
        key = [column[1] for column in sorted(columns, key=lambda column: column[5]) if column[5]]
        found.append(Table(name, [column[1] for column in columns], key, key[0] if counts else None))
    return found


@contextlib.contextmanager
def _sqlite(folder: Path) -> Iterator[_Sqlite]:
    """A folder's database in one transaction; whoever calls it holds the folder."""
    path = folder / FILE
    path.touch(mode=private_files.FILE_MODE)
    migrate(path)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        yield _Sqlite(connection, folder)
        connection.execute("COMMIT")
    finally:
        connection.close()  # what is not committed is undone


@contextlib.contextmanager
def _postgres(url: str, *, is_alone: bool = True) -> Iterator[_Postgres]:
    """A database in one transaction, on which no server runs meanwhile; or one that is only looked at."""
    driver = opening.driver()
    import psycopg

    try:
        opened = driver.locked if is_alone else driver.connect
        with contextlib.closing(opened(url)) as connection:
            if is_alone:
                driver.migrate(connection)
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            else:  # a moment that fits all transactions of the servers, which are SERIALIZABLE
                driver.migrations.check_newest(connection)
                connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
                connection.read_only = connection.deferrable = True
            with connection.transaction():
                yield _Postgres(driver, connection)
    except driver.DatabaseInUse as error:
        raise InvalidInput("a server has the PostgreSQL database; stop it first") from error
    except (ConnectionError, psycopg.Error) as error:
        raise InvalidInput(f"PostgreSQL: {str(error).strip()}") from error


def _end_others(url: str) -> None:
    from passrole.store.postgres_connecting import end_others  # it needs the extra

    try:
        end_others(url)
    except ConnectionError as error:
        raise InvalidInput(f"PostgreSQL: {error}") from error


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (DataFolderInUse, UnknownSchema, opening.StoreUnusable) as error:
        raise InvalidInput(str(error)) from error
    except (OSError, sqlite3.Error) as error:
        raise InvalidInput(f"the data folder: {error}") from error
