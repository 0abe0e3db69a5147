"""A database whose rows went back to a data folder says so, and no server uses it any more.

`passrole migrate --from` takes the lock that servers hold, and so knows that none is there; but one that was
only cut off comes back later. It would go on with rows that are elsewhere by then, and run all twice.
"""

from typing import TYPE_CHECKING, Any

from passrole import disk

if TYPE_CHECKING:
    import psycopg

_TABLE = (
    "CREATE TABLE IF NOT EXISTS passrole_moved (place text NOT NULL, at timestamptz NOT NULL DEFAULT now())"
)


class Moved(disk.StoreUnreachable):
    """The rows are elsewhere; the message says where."""


def check(connection: "psycopg.Connection[Any]") -> None:
    """Raises Moved."""
    if not _has_table(connection):
        return
    row = connection.execute("SELECT place, at::date::text FROM passrole_moved ORDER BY at DESC").fetchone()
    if row is not None:
        raise Moved(
            f"the rows of the database went to {row[0]} on {row[1]}, by `passrole migrate`: "
            "start a server there, or name another database"
        )


def mark(connection: "psycopg.Connection[Any]", place: str) -> None:
    """The rows are in that place from this transaction on."""
    connection.execute(_TABLE)
    connection.execute("INSERT INTO passrole_moved (place) VALUES (%s)", (place,))


def unmark(connection: "psycopg.Connection[Any]") -> None:
    """There are rows again."""
    if _has_table(connection):
        connection.execute("DELETE FROM passrole_moved")


def _has_table(connection: "psycopg.Connection[Any]") -> bool:
    row = connection.execute("SELECT to_regclass('passrole_moved') IS NOT NULL").fetchone()
    return row is not None and bool(row[0])
