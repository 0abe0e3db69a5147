"""What runs by a schedule: one task for each run that is planned, under the key of what runs.

The task's body is the moment that the schedule said; the task itself may be due later. Who takes them:
worker/schedules.py.
"""

from collections.abc import Callable
from dataclasses import dataclass

from passrole.store import Tx, tasks
from passrole.store.tasks import Task


@dataclass(frozen=True)
class PlannedRuns:
    """The runs of one kind of thing, such as rules.

    `plan_all(tx, now, before)` is called when a server starts: what was due while none ran is passed over, or
    kept. What is planned for `before` or later is another server's to run, and stays as it is.
    `run(tx, key, at, now)` runs what was planned for `at`, and plans its next run.
    """

    kind: str
    plan_all: Callable[[Tx, float, float], None]
    run: Callable[[Tx, str, float, float], None]


def plan(tx: Tx, kind: str, key: str, at: float | None, due: float | None = None) -> None:
    """Have the run for `at` when it is `due`, by default then; with None there is no further run."""
    if at is None:
        tasks.done(tx, kind, key)
    else:
        tasks.add(tx, kind, key, repr(at).encode(), at if due is None else due)


def planned_at(task: Task) -> float:
    """The moment that the schedule said, epoch seconds; the task itself may have been postponed."""
    return float(task.body)
