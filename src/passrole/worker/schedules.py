"""Runs what has a schedule, rules and the schedules of EventBridge Scheduler: each when it is due, and once.

A run and the plan of the next one are one transaction, so that a server that is killed neither repeats a run
nor loses one.
"""

import math
from collections.abc import Sequence
from functools import partial

from passrole.clock import Clock
from passrole.services.events.scheduled_runs import RULE_RUNS
from passrole.services.planned_runs import PlannedRuns, planned_at
from passrole.services.scheduler.runs import SCHEDULE_RUNS
from passrole.store import Store, Tx
from passrole.store.tasks import Task
from passrole.worker.supervisor import Supervisor
from passrole.worker.task_queue import Finish, TaskQueue

AT_ONCE_MAX = 16
HAND_OVER_SECONDS = 120.0
"""So late one of several servers runs at the most what another one that is gone did not run any more."""

_PLANNED: Sequence[PlannedRuns] = (RULE_RUNS, SCHEDULE_RUNS)


class Schedules:
    """Runs them from `start` until the supervisor is closed; `clock` is the wall's, which schedules go by."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def start(self, supervisor: Supervisor) -> None:
        """From now on."""
        now = self._clock()
        before = math.inf if self._store.share.is_whole else now - HAND_OVER_SECONDS
        for runs in _PLANNED:
            await self._store.write(partial(_plan_all, runs=runs, now=now, before=before))
            self._queue(runs).start(supervisor)

    def _queue(self, runs: PlannedRuns) -> TaskQueue:
        async def run(task: Task) -> Finish | None:
            return partial(self._ran, runs=runs, key=task.key, at=planned_at(task))

        return TaskQueue(self._store, runs.kind, run, at_once_max=AT_ONCE_MAX, clock=self._clock)

    def _ran(self, tx: Tx, runs: PlannedRuns, key: str, at: float) -> None:
        runs.run(tx, key, at, self._clock())


def _plan_all(tx: Tx, runs: PlannedRuns, now: float, before: float) -> None:
    runs.plan_all(tx, now, before)
