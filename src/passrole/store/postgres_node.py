"""A server among several on one PostgreSQL: PostgreSQL says who is alive, by a lock that a session holds.

Each server has a session that holds the advisory lock of its number, and asks something on it every
PING_SECONDS. The lock is free again when the session ends: at once where the process is killed, and after
GONE_SECONDS without a question where it is stopped or its network is cut, for then PostgreSQL ends the
session. So nobody writes heartbeats, and no clock is compared with another one.
https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-SESSION-TIMEOUT

A lock that is free proves that the session has ended, and not that the server does nothing any more. So
whoever finds it free marks the server as gone, and from then on its fence is down (claims.holds).

The session holds a lock of the server's name, too. Whoever enters with a name inherits what it had, so nobody
may while a server of that name lives: its data folder was copied.
"""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import psycopg

from passrole.store import claims, postgres_moved, shards
from passrole.store.interface import Tx

PING_SECONDS = 5.0
GONE_SECONDS = 30.0

_CLASS = 0x70726E64
"""The first half of the locks' keys: "prnd"; that of a name is whole."""

_LOCK, _TRY = "SELECT pg_advisory_lock(?, ?)", "SELECT pg_try_advisory_xact_lock(?, ?)"
_TRY_NAME = "SELECT pg_try_advisory_lock(hashtextextended(?, ?))"
_OF_LOCKS = (
    "FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = ? AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_HELD = f"SELECT objid {_OF_LOCKS}"

# a database that has lost the last rows, as after a promotion, may have given the number to another one
_IS_OURS = "objid::bigint IN (SELECT number FROM nodes WHERE number = ? AND name = ?)"
_END = f"SELECT pg_terminate_backend(pid, 1000) {_OF_LOCKS} AND {_IS_OURS}"
_TIMEOUT = "SELECT set_config('idle_session_timeout', ?, false)"


class NodeLost(Exception):
    """The server's session has ended: its number is no longer its own."""


class Refused(Exception):
    """No server of the database, because of another one; the message says what to do."""


class NameTaken(Refused):
    """PostgreSQL has a session of the server's name: of a copy of its folder, or of the one before in it,
    which ends within GONE_SECONDS.
    """


class Node:
    """This server. Used in one thread at a time; whoever owns it calls `ping` every PING_SECONDS."""

    def __init__(
        self,
        connect: Callable[[], "psycopg.Connection[Any]"],
        as_tx: Callable[["psycopg.Connection[Any]"], Tx],
        name: str,
        objects: str = "",
        *,
        gone_seconds: float = GONE_SECONDS,
    ) -> None:
        """`name` is its data folder's, `objects` where it keeps S3's. Raises ConnectionError, Refused."""
        self._connect, self._as_tx = connect, as_tx
        self.name, self._objects = name, objects
        self._gone_seconds = gone_seconds
        self.number = 0
        self._session = connect()
        self._enter()

    def enter(self) -> None:
        """Have a new number, and what is left of the one before. Raises ConnectionError, Refused."""
        self.close()
        self._session = self._connect()
        self._enter()

    def ping(self) -> None:
        """Say that it is alive. Raises NodeLost."""
        try:
            self._session.execute("SELECT 1")
        except psycopg.Error as error:
            raise NodeLost(
                f"PostgreSQL ended the session of server {self.number}: {error}".strip()
            ) from error

    def close(self) -> None:
        """Let go of the number; its claims are others' once they mark it as gone."""
        with contextlib.suppress(psycopg.Error):
            self._session.close()

    def _enter(self) -> None:
        tx = self._as_tx(self._session)
        try:
            self._have_name(tx)
            with self._session.transaction():  # nobody sees the number before its lock is held
                self._session.execute("LOCK TABLE nodes IN SHARE ROW EXCLUSIVE MODE")
                postgres_moved.check(self._session)
                number = claims.enter(tx, self.name, self._objects)
                shards.inherit(tx, number, self.name)
                tx.one(_LOCK, _CLASS, number)
                self._check_place(tx, number)
            tx.one(_TIMEOUT, f"{self._gone_seconds * 1000:.0f}ms")
        except BaseException:
            self.close()
            raise
        self.number = number

    def _have_name(self, tx: Tx) -> None:
        """Hold it; its own session before may not have ended. Raises NameTaken."""
        tx.one(_END, _CLASS, self.number, self.name)
        if tx.one(_TRY_NAME, self.name, _CLASS) != (True,):
            raise NameTaken(
                f"the data folder is a copy of that of another server, `{self.name}`, which runs; give each"
                " one its own: name an empty folder by `--data`"
            )

    def _check_place(self, tx: Tx, number: int) -> None:
        """Several servers keep S3's objects in one place. Raises Refused."""
        over = ended(tx, number)
        for each, place in claims.places(tx).items():
            if each not in over and place != self._objects:
                raise Refused(
                    f"another server of this database keeps the objects of S3 elsewhere ({place});"
                    " several servers need the same `--s3-endpoint`"
                )


def ended(tx: Tx, but: int) -> list[int]:
    """The servers that are not marked as gone and whose sessions have ended; `but` not oneself."""
    return [number for number in claims.present(tx) if number != but and _has_ended(tx, number)]


def mark_those_gone(tx: Tx, but: int, numbers: Iterable[int]) -> list[int]:
    """Mark those of the servers whose sessions have ended as gone, `but` not oneself; their numbers."""
    still = set(ended(tx, but))
    return [number for number in numbers if number in still and claims.mark_gone(tx, number)]


def _has_ended(tx: Tx, number: int) -> bool:
    row = tx.one(_TRY, _CLASS, number)
    return row is not None and bool(row[0])


def sessions(tx: Tx) -> frozenset[int]:
    """The numbers whose sessions PostgreSQL has. It takes no lock."""
    return frozenset(int(number) for (number,) in tx.all(_HELD, _CLASS))
