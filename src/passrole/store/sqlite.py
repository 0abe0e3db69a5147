"""One SQLite file, written by one thread that puts every waiting transaction into one commit.

WAL with synchronous=FULL: a commit is on the disk before anyone is told. The price of that, one
fdatasync, is shared: while a commit is under way the next transactions queue up and form the next
one. A failing one undoes only itself: the others are run again, if it had changed something.

Reads run on the event loop's thread over a second connection: they take tens of microseconds, less
than handing them to a thread and back. Each is a transaction of its own, so that all its statements see
the same commit (https://www.sqlite.org/isolation.html). A lock on the folder itself,
which nobody can remove while it is used, refuses a second process; the lock file beside it names the first
one's process id.
"""

import contextlib
import fcntl
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from passrole import disk, private_files
from passrole.store.group_commit import GroupCommit, MustBeUndone, Outcome, Write, all_failed, for_a_future
from passrole.store.interface import Listener, Notice, Row, notice
from passrole.store.listeners import Listeners
from passrole.store.migrations import migrate
from passrole.store.share import Share

log = logging.getLogger(__name__)

T = TypeVar("T")

FILE = "passrole.db"
"""The name of the database in the data folder."""

CHECKPOINT_PAGES = (
    1_000  # a log that is written over costs two thirds of one that grows; 4 MB of it is enough
)


class DataFolderInUse(Exception):
    """Another process holds the data folder; the message names its process id."""


class SqliteTx:
    """A transaction on one connection; see interface.Tx."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute
        self.notices: list[Notice] = []

    def run(self, sql: str, *parameters: Any) -> int:
        """Rows changed."""
        return self._execute(sql, parameters).rowcount

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """One statement for many rows."""
        self._connection.executemany(sql, rows)

    def one(self, sql: str, *parameters: Any) -> Row | None:
        """The first row."""
        row: Row | None = self._execute(sql, parameters).fetchone()
        return row

    def all(self, sql: str, *parameters: Any) -> list[Row]:
        """Every row."""
        return self._execute(sql, parameters).fetchall()

    def notify(self, channel: str, key: str = "") -> None:
        """Delivered after the commit."""
        self.notices.append(notice(channel, key))


class SqliteStore:
    """See interface.Store. Open it inside the event loop that will use it."""

    def __init__(self, folder: Path, *, is_durable: bool = True) -> None:
        """`is_durable=False`: a power cut may lose what was written, which is fit for tests alone."""
        private_files.make_folder(folder, log.warning)
        self._locks = hold(folder)
        self.share = Share()
        self._listeners = Listeners(self.share)
        path = folder / FILE
        path.touch(mode=private_files.FILE_MODE)  # it holds keys; SQLite gives its other files the same mode
        migrate(path)
        self._reader = SqliteTx(_connect(path, read_only=True, is_durable=is_durable))
        self._snapshot = self._reader._connection.cursor()
        self._writer = _connect(path, is_durable=is_durable)
        self._files = _Files(path)
        self._commits = GroupCommit(self._commit, self._listeners)
        self._closed = False

    async def write(self, fn: Callable[[SqliteTx], T]) -> T:
        """Durable when it returns."""
        return await self._commits.write(fn)

    async def read(self, fn: Callable[[SqliteTx], T]) -> T:
        """One snapshot of what is committed."""
        self._snapshot.execute("BEGIN")
        try:
            return fn(self._reader)
        finally:
            self._snapshot.execute("COMMIT")

    def listen(self, channel: str, listener: Listener) -> Callable[[], None]:
        """Hear a channel."""
        return self._listeners.add(channel, listener)

    async def close(self) -> None:
        """Drain the writer, then close the files and free the lock."""
        if self._closed:
            return
        self._closed = True
        await self._commits.close()
        self._writer.close()
        self._reader._connection.close()
        self._locks.close()

    def _commit(self, writes: list[Write]) -> list[Outcome]:
        return self._files.kept(_commit(self._writer, writes))


class _Files:
    """The database's files, which somebody may remove while they are open: what is written then is lost."""

    def __init__(self, path: Path) -> None:
        self._paths = (path, path.with_name(f"{path.name}-wal"))
        self._known: dict[Path, os.stat_result] = {}

    def kept(self, outcomes: list[Outcome]) -> list[Outcome]:
        """The outcomes of a commit, or that it is lost."""
        gone = next((path for path in self._paths if not self._is_there(path)), None)
        if gone is None:
            return outcomes
        return [Outcome(outcome.future, None, disk.FolderRemoved(gone), []) for outcome in outcomes]

    def _is_there(self, path: Path) -> bool:
        try:
            found = path.stat()
        except OSError:
            return False
        return os.path.samestat(found, self._known.setdefault(path, found))


def hold(folder: Path) -> ExitStack:
    """Holds the folder until it is closed. Raises DataFolderInUse."""
    with ExitStack() as locks:
        itself = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        locks.callback(os.close, itself)
        file = locks.enter_context(private_files.open_to_append(folder / "lock"))
        try:
            fcntl.flock(itself, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # that of older versions
        except BlockingIOError:
            file.seek(0)
            holder = file.read().decode().strip() or "unknown"
            raise DataFolderInUse(f"`{folder}` is in use by process {holder}") from None
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        file.flush()
        return locks.pop_all()


def _connect(path: Path, *, read_only: bool = False, is_durable: bool = True) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={'FULL' if is_durable else 'OFF'}")
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    connection.execute("PRAGMA foreign_keys=ON")
    if read_only:
        connection.execute("PRAGMA query_only=ON")
    return connection


def _commit(connection: sqlite3.Connection, writes: list[Write]) -> list[Outcome]:
    if not writes:
        return []
    try:
        connection.execute("BEGIN IMMEDIATE")
        outcomes = _outcomes(connection, writes)
        connection.execute("COMMIT")
    except sqlite3.Error as error:  # the disk is full, or the file is gone: nobody's write stands
        with contextlib.suppress(sqlite3.Error):  # the next batch tries again: its BEGIN fails
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return all_failed(writes, error)
    return outcomes


def _outcomes(connection: sqlite3.Connection, writes: list[Write]) -> list[Outcome]:
    """Of transactions that run one after the other.

    In savepoints they would cost a fifth more, for SQLite keeps each page as it was before a savepoint. So
    they have none at first; where one fails that has changed something, all are undone, and run again.
    """
    try:
        return [_apply(connection, write) for write in writes]
    except MustBeUndone:
        connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        return [_apply_apart(connection, write) for write in writes]


def _apply(connection: sqlite3.Connection, write: Write) -> Outcome:
    tx, changes = SqliteTx(connection), connection.total_changes
    try:
        return Outcome(write.future, write.fn(tx), None, tx.notices)
    except BaseException as error:
        if _is_of_all(connection, error):
            raise
        if connection.total_changes != changes:
            raise MustBeUndone from error
        return Outcome(write.future, None, for_a_future(error), [])


def _apply_apart(connection: sqlite3.Connection, write: Write) -> Outcome:
    tx = SqliteTx(connection)
    connection.execute("SAVEPOINT one")
    try:
        outcome = Outcome(write.future, write.fn(tx), None, tx.notices)
    except BaseException as error:
        if _is_of_all(connection, error):
            raise
        connection.execute("ROLLBACK TO one")
        outcome = Outcome(write.future, None, for_a_future(error), [])
    connection.execute("RELEASE one")
    return outcome


def _is_of_all(connection: sqlite3.Connection, error: BaseException) -> bool:
    """Whether SQLite has undone the whole commit: https://www.sqlite.org/lang_transaction.html."""
    return isinstance(error, sqlite3.Error) and not connection.in_transaction
