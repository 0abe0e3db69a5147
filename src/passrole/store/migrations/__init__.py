"""The schema, as numbered SQL files that are applied once each and never changed after a release."""

import sqlite3
from importlib import resources
from pathlib import Path

from passrole.store.share import shard_of


class UnknownSchema(Exception):
    """The database is of a newer version, or no database of passrole's; the message says which."""


def migrate(path: Path) -> None:
    """Bring the database at `path` to the newest schema. Killed half-way: the next start goes on.

    Raises UnknownSchema.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.create_function("shard_of", 1, shard_of, deterministic=True)
        (applied,) = connection.execute("PRAGMA user_version").fetchone()
        files = _files()
        _check(connection, path, applied, newest=files[-1][0])
        for number, sql in files:
            if number > applied:
                connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version={number};\nCOMMIT;")
    finally:
        connection.close()


def check_newest(connection: sqlite3.Connection, path: Path) -> None:
    """Raises UnknownSchema where the database has another schema than the newest, which `migrate` makes."""
    (applied,) = connection.execute("PRAGMA user_version").fetchone()
    newest = _files()[-1][0]
    _check(connection, path, applied, newest)
    if applied < newest:
        raise UnknownSchema(f"`{path}` is of an older passrole: `passrole serve` brings it up to date")


def _check(connection: sqlite3.Connection, path: Path, applied: int, newest: int) -> None:
    if applied > newest:
        raise UnknownSchema(
            f"`{path}` is of a newer passrole (schema {applied}, known here: {newest}): update passrole"
        )
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if applied == 0 and tables:
        raise UnknownSchema(f"`{path}` is the database of another program: move it away")


def _files() -> list[tuple[int, str]]:
    folder = resources.files(__name__)
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    return [(int(name.split("_")[0]), (folder / name).read_text()) for name in names]
