"""What an older passrole left in its data folder is there after an update."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from passrole import event_outbox, exact_json, history
from passrole.arns import ExecutionArn
from passrole.engine import commands
from passrole.engine.commands import CancelJob, InvokeFunction
from passrole.event_outbox import EmittedEvent
from passrole.services.events import deliveries
from passrole.services.events.deliveries import Delivery
from passrole.services.lambda_ import async_invocations
from passrole.services.lambda_.async_invocations import AsyncInvocation
from passrole.store import SqliteStore, migrations
from passrole.store.tasks import Task


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


def test_what_waits_in_schema_2_is_tasks(older: Callable[[int], sqlite3.Connection], tmp_path: Path) -> None:
    database = older(2)
    waiting = {"function": "1/r/f", "request_id": "r-1", "event": "{}", "since": 5.0, "due": 65.5}
    delivery = {"id": "d", "rule": "arn", "target": {}, "event": {}, "ingested": 1.0, "due": 2.0}
    event = {"bus": "default", "event": {"id": "e"}}
    deep = b'{"event": ' + b"[" * 3_000 + b"]" * 3_000 + b"}"  # deeper than SQLite reads
    keep(database, "function-queued", "0000000005.000000/r-1", waiting)
    keep(database, "function-queued", "0000000006.000000/r-2", deep)
    keep(database, "event-delivery", "d", delivery)
    keep(database, "event-emitted", "0000000007.000000/e", event)
    keep(database, "function", "1/r/f", {})
    migrations.migrate(tmp_path / "passrole.db")
    rows = database.execute("SELECT kind, key, body, due, failures FROM tasks ORDER BY kind, key").fetchall()
    assert rows == [
        ("async-invocation", "0000000005.000000/r-1", json.dumps(waiting).encode(), 65.5, 0),
        ("async-invocation", "0000000006.000000/r-2", deep, 0.0, 0),
        ("event", "0000000007.000000/e", json.dumps(event).encode(), 0.0, 0),
        ("event-delivery", "d", json.dumps(delivery).encode(), 2.0, 0),
    ]
    assert database.execute("SELECT kind FROM documents").fetchall() == [("function",)]


def test_tasks_of_schema_2_are_read(older: Callable[[int], sqlite3.Connection], tmp_path: Path) -> None:
    database = older(2)
    waiting = {"function": "1/r/f", "request_id": "r-1", "event": "{}", "since": 5.0, "due": 65.5}
    delivery = {"id": "d", "rule": "arn", "target": {}, "event": {"n": 1}, "ingested": 1.0, "due": 2.0}
    keep(database, "function-queued", "0000000005.000000/r-1", {**waiting, "attempts": 2})
    keep(database, "event-delivery", "d", {**delivery, "attempts": 3})
    keep(database, "event-emitted", "0000000007.000000/e", {"bus": "b", "event": {"id": "e"}})
    migrations.migrate(tmp_path / "passrole.db")
    rows = database.execute("SELECT key, body, due, failures FROM tasks ORDER BY kind").fetchall()
    invocation, event, delivered = (Task(*row) for row in rows)
    assert async_invocations.read(invocation) == AsyncInvocation("1/r/f", "r-1", "{}", 5.0, attempts=2)
    assert event_outbox.read(event) == EmittedEvent("b", {"id": "e"})
    assert deliveries.read(delivered) == Delivery("d", "arn", {}, {"n": 1}, 1.0, attempts=3)


def test_migrations_are_numbered_without_gap_or_repetition() -> None:
    numbers = [number for number, _ in migrations._files()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_messages_and_objects_of_schema_4_are_there(
    older: Callable[[int], sqlite3.Connection], tmp_path: Path
) -> None:
    database = older(4)
    database.execute(
        "INSERT INTO messages (queue, id, body, about, sent, visible, received) VALUES (?, ?, ?, ?, ?, ?, ?)",
        ("q", "i", "body", b"{}", 1.0, 1.0, 0),
    )
    database.execute(
        "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)", ("b", "k", 1, 2, 3, "e", b"{}", 0)
    )
    migrations.migrate(tmp_path / "passrole.db")
    assert database.execute("SELECT envelope FROM messages").fetchall() == [(b"{}",)]
    assert database.execute("SELECT metadata FROM objects").fetchall() == [(b"{}",)]


def test_the_outbox_of_schema_5_is_tasks(older: Callable[[int], sqlite3.Connection], tmp_path: Path) -> None:
    database = older(5)
    arn, role = "arn:aws:sagemaker:us-east-1:1:pipeline/p/execution/e", 'arn:aws:iam::1:role/"r"'
    invoke = InvokeFunction(step="l1", attempt=1, function_arn="arn:f", payload={"n": 10**30, "s": 'a"b'})
    cancel = exact_json.dumps(
        {
            "command": "CancelEmrStep",
            "step": "e1",
            "attempt": 2,
            "cluster_id": "j-1",
            "emr_step_id": "s-1",
            "owns_cluster": True,
        }
    )
    sql = "INSERT INTO executions (execution, pipeline, role, status, started, about, definition)"
    database.execute(f"{sql} VALUES (?, 'arn:p', ?, 'Executing', 7.5, '{{}}', 'd')", (arn, role))
    for key, text in (
        ("l1/1", exact_json.dumps(commands.to_json(invoke))),
        ("e1/2/stopping", cancel),
    ):
        database.execute("INSERT INTO outbox VALUES (?, ?, ?)", (arn, key, text))
    database.execute("INSERT INTO outbox VALUES ('arn:gone', 'l1/1', '{}')")
    migrations.migrate(tmp_path / "passrole.db")

    async def read() -> tuple[history.Task, ...]:
        store = SqliteStore(tmp_path)
        try:
            return await store.read(history.pending)
        finally:
            await store.close()

    assert asyncio.run(read()) == (
        history.Task(
            ExecutionArn(arn),
            role,
            "e1/2/stopping",
            CancelJob(
                step="e1",
                attempt=2,
                kind="EMR",
                handle={"ClusterId": "j-1", "StepId": "s-1", "OwnsCluster": True},
            ),
        ),
        history.Task(ExecutionArn(arn), role, "l1/1", invoke),
    )
    assert database.execute("SELECT kind, due FROM tasks ORDER BY kind").fetchall() == [
        ("engine/CancelJob", None),
        ("engine/InvokeFunction", None),
    ]


def test_commands_of_schema_7_have_no_due_time_and_all_other_tasks_keep_theirs(
    older: Callable[[int], sqlite3.Connection], tmp_path: Path
) -> None:
    database = older(7)
    rows = [
        ("engine/InvokeFunction", "arn l1/1", b"{}", 7.5, 0),
        ("engineer", "k", b"{}", 8.5, 0),
        ("event-delivery", "d", b"{}", 9.5, 3),
    ]
    database.executemany("INSERT INTO tasks VALUES (?, ?, ?, ?, ?)", rows)
    migrations.migrate(tmp_path / "passrole.db")
    found = database.execute("SELECT kind, key, body, due, failures FROM tasks ORDER BY kind").fetchall()
    assert found == [("engine/InvokeFunction", "arn l1/1", b"{}", None, 0), *rows[1:]]
    indexed = "SELECT kind FROM tasks INDEXED BY tasks_due WHERE due IS NOT NULL ORDER BY kind"
    assert database.execute(indexed).fetchall() == [("engineer",), ("event-delivery",)]


@pytest.mark.parametrize("owns_cluster", [True, False])
def test_the_emr_jobs_of_schema_7_are_jobs_of_steps(
    older: Callable[[int], sqlite3.Connection], tmp_path: Path, owns_cluster: bool
) -> None:
    database = older(7)
    execution = "arn:aws:sagemaker:us-east-1:1:pipeline/p/execution/e"
    job = {"execution": execution, "role": "arn:r", "step": "e1", "attempt": 2, "cluster_id": "j-1"}
    job |= {"emr_step_id": "s-1", "owns_cluster": owns_cluster}
    row = ("emr-job", f"{execution}/e1/2", exact_json.dumps(job))
    database.execute("INSERT INTO documents (kind, key, body) VALUES (?, ?, ?)", row)
    migrations.migrate(tmp_path / "passrole.db")

    async def read() -> list[history.jobs.Job]:
        store = SqliteStore(tmp_path)
        try:
            return await store.read(history.jobs.under_way)
        finally:
            await store.close()

    handle: dict[str, Any] = {"ClusterId": "j-1", "StepId": "s-1", "OwnsCluster": owns_cluster}
    (found,) = asyncio.run(read())
    assert found == history.jobs.Job("EMR", execution, "arn:r", "e1", 2, handle)
    assert found.key == f"{execution}/e1/2"
