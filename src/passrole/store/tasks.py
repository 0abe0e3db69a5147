"""The one durable list of background work: what is to be done, and when.

A task has a kind, a key, a body and the moment from which it may be done. One that waits, for a second or
for a day, is a row: it holds no asyncio task, no timer and no memory. Three verbs:

- `add(tx, kind, key, body, due)` in the transaction of the change that asks for the work;
- `take(tx, kind, now, limit, held)` reads those that are due, oldest first;
- `done(tx, kind, key)` in the transaction that records the result.

Killed at any moment: a task that was added and is not done is taken again at the next start. So work is done
at least once; whoever may not do it twice keeps a note of it under the task's key. Rows are not marked while
they are worked on: the process that takes them knows what it holds (worker/task_queue.py).

It knows no kinds, does not run anything, and its notices carry nothing: a queue in another database can
stand behind the same verbs.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from passrole.store.interface import Tx


class Task(NamedTuple):
    """Something to do. `due` is epoch seconds; `failures` is how often it was postponed by `postpone`."""

    key: str
    body: bytes
    due: float
    failures: int = 0


def channel(kind: str) -> str:
    """The channel on which tasks of the kind are announced. Its notices are wake-ups and carry nothing."""
    return f"tasks/{kind}"


def add(tx: Tx, kind: str, key: str, body: bytes, due: float) -> None:
    """Have something done once it is `due`; a task under the same key is replaced, and so postponed.

    Killed before the transaction is committed: there is no task, and none of the change that asked for it.
    After: it is done, by this process or the next.
    """
    tx.run(_ADD, kind, key, body, due)
    tx.notify(channel(kind))


def add_many(tx: Tx, kind: str, tasks: Iterable[tuple[str, bytes, float]]) -> None:
    """`add` for several: key, body and due of each."""
    tx.run_many(_ADD, [(kind, *task) for task in tasks])
    tx.notify(channel(kind))


def take(tx: Tx, kind: str, now: float, limit: int, held: Collection[str] = ()) -> list[Task]:
    """Those due at `now`, oldest first and then by key, `limit` at most, without those whose keys are `held`.

    It reads at most `limit` rows, and the keys of as many as are held. It writes nothing: killed after it,
    the tasks are there as before.
    """
    if not held:
        return [Task(*row) for row in tx.all(_DUE, kind, now, limit)]
    due = tx.all(_DUE_KEYS, kind, now, limit + len(held))
    keys = [key for (key,) in due if key not in held][:limit]
    rows = (tx.one(_BY_KEY, kind, key) for key in keys)
    return [Task(*row) for row in rows if row is not None]


def next_due(tx: Tx, kind: str, after: float) -> float | None:
    """When the first task that is due later than `after` is due; None where there is none."""
    row = tx.one("SELECT due FROM tasks WHERE kind = ? AND due > ? ORDER BY due LIMIT 1", kind, after)
    return row[0] if row else None


def done(tx: Tx, kind: str, key: str) -> bool:
    """Remove a task; whether it was there.

    Killed before the transaction is committed: the task is there, none of its result is, and it is done
    again. After: it is not done again.
    """
    return tx.run("DELETE FROM tasks WHERE kind = ? AND key = ?", kind, key) == 1


def postpone(tx: Tx, kind: str, key: str, due: float) -> None:
    """Have a task tried again later because passrole itself failed at it; one that is done stays done.

    Killed before the transaction is committed: it is tried again at the next start.
    """
    tx.run("UPDATE tasks SET due = ?, failures = failures + 1 WHERE kind = ? AND key = ?", due, kind, key)
    tx.notify(channel(kind))


def bring_forward(tx: Tx, kind: str, latest: float) -> int:
    """Make due at `latest` what is due later, as after the clock was set back; how many that were."""
    return tx.run("UPDATE tasks SET due = ? WHERE kind = ? AND due > ?", latest, kind, latest)


_ADD = (
    "INSERT INTO tasks (kind, key, body, due) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body, due = excluded.due, failures = 0"
)
_WHICH_IS_DUE = "FROM tasks WHERE kind = ? AND due <= ? ORDER BY due, key LIMIT ?"
_DUE = f"SELECT key, body, due, failures {_WHICH_IS_DUE}"
_DUE_KEYS = f"SELECT key {_WHICH_IS_DUE}"
_BY_KEY = "SELECT key, body, due, failures FROM tasks WHERE kind = ? AND key = ?"
