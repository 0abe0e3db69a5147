"""Scheduled rules: each comes to be when its schedule says, and its targets get a `Scheduled Event`.

What a server that was down has missed is not made up for.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from passrole import ids, iso8601
from passrole.clock import Clock
from passrole.services.events.delivering import deliver_to_targets
from passrole.services.events.records import CHANNEL, LISTENING, RULES, Rule
from passrole.services.events.schedules import parse_schedule
from passrole.store import Store, Tx

log = logging.getLogger(__name__)

SLEEP_SECONDS_MAX = 3_600.0
PAUSE_SECONDS = 5.0


class Schedules:
    """Watches the clock for all scheduled rules between `start` and `close`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._deaf: Callable[[], None] | None = None

    async def start(self) -> None:
        """Watch from now on."""
        self._deaf = self._store.listen(CHANNEL, lambda _: self._changed.set())
        self._task = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Stop watching."""
        if self._deaf is not None:
            self._deaf()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        seen = self._clock()
        while True:
            try:
                seen = await self._watched(seen)
            except Exception:
                log.exception("scheduled rules are looked at again in a while")
                await asyncio.sleep(PAUSE_SECONDS)

    async def _watched(self, seen: float) -> float:
        """Up to the next moment that a rule is due, or rules change; the moment up to which all is done."""
        self._changed.clear()
        rules = await self._store.read(
            lambda tx: [rule for _, rule in RULES.all(tx) if rule.schedule and rule.state in LISTENING]
        )
        due = {rule.key: at for rule in rules if (at := _due(rule, seen)) is not None}
        wait = min(due.values(), default=seen + SLEEP_SECONDS_MAX) - self._clock()
        try:
            async with asyncio.timeout(min(max(wait, 0.0), SLEEP_SECONDS_MAX)):
                await self._changed.wait()
            return seen
        except TimeoutError:
            now = self._clock()
        for rule in rules:
            if due.get(rule.key, now + 1) <= now:
                await self._store.write(partial(self._fire, rule=rule, at=due[rule.key]))
        return now

    def _fire(self, tx: Tx, rule: Rule, at: float) -> None:
        present = RULES.get(tx, rule.key)
        if present is not None and present.state in LISTENING:
            deliver_to_targets(tx, present, _event(present, at), self._clock())


def _due(rule: Rule, after: float) -> float | None:
    assert rule.schedule is not None, "only scheduled rules are asked"
    return parse_schedule(rule.schedule).next(rule.since, max(after, rule.since))


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
