"""The store of one server on PostgreSQL. It needs psycopg 3, and is imported by whoever chose it.

One thread writes, and puts every transaction that waits into one commit, as sqlite.py does: what a commit
costs, and most of the trips to the database, are shared. The first run has no savepoints: where a transaction
fails that has changed something, all are undone and run again, each under a savepoint of its own. Commits are
SERIALIZABLE, and run again where somebody else's change was in their way. Reads have threads of their own,
and each is a snapshot. https://www.postgresql.org/docs/current/transaction-iso.html

The connection that writes holds a lock of the database, which refuses a second server: tasks are taken by the
one that has it, and notices stay in its process. A server that loses the connection writes nothing until it
has the lock again. A store that is opened as `is_shared` stands beside others of its kind, and hears their
notices (postgres_notices.py).

Statements are those of every store. What PostgreSQL has under another name, such as `instr`, its schema
defines (migrations/postgres). Left here are the marks of parameters, and U+0000, which PostgreSQL's text
cannot hold (`_kept`).
"""

import asyncio
import contextlib
import math
import random
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, Final, TypeVar

import psycopg
from psycopg import errors

from passrole import disk
from passrole.store.group_commit import GroupCommit, MustBeUndone, Outcome, Write, all_failed, for_a_future
from passrole.store.interface import Listener, Notice, Row, notice
from passrole.store.listeners import Listeners
from passrole.store.migrations import UnknownSchema
from passrole.store.migrations import postgres as migrations
from passrole.store.postgres_clock import DatabaseClock
from passrole.store.postgres_connecting import (
    Connection,
    DatabaseInUse,
    connect,
    is_lost,
    locked,
    unreachable,
    with_its_rows,
)
from passrole.store.postgres_connections import Connections, hang_up
from passrole.store.postgres_node import Node
from passrole.store.postgres_notices import Notices
from passrole.store.read_only import NotForWriting
from passrole.store.share import Share

T = TypeVar("T")

READERS = 4
CONFLICT_SECONDS = 30.0
"""How long transactions are run again and again because others change what they read, from the first time on:
before that the database may have been away for a minute.
"""

CLOSE_SECONDS = 10.0
_PAUSE_SECONDS, _PAUSE_SECONDS_MAX = 0.001, 0.1
_CONFLICTS = (errors.SerializationFailure, errors.DeadlockDetected)
_SCHEMA_LOCK = 0x70617373726F6C65 + 1
# https://www.unicode.org/faq/private_use.html#nonchar1: nobody else may mean anything by it
_ESCAPE: Final = "\ufdd0"


class PostgresTx:
    """A transaction on one connection; see interface.Tx."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.notices: list[Notice] = []
        self.has_changed = False

    def run(self, sql: str, *parameters: Any) -> int:
        """Rows changed."""
        self.has_changed = True
        return self._execute(sql, parameters).rowcount

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """One statement for many rows, in one trip."""
        self.has_changed = True
        self._connection.cursor().executemany(_marked(sql), [kept(row) for row in rows])

    def one(self, sql: str, *parameters: Any) -> Row | None:
        """The first row."""
        row: Row | None = self._execute(sql, parameters).fetchone()
        return None if row is None else given(row)

    def all(self, sql: str, *parameters: Any) -> list[Row]:
        """Every row."""
        return [given(row) for row in self._execute(sql, parameters).fetchall()]

    def notify(self, channel: str, key: str = "") -> None:
        """Delivered after the commit."""
        self.notices.append(notice(channel, key))

    def _execute(self, sql: str, parameters: Sequence[Any]) -> "psycopg.Cursor[Any]":
        return self._connection.execute(_marked(sql), kept(parameters))


class PostgresStore:
    """See interface.Store. Open it inside the event loop that will use it."""

    def __init__(
        self,
        url: str,
        *,
        is_shared: bool = False,
        name: str = "",
        objects: str = "",
        folder: contextlib.ExitStack | None = None,
    ) -> None:
        """`name` and `objects` are a Node's, `folder` is let go of at the end.

        Raises DatabaseInUse, UnknownSchema, ConnectionError, Refused.
        """
        self.url, self._is_shared = url, is_shared
        self._loop = asyncio.get_running_loop()
        self._folder = folder
        self._notices: Notices | None = None
        self.node: Node | None = None
        self.clock = DatabaseClock()
        self._others = Connections(partial(connect, url))
        self._writer = with_its_rows(url, locked(url, is_shared=is_shared))
        try:
            migrate(self._writer)
            if is_shared:
                self.clock.look(PostgresTx(self._writer))
                self.node = Node(self._others.open, PostgresTx, name or uuid.uuid4().hex, objects)
            self.share = _share(self.node) if self.node else Share()
            self._listeners = Listeners(self.share)
            if is_shared:
                self._notices = Notices(self._others.open, self._hear)
        except BaseException:
            self._writer.close()
            raise
        self._reads = Reads(url)
        self._commits = GroupCommit(self._commit, self._listeners)

    async def write(self, fn: Callable[[PostgresTx], T]) -> T:
        """Durable when it returns. Raises ConnectionError: then it may be durable or not."""
        return await self._commits.write(fn)

    async def read(self, fn: Callable[[PostgresTx], T]) -> T:
        """One snapshot of what is committed."""
        return await self._reads.read(fn)

    def listen(self, channel: str, listener: Listener) -> Callable[[], None]:
        """Hear a channel."""
        return self._listeners.add(channel, listener)

    def tell(self, channel: str) -> None:
        """Tell the listeners of this process, which otherwise hear of commits alone. On the event loop."""
        self._tell([Notice(channel, "")])

    async def close(self) -> None:
        """Finish what was asked for, then close the connections, which frees the lock.

        A commit that hangs, as while a synchronous standby is away, is left after CLOSE_SECONDS; nobody is
        told that it is durable.
        """
        await self._commits.close(CLOSE_SECONDS, self._hang_up)
        await self._reads.close()
        while self._notices and not await self._loop.run_in_executor(
            None, self._notices.close, CLOSE_SECONDS
        ):
            self._hang_up()
        self._others.hang_up()
        self._writer.close()
        if self.node is not None:
            self.node.close()
        if self._folder is not None:
            self._folder.close()

    def _hang_up(self) -> None:
        hang_up(self._writer)
        self._others.hang_up()

    def _commit(self, writes: list[Write]) -> list[Outcome]:
        outcomes = self._tried(writes)
        if self._notices is not None:
            self._notices.send([each for outcome in outcomes for each in outcome.notices])
        return outcomes

    def _hear(self, notices: list[Notice]) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop is closed
            self._loop.call_soon_threadsafe(self._tell, notices)

    def _tell(self, notices: list[Notice]) -> None:
        for each in notices:
            self._listeners.tell(each)

    def _tried(self, writes: list[Write]) -> list[Outcome]:
        until, pause = math.inf, _PAUSE_SECONDS
        while writes:
            try:
                return self._together(writes)
            except _CONFLICTS as error:
                until = min(until, time.monotonic() + CONFLICT_SECONDS)
                if time.monotonic() > until:  # as beside a commit that hangs until a standby is back
                    return all_failed(writes, unreachable(self.url, error))
                time.sleep(random.uniform(0, pause))  # noqa: S311 (no secret)
                pause = min(2 * pause, _PAUSE_SECONDS_MAX)
            except psycopg.Error as error:
                if not is_lost(error):
                    return all_failed(writes, error)
                self._writer.close()  # the next commit connects anew
                return all_failed(writes, unreachable(self.url, error))
            except DatabaseInUse as error:
                return all_failed(writes, disk.StoreUnreachable(str(error)))
            except OSError as error:
                return all_failed(writes, error)
        return []

    def _together(self, writes: list[Write]) -> list[Outcome]:
        """Raises psycopg.Error, ConnectionError, DatabaseInUse: then nothing is written."""
        if self._writer.closed:
            self._writer = with_its_rows(self.url, locked(self.url, is_shared=self._is_shared))
        for apply in (_apply, _apply_apart):
            self._writer.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
            try:
                outcomes = [apply(self._writer, write) for write in writes]
                self._writer.execute("COMMIT")
            except MustBeUndone:
                self._writer.execute("ROLLBACK")
            except BaseException:
                with contextlib.suppress(psycopg.Error):
                    self._writer.execute("ROLLBACK")
                raise
            else:
                return outcomes
        raise AssertionError("what is undone apart undoes nothing else")


def _share(node: Node) -> Share:
    return Share(node.number, f"{zlib.crc32(node.name.encode()):08x}")


class ReadOnlyPostgresStore:
    """A database that is only looked at, as ReadOnlyStore is a file; it takes no lock."""

    def __init__(self, url: str) -> None:
        """Raises UnknownSchema, ConnectionError."""
        self.share = Share()
        with connect(url) as connection, permitted():
            migrations.check_newest(connection)
        self._reads = Reads(url)

    async def write(self, fn: Callable[[PostgresTx], T]) -> T:
        """Refused."""
        raise NotForWriting(f"{fn} was to write")

    async def read(self, fn: Callable[[PostgresTx], T]) -> T:
        """One snapshot of what is committed."""
        return await self._reads.read(fn)

    def look(self, fn: Callable[[PostgresTx], T]) -> T:
        """`read` for those who have no event loop. Raises ConnectionError."""
        return self._reads.look(fn)

    def listen(self, channel: str, listener: Listener) -> Callable[[], None]:  # noqa: ARG002 (the interface's)
        """Nothing changes here, so nobody is told."""
        return lambda: None

    async def close(self) -> None:
        """Close the connections."""
        await self._reads.close()

    def close_now(self) -> None:
        """`close` for those who have no event loop."""
        self._reads.close_now()


class Reads:
    """Threads that read, each with a connection of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._mine = threading.local()
        self._connections: list[Connection] = []
        self._threads = ThreadPoolExecutor(READERS, "passrole-reader")

    async def read(self, fn: Callable[[PostgresTx], T]) -> T:
        """One snapshot of what is committed. Raises ConnectionError."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.look, fn)

    async def close(self) -> None:
        """Finish what was asked for."""
        await asyncio.get_running_loop().run_in_executor(None, self.close_now)

    def close_now(self) -> None:
        """The same, in this thread."""
        self._threads.shutdown()
        for connection in self._connections:
            connection.close()

    def look(self, fn: Callable[[PostgresTx], T]) -> T:
        """`read` in this thread. Raises ConnectionError."""
        connection = self._connection()
        try:
            with connection.transaction():
                return fn(PostgresTx(connection))
        except StopIteration as error:
            raise for_a_future(error) from error
        except psycopg.Error as error:
            if not is_lost(error):
                raise
            connection.close()  # the next transaction connects anew
            raise unreachable(self._url, error) from None

    def _connection(self) -> Connection:
        """This thread's."""
        connection: Connection | None = getattr(self._mine, "connection", None)
        if connection is None or connection.closed:
            connection = with_its_rows(self._url, connect(self._url))
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            self._mine.connection = connection
            self._connections.append(connection)
        return connection


def _apply(connection: Connection, write: Write) -> Outcome:
    """Raises MustBeUndone; what psycopg raises of a lost connection or a conflict."""
    tx = PostgresTx(connection)
    try:
        return Outcome(write.future, write.fn(tx), None, tx.notices)
    except BaseException as error:
        if _is_of_all(error):
            raise
        if tx.has_changed or isinstance(error, psycopg.Error):
            raise MustBeUndone from error
        return Outcome(write.future, None, for_a_future(error), [])


def _apply_apart(connection: Connection, write: Write) -> Outcome:
    """Raises what psycopg raises of a lost connection or a conflict."""
    tx = PostgresTx(connection)
    connection.execute("SAVEPOINT one")
    try:
        outcome = Outcome(write.future, write.fn(tx), None, tx.notices)
    except BaseException as error:
        if _is_of_all(error):
            raise
        connection.execute("ROLLBACK TO one")
        outcome = Outcome(write.future, None, for_a_future(error), [])
    connection.execute("RELEASE one")
    return outcome


def _is_of_all(error: BaseException) -> bool:
    """Whether the error ends the commit, and not one of its transactions alone."""
    return isinstance(error, _CONFLICTS) or is_lost(error)


def migrate(connection: Connection) -> None:
    """One server at a time. Raises UnknownSchema."""
    connection.execute("SELECT pg_advisory_lock(%s)", (_SCHEMA_LOCK,))
    with permitted():
        migrations.migrate(connection)
    connection.execute("SELECT pg_advisory_unlock(%s)", (_SCHEMA_LOCK,))


@contextlib.contextmanager
def permitted() -> Iterator[None]:
    """Raises UnknownSchema where the user has no right to the tables, or to make them."""
    try:
        yield
    except errors.InsufficientPrivilege as error:
        raise UnknownSchema(
            f"{error.diag.message_primary}: the URL's user must own the database and its tables; "
            "make it the owner, by `ALTER DATABASE name OWNER TO user`, or name a user that is"
        ) from None


def kept(parameters: Sequence[Any]) -> Sequence[Any]:
    """The parameters as PostgreSQL can hold them: U+0000 and the mark that stands for it are escaped."""
    if any(type(each) is str and ("\0" in each or _ESCAPE in each) for each in parameters):
        return [_escaped(each) if type(each) is str else each for each in parameters]
    return parameters


def _escaped(text: str) -> str:
    return text.replace(_ESCAPE, f"{_ESCAPE}1").replace("\0", f"{_ESCAPE}0")


def given(row: Row) -> Row:
    """The row as it was given."""
    if any(type(each) is str and _ESCAPE in each for each in row):
        return tuple(_unescaped(each) if type(each) is str else each for each in row)
    return row


def _unescaped(text: str) -> str:
    return text.replace(f"{_ESCAPE}0", "\0").replace(f"{_ESCAPE}1", _ESCAPE)


@cache
def _marked(sql: str) -> str:
    """The statement with psycopg's marks of parameters; statements have no `?` in their texts."""
    return sql.replace("%", "%%").replace("?", "%s")
