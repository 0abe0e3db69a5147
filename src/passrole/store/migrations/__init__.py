"""The schema, as numbered SQL files that are applied once each and never changed after a release."""

import sqlite3
from importlib import resources
from pathlib import Path


def migrate(path: Path) -> None:
    """Bring the database at `path` to the newest schema. Killed half-way: the next start goes on."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        (applied,) = connection.execute("PRAGMA user_version").fetchone()
        for number, sql in _files():
            if number > applied:
                connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version={number};\nCOMMIT;")
    finally:
        connection.close()


def _files() -> list[tuple[int, str]]:
    folder = resources.files(__name__)
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    return [(int(name.split("_")[0]), (folder / name).read_text()) for name in names]
