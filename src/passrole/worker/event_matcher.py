"""Matches events against the rules of their bus: a delivery for each target of each rule that wants one.

An event is a task when PutEvents answers, or when the change that it tells of is committed
(event_outbox.py). It is matched once: the deliveries are written in the transaction that ends the task. The
patterns of a bus are read from what is committed, and kept until a notice says that rules have changed
(store/cache.py).
"""

from collections.abc import Sequence
from functools import partial

from passrole import event_outbox
from passrole.clock import Clock
from passrole.event_outbox import EmittedEvent
from passrole.patterns import Rules, compile_pattern
from passrole.services.events.deliveries import deliver_to_targets
from passrole.services.events.records import CHANNEL, LISTENING, RULES, rules_of
from passrole.store import Store, Tx
from passrole.store.cache import Cache
from passrole.store.tasks import Task
from passrole.worker.supervisor import Supervisor
from passrole.worker.task_queue import Finish, TaskQueue

AT_ONCE_MAX = 64
"""Their transactions share commits, in the order of the events."""

BUSES_MAX = 10_000


class EventMatcher:
    """Matches from `start` until the supervisor is closed."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._rules: Cache[str, Rules[str]] = Cache(BUSES_MAX)

    def start(self, supervisor: Supervisor) -> None:
        """The rules are heard of for as long as the store is open."""
        self._store.listen(CHANNEL, self._rules.forget)
        TaskQueue(
            self._store,
            event_outbox.KIND,
            self._match,
            at_once_max=AT_ONCE_MAX,
            clock=self._clock,
            due_seconds_max=0.0,
        ).start(supervisor)

    async def _match(self, task: Task) -> Finish | None:
        event = event_outbox.read(task)
        rules = await self._rules_of(f"{event.event['account']}/{event.event['region']}/{event.bus}")
        wanting = rules.matching(event.event)
        return partial(self._deliver, event=event, rules=wanting) if wanting else None

    async def _rules_of(self, bus: str) -> Rules[str]:
        known = self._rules.get(bus)
        if known is not None:
            return known
        return await self._rules.read(bus, partial(self._store.read, partial(_indexed, bus=bus)))

    def _deliver(self, tx: Tx, event: EmittedEvent, rules: Sequence[str]) -> None:
        for key in rules:
            rule = RULES.get(tx, key)  # as it is now: it may be gone or disabled since it was matched
            if rule is not None and rule.state in LISTENING:
                deliver_to_targets(tx, rule, event.event, self._clock())


def _indexed(tx: Tx, bus: str) -> Rules[str]:
    rules: Rules[str] = Rules()
    for rule in rules_of(tx, bus):
        if rule.pattern is not None:
            rules.put(rule.key, compile_pattern(rule.pattern))
    return rules
