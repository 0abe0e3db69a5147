"""A server among several on one PostgreSQL: PostgreSQL says who is alive, by a lock that a session holds.

Each server has a session that holds the advisory lock of its number, and asks something on it every
PING_SECONDS. The lock is free again when the session ends: at once where the process is killed, and after
GONE_SECONDS without a question where it is stopped or its network is cut, for then PostgreSQL ends the
session. So nobody writes heartbeats, and no clock is compared with another one.
https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-SESSION-TIMEOUT

A lock that is free proves that the session has ended, and not that the server does nothing any more. So
whoever finds it free marks the server as gone, and from then on its fence is down (claims.holds).
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
"""The first half of the locks' keys: "prnd"."""

_LOCK, _TRY = "SELECT pg_advisory_lock(?, ?)", "SELECT pg_try_advisory_xact_lock(?, ?)"
_HELD = (
    "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = ? AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_TIMEOUT = "SELECT set_config('idle_session_timeout', ?, false)"


class NodeLost(Exception):
    """The server's session has ended: its number is no longer its own."""


class Elsewhere(Exception):
    """Another server of the database keeps S3's objects in another place, which the message names."""


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
        """`name` is its data folder's, `objects` where it keeps S3's. Raises ConnectionError, Elsewhere."""
        self._connect, self._as_tx = connect, as_tx
        self.name, self._objects = name, objects
        self._gone_seconds = gone_seconds
        self.number = 0
        self.enter()

    def enter(self) -> None:
        """Have a new number, and what is left of the one before. Raises ConnectionError, Elsewhere."""
        session = self._connect()
        tx = self._as_tx(session)
        try:
            with session.transaction():  # nobody sees the number before its lock is held
                session.execute("LOCK TABLE nodes IN SHARE ROW EXCLUSIVE MODE")
                postgres_moved.check(session)
                number = claims.enter(tx, self.name, self._objects)
                shards.inherit(tx, number, self.name)
                tx.one(_LOCK, _CLASS, number)
                self._check_place(tx, number)
            tx.one(_TIMEOUT, f"{self._gone_seconds * 1000:.0f}ms")
        except BaseException:
            session.close()
            raise
        self._session, self.number = session, number

    def _check_place(self, tx: Tx, number: int) -> None:
        """Several servers keep S3's objects in one place. Raises Elsewhere."""
        over = ended(tx, number)
        for each, place in claims.places(tx).items():
            if each not in over and place != self._objects:
                raise Elsewhere(place)

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
