"""Runs scheduled rules: each at the time that its schedule says, when its targets get a `Scheduled Event`.

What a server that was down has missed is not made up for.
"""

from functools import partial

from passrole import ids, iso8601
from passrole.clock import Clock
from passrole.services.events import scheduled_runs
from passrole.services.events.deliveries import deliver_to_targets
from passrole.services.events.records import LISTENING, RULES, Rule
from passrole.services.events.scheduled_runs import KIND
from passrole.store import Store, Tx
from passrole.store.tasks import Task
from passrole.worker.supervisor import Supervisor
from passrole.worker.task_queue import Finish, TaskQueue

AT_ONCE_MAX = 16


class Schedules:
    """Runs them from `start` until the supervisor is closed; `clock` is the wall's, which schedules go by."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def start(self, supervisor: Supervisor) -> None:
        """From now on: what was due while no server ran is passed over."""
        await self._store.write(self._plan_all)
        TaskQueue(self._store, KIND, self._run, at_once_max=AT_ONCE_MAX, clock=self._clock).start(supervisor)

    def _plan_all(self, tx: Tx) -> None:
        now = self._clock()
        for _, rule in RULES.all(tx):
            if rule.schedule is not None:
                scheduled_runs.plan(tx, rule, now)

    async def _run(self, task: Task) -> Finish | None:
        return partial(self._emit, key=task.key, at=scheduled_runs.planned_at(task))

    def _emit(self, tx: Tx, key: str, at: float) -> None:
        rule = RULES.get(tx, key)
        if rule is None or rule.schedule is None or rule.state not in LISTENING:
            return
        now = self._clock()
        deliver_to_targets(tx, rule, _event(rule, at), now)
        scheduled_runs.plan(tx, rule, max(at, now))


def _event(rule: Rule, at: float) -> dict[str, object]:
    return {
        "version": "0",
        "id": ids.request_id(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": rule.account,
        "time": iso8601.seconds(at),
        "region": rule.region,
        "resources": [rule.arn],
        "detail": {},
    }
