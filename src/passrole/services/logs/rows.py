"""The SQL of log events; in their order of time, and of arrival within a millisecond."""

from collections.abc import Iterable
from typing import NamedTuple

from passrole.store import Tx


class Position(NamedTuple):
    """A place in the order of events; `at` is in epoch milliseconds."""

    at: int
    seq: int


class Event(NamedTuple):
    """A row. Times are in epoch milliseconds."""

    seq: int
    stream: str
    at: int
    ingested: int
    message: str

    @property
    def position(self) -> Position:
        """Its place in the order."""
        return Position(self.at, self.seq)


EXPIRED_MAX = 10_000
"""As many events as a call of PutLogEvents may bring."""

_COLUMNS = "seq, stream, at, ingested, message"


def insert(tx: Tx, group: str, stream: str, ingested: int, events: Iterable[tuple[int, str]]) -> None:
    """Add events, each a time and a message; `group` is a key."""
    tx.run_many(
        "INSERT INTO log_events (log_group, stream, at, ingested, message) VALUES (?, ?, ?, ?, ?)",
        [(group, stream, at, ingested, message) for at, message in events],
    )


def of_stream(
    tx: Tx, group: str, stream: str, *, start: int, end: int, after: Position | None, before: Position | None,
    limit: int,
) -> list[Event]:  # fmt: skip
    """At most `limit` events of [start, end) in order: the first after a place, or the last before one."""
    where, order = "", "DESC"
    position: tuple[int, ...] = ()
    if after is not None:
        where, position, order = " AND (at, seq) > (?, ?)", after, "ASC"
    elif before is not None:
        where, position = " AND (at, seq) < (?, ?)", before
    rows = tx.all(
        f"SELECT {_COLUMNS} FROM log_events WHERE log_group = ? AND stream = ? AND at >= ? AND at < ?{where}"  # noqa: S608
        f" ORDER BY at {order}, seq {order} LIMIT ?",
        group, stream, start, end, *position, limit,
    )  # fmt: skip
    return sorted((Event(*row) for row in rows), key=lambda event: event.position)


def of_group(tx: Tx, group: str, *, start: int, end: int, after: Position, limit: int) -> list[Event]:
    """The first events of all streams in [start, end) after a place, in order."""
    rows = tx.all(
        f"SELECT {_COLUMNS} FROM log_events WHERE log_group = ? AND at >= ? AND at < ?"  # noqa: S608
        " AND (at, seq) > (?, ?) ORDER BY at, seq LIMIT ?",
        group, start, end, *after, limit,
    )  # fmt: skip
    return [Event(*row) for row in rows]


def span(tx: Tx, group: str, stream: str) -> tuple[int, int, int] | None:
    """A stream's first and last time and its last ingestion, unless it is empty."""
    row = tx.one(
        "SELECT MIN(at), MAX(at), MAX(ingested) FROM log_events WHERE log_group = ? AND stream = ?",
        group,
        stream,
    )
    return None if row is None or row[0] is None else (row[0], row[1], row[2])


def delete_group(tx: Tx, group: str) -> None:
    """Remove every event of a group."""
    tx.run("DELETE FROM log_events WHERE log_group = ?", group)


def delete_stream(tx: Tx, group: str, stream: str) -> None:
    """Remove every event of a stream."""
    tx.run("DELETE FROM log_events WHERE log_group = ? AND stream = ?", group, stream)


def delete_expired(tx: Tx, group: str, before: int) -> int:
    """Remove what a group no longer keeps, the oldest first, EXPIRED_MAX events at most; how many it was."""
    sql = (
        "DELETE FROM log_events WHERE seq IN"
        " (SELECT seq FROM log_events WHERE log_group = ? AND at < ? ORDER BY at, seq LIMIT ?)"
    )
    return tx.run(sql, group, before, EXPIRED_MAX)
