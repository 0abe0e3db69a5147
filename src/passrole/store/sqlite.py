"""One SQLite file, written by one thread that puts every waiting transaction into one commit.

WAL with synchronous=FULL: a commit is on the disk before anyone is told. The price of that, one
fdatasync, is shared: while a commit is under way the next transactions queue up and form the next
one. Each runs under its own savepoint, so that a failing one undoes only itself.

Reads run on the event loop's thread over a second connection: they take tens of microseconds, less
than handing them to a thread and back. Each is a transaction of its own, so that all its statements see
the same commit (https://www.sqlite.org/isolation.html). A lock on the folder itself,
which nobody can remove while it is used, refuses a second process; the lock file beside it names the first
one's process id.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from passrole import disk, private_files
from passrole.store.interface import Listener, Notice, Row, notice
from passrole.store.listeners import Listeners
from passrole.store.migrations import migrate
from passrole.store.shards import ALONE

log = logging.getLogger(__name__)

T = TypeVar("T")

FILE = "passrole.db"
"""The name of the database in the data folder."""

COMMIT_SIZE_MAX = 256
WRITES_MAX = 4_096
"""Transactions that wait for the writer or are in its commit; who asks for more waits until there is room."""

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


class _Write(NamedTuple):
    fn: Callable[[SqliteTx], Any]
    future: "asyncio.Future[Any]"


class _Outcome(NamedTuple):
    future: "asyncio.Future[Any]"
    result: Any
    error: BaseException | None
    notices: list[Notice]


class SqliteStore:
    """See interface.Store. Open it inside the event loop that will use it."""

    node = ALONE

    def __init__(self, folder: Path, *, is_durable: bool = True) -> None:
        """`is_durable=False`: a power cut may lose what was written, which is fit for tests alone."""
        private_files.make_folder(folder, log.warning)
        self._locks = hold(folder)
        self._loop = asyncio.get_running_loop()
        self._listeners = Listeners()
        path = folder / FILE
        path.touch(mode=private_files.FILE_MODE)  # it holds keys; SQLite gives its other files the same mode
        migrate(path)
        self._reader = SqliteTx(_connect(path, read_only=True, is_durable=is_durable))
        self._snapshot = self._reader._connection.cursor()
        self._room = asyncio.Semaphore(WRITES_MAX)
        self._writes: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._is_durable = is_durable
        self._thread = threading.Thread(target=self._run, args=(path,), name="passrole-writer", daemon=True)
        self._closed = False
        self._thread.start()

    async def write(self, fn: Callable[[SqliteTx], T]) -> T:
        """Durable when it returns."""
        await self._room.acquire()
        if self._closed:
            self._room.release()
            raise RuntimeError("the store is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._writes.put(_Write(fn, future))
        return await future

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
        self._writes.put(None)
        await self._loop.run_in_executor(None, self._thread.join)
        self._reader._connection.close()
        self._locks.close()

    def _run(self, path: Path) -> None:
        connection = _connect(path, is_durable=self._is_durable)
        files = _Files(path)
        last = False
        while not last:
            writes = _next_batch(self._writes)
            last = writes[-1] is None
            outcomes = files.kept(_commit(connection, [write for write in writes if write is not None]))
            self._loop.call_soon_threadsafe(self._announce, outcomes)
        connection.close()

    def _announce(self, outcomes: list[_Outcome]) -> None:
        for outcome in outcomes:
            self._room.release()
            if outcome.future.cancelled():
                pass  # the caller went away; what it wrote stands
            elif outcome.error is not None:
                outcome.future.set_exception(outcome.error)
            else:
                outcome.future.set_result(outcome.result)
            for each in outcome.notices:
                self._listeners.tell(each)


class _Files:
    """The database's files, which somebody may remove while they are open: what is written then is lost."""

    def __init__(self, path: Path) -> None:
        self._paths = (path, path.with_name(f"{path.name}-wal"))
        self._known: dict[Path, os.stat_result] = {}

    def kept(self, outcomes: list[_Outcome]) -> list[_Outcome]:
        """The outcomes of a commit, or that it is lost."""
        gone = next((path for path in self._paths if not self._is_there(path)), None)
        if gone is None:
            return outcomes
        return [_Outcome(outcome.future, None, disk.FolderRemoved(gone), []) for outcome in outcomes]

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


def _next_batch(writes: "queue.SimpleQueue[_Write | None]") -> list[_Write | None]:
    batch = [writes.get()]
    while batch[-1] is not None and len(batch) < COMMIT_SIZE_MAX:
        try:
            batch.append(writes.get_nowait())
        except queue.Empty:
            break
    return batch


def _commit(connection: sqlite3.Connection, writes: list[_Write]) -> list[_Outcome]:
    if not writes:
        return []
    try:
        connection.execute("BEGIN IMMEDIATE")
        outcomes = [_apply(connection, write) for write in writes]
        connection.execute("COMMIT")
    except sqlite3.Error as error:  # the disk is full, or the file is gone: nobody's write stands
        with contextlib.suppress(sqlite3.Error):  # the next batch tries again: its BEGIN fails
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return [_Outcome(write.future, None, error, []) for write in writes]
    return outcomes


def _apply(connection: sqlite3.Connection, write: _Write) -> _Outcome:
    tx = SqliteTx(connection)
    connection.execute("SAVEPOINT one")
    try:
        result = write.fn(tx)
    except BaseException as error:
        if isinstance(error, sqlite3.Error) and not connection.in_transaction:
            raise  # SQLite has undone the whole commit: https://www.sqlite.org/lang_transaction.html
        connection.execute("ROLLBACK TO one")
        connection.execute("RELEASE one")
        return _Outcome(write.future, None, _for_a_future(error), [])
    connection.execute("RELEASE one")
    return _Outcome(write.future, result, None, tx.notices)


def _for_a_future(error: BaseException) -> BaseException:
    """The error as a future takes it: no StopIteration, and nothing that would end the loop's thread."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    raised = RuntimeError(f"a transaction raised {type(error).__name__}")
    raised.__cause__ = error
    return raised
