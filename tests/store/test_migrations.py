"""What an older passrole left in its data folder is there after an update."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from passrole.store import migrations


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], sqlite3.Connection]:
    """Makes a database as it was at a schema."""
    path, files = tmp_path / "passrole.db", migrations._files()

    def make(schema: int) -> sqlite3.Connection:
        with monkeypatch.context() as patch:
            patch.setattr(migrations, "_files", lambda: files[:schema])
            migrations.migrate(path)
        return sqlite3.connect(path, isolation_level=None)

    return make


def keep(database: sqlite3.Connection, kind: str, key: str, body: object) -> None:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    database.execute("INSERT INTO documents VALUES (?, ?, ?)", (kind, key, text))


def test_asynchronous_invocations_of_schema_2_are_tasks(
    older: Callable[[int], sqlite3.Connection], tmp_path: Path
) -> None:
    database = older(2)
    waiting = {"function": "1/r/f", "request_id": "r-1", "event": "{}", "since": 5.0, "due": 65.5}
    deep = b'{"event": ' + b"[" * 3_000 + b"]" * 3_000 + b"}"  # deeper than SQLite reads
    keep(database, "function-queued", "0000000005.000000/r-1", waiting)
    keep(database, "function-queued", "0000000006.000000/r-2", deep)
    keep(database, "function", "1/r/f", {})
    migrations.migrate(tmp_path / "passrole.db")
    rows = database.execute("SELECT kind, key, body, due, failures FROM tasks ORDER BY key").fetchall()
    assert rows == [
        ("async-invocation", "0000000005.000000/r-1", json.dumps(waiting).encode(), 65.5, 0),
        ("async-invocation", "0000000006.000000/r-2", deep, 0.0, 0),
    ]
    assert database.execute("SELECT kind FROM documents").fetchall() == [("function",)]
