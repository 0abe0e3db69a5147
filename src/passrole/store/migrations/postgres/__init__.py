"""The schema in PostgreSQL, as numbered SQL files that are applied once each; the numbers are SQLite's."""

from importlib import resources
from typing import TYPE_CHECKING, Any

from passrole.store.migrations import UnknownSchema

if TYPE_CHECKING:
    import psycopg

_VERSION = "CREATE TABLE IF NOT EXISTS passrole_schema (number integer PRIMARY KEY)"


def migrate(connection: "psycopg.Connection[Any]") -> None:
    """Bring the database to the newest schema, each step in a transaction of its own.

    Raises UnknownSchema.
    """
    _check_encoding(connection)
    connection.execute(_VERSION)
    applied = _applied(connection)
    for number, sql in _files():
        if number > applied:
            with connection.transaction():
                connection.execute(sql.encode())
                connection.execute("INSERT INTO passrole_schema VALUES (%s)", (number,))


def check_newest(connection: "psycopg.Connection[Any]") -> None:
    """Raises UnknownSchema where the database has another schema than the newest, which `migrate` makes."""
    row = connection.execute("SELECT to_regclass('passrole_schema') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        raise UnknownSchema("the database has none of passrole's tables yet: `passrole serve` makes them")
    if _applied(connection) < _files()[-1][0]:
        raise UnknownSchema("the database is of an older passrole: `passrole serve` brings it up to date")


def _applied(connection: "psycopg.Connection[Any]") -> int:
    """The number of the newest step that was applied. Raises UnknownSchema where none here has it."""
    row = connection.execute("SELECT coalesce(max(number), 0) FROM passrole_schema").fetchone()
    applied, newest = int(row[0]) if row else 0, _files()[-1][0]
    if applied > newest:
        raise UnknownSchema(
            f"the database is of a newer passrole (schema {applied}, known here: {newest}): update passrole"
        )
    return applied


def _check_encoding(connection: "psycopg.Connection[Any]") -> None:
    row = connection.execute("SHOW server_encoding").fetchone()
    if row is None or row[0] != "UTF8":
        raise UnknownSchema("the database's encoding is not UTF8: create one with ENCODING 'UTF8'")


def _files() -> list[tuple[int, str]]:
    folder = resources.files(__name__)
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    return [(int(name.split("_")[0]), (folder / name).read_text()) for name in names]
