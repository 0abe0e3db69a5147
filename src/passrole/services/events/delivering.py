"""Brings events to their targets: matched against the rules, kept until they are delivered, tried again.

An event is a row when PutEvents answers; it becomes a row for each target of each rule that wants it, and
each of these goes when the target has it, or when it was tried for long enough and its dead-letter queue
has it. Killed in between, the server delivers at its next start: at least once, as AWS promises.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html and eb-rule-dlq.html
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from passrole import arns, disk, event_outbox, ids, iso8601
from passrole.clock import Clock
from passrole.event_outbox import EVENTS, EmittedEvent
from passrole.faults import Fault, Internal
from passrole.patterns import Rules, compile_pattern
from passrole.services.context import CallOperation
from passrole.services.events import destinations
from passrole.services.events.destinations import NOTICES, Parcel, kind_of
from passrole.services.events.inputs import InvalidInput, Occasion, input_of
from passrole.services.events.records import CHANNEL, LISTENING, RULES, Rule, rules_of, targets_of
from passrole.store import Collection, Store, Tx

log = logging.getLogger(__name__)

ADDED = "event-deliveries"
AT_ONCE_MAX = 16
ATTEMPTS_DEFAULT, AGE_SECONDS_DEFAULT = 185, 86_400
DELAY_SECONDS_MIN, DELAY_SECONDS_MAX = 1.0, 600.0
TROUBLE_SECONDS = 5.0
"""After what failed in passrole itself, as on a full disk; it counts as no attempt."""
_HOPELESS: Mapping[str, str] = {
    "AccessDenied": "NO_PERMISSIONS",
    "AccessDeniedException": "NO_PERMISSIONS",
    "InvalidInput": "INVALID_JSON",
    "QueueDoesNotExist": "NO_RESOURCE",
    "ResourceNotFound": "NO_RESOURCE",
    "ResourceNotFoundException": "NO_RESOURCE",
}


@dataclass(frozen=True)
class Delivery:
    """An event for a target. `ingested` and `due` are epoch seconds; `attempts` is how often it failed."""

    id: str
    rule: str
    target: Mapping[str, Any]
    event: Mapping[str, Any]
    ingested: float
    due: float
    attempts: int = 0


DELIVERIES = Collection("event-delivery", Delivery)


def deliver_to_targets(tx: Tx, rule: Rule, event: Mapping[str, Any], at: float) -> None:
    """Keep the event for each target of the rule, and announce that."""
    for target in targets_of(tx, rule.key):
        delivery = Delivery(ids.request_id(), rule.arn, target, event, at, at)
        DELIVERIES.put(tx, delivery.id, delivery)
        tx.notify(ADDED, delivery)


class Deliveries:
    """Matches and delivers. `start` once the door is open, `close` before the store."""

    def __init__(self, store: Store, call: CallOperation, clock: Clock) -> None:
        self._store = store
        self._call = call
        self._clock = clock
        self._rules: dict[str, Rules[str]] = {}
        self._waiting: dict[str, EmittedEvent] = {}
        self._added = asyncio.Event()
        self._matcher: asyncio.Task[None] | None = None
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE_MAX)
        self._deaf: list[Callable[[], None]] = []
        self._closed = False

    async def start(self) -> None:
        """Listen, and take up what an earlier process left."""
        self._deaf = [
            self._store.listen(event_outbox.CHANNEL, lambda added: self._take(*added)),
            self._store.listen(CHANNEL, self._forget),
            self._store.listen(ADDED, self._begin),
        ]
        self._matcher = asyncio.create_task(self._match())
        for key, event in await self._store.read(EVENTS.all):
            self._take(key, event)
        for _, delivery in await self._store.read(DELIVERIES.all):
            self._begin(delivery)

    async def close(self) -> None:
        """Stop; what has not been delivered is at the next start."""
        self._closed = True
        for deaf in self._deaf:
            deaf()
        tasks = [*self._under_way.values(), *([self._matcher] if self._matcher else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, key: str, event: EmittedEvent) -> None:
        self._waiting[key] = event
        self._added.set()

    def _forget(self, bus: str) -> None:
        self._rules.pop(bus, None)

    async def _match(self) -> None:
        """All that has come meanwhile in one transaction, in its order."""
        while True:
            await self._added.wait()
            self._added.clear()
            taken, self._waiting = self._waiting, {}
            try:
                await self._store.write(partial(self._matched, taken=taken))
            except Exception as error:
                disk.report(log, error, f"matching {len(taken)} events")
                self._waiting = {**taken, **self._waiting}
                self._added.set()
                await asyncio.sleep(TROUBLE_SECONDS)

    def _matched(self, tx: Tx, taken: Mapping[str, EmittedEvent]) -> None:
        for key in sorted(taken):
            event = taken[key]
            for rule in self._wanting(tx, event):
                deliver_to_targets(tx, rule, event.event, self._clock())
            EVENTS.delete(tx, key)

    def _wanting(self, tx: Tx, event: EmittedEvent) -> list[Rule]:
        bus = f"{event.event['account']}/{event.event['region']}/{event.bus}"
        rules = self._rules.get(bus)
        if rules is None:
            rules = self._rules[bus] = _indexed(tx, bus)
        found = (RULES.get(tx, key) for key in rules.matching(event.event))
        return [rule for rule in found if rule is not None and rule.state in LISTENING]

    def _begin(self, delivery: Delivery) -> None:
        if delivery.id not in self._under_way and not self._closed:
            task = self._under_way[delivery.id] = asyncio.create_task(self._deliver(delivery))
            task.add_done_callback(partial(self._ended, delivery))

    def _ended(self, delivery: Delivery, task: "asyncio.Task[None]") -> None:
        """What failed in passrole itself, as on a full disk, is done again in a while."""
        self._under_way.pop(delivery.id, None)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            disk.report(log, error, f"the delivery {delivery.id}")
            asyncio.get_running_loop().call_later(TROUBLE_SECONDS, self._begin, delivery)

    async def _deliver(self, delivery: Delivery) -> None:
        """Until the target has it, or its dead-letter queue, or it is over."""
        while True:
            await asyncio.sleep(max(0.0, delivery.due - self._clock()))
            async with self._turns:
                fault = await self._tried(delivery)
            if fault is None:
                break
            why = self._exhausted(delivery, fault)
            if why is not None:
                await self._send_to_dead_letters(delivery, fault, why)
                break
            delay = min(DELAY_SECONDS_MIN * 2**delivery.attempts, DELAY_SECONDS_MAX)
            delivery = replace(delivery, attempts=delivery.attempts + 1, due=self._clock() + delay)
            await self._store.write(partial(_keep, delivery=delivery))
        await self._store.write(lambda tx: DELIVERIES.delete(tx, delivery.id))

    async def _tried(self, delivery: Delivery) -> Fault | None:
        occasion = Occasion(delivery.event, delivery.rule, iso8601.seconds(delivery.ingested))
        try:
            text = input_of(delivery.target, occasion)
        except InvalidInput as error:
            return Fault("InvalidInput", f"The input of the target cannot be made: {error}.")
        parcel = Parcel(delivery.id, delivery.target, text, delivery.event, delivery.rule)
        kind = kind_of(parcel.arn)
        assert kind is not None, "PutTargets takes nothing else"
        if kind.deliver is None:
            await self._store.write(lambda tx: tx.notify(NOTICES, delivery.event))
            return None
        try:
            await kind.deliver(self._call, parcel, await destinations.principal(self._call, parcel))
        except Internal:
            raise
        except Fault as fault:
            log.info("an event was not delivered to %s: %s", delivery.target["Arn"], fault.message)
            return fault
        return None

    def _exhausted(self, delivery: Delivery, fault: Fault) -> str | None:
        """Why it is not tried again; None where it is. What is not allowed or not there is tried once."""
        retries = delivery.target.get("RetryPolicy") or {}
        if fault.code in _HOPELESS:
            return ""
        if delivery.attempts >= retries.get("MaximumRetryAttempts", ATTEMPTS_DEFAULT):
            return "MaximumRetryAttempts"
        age = self._clock() - delivery.ingested
        if age >= retries.get("MaximumEventAgeInSeconds", AGE_SECONDS_DEFAULT):
            return "MaximumEventAgeInSeconds"
        return None

    async def _send_to_dead_letters(self, delivery: Delivery, fault: Fault, why: str) -> None:
        """To the dead-letter queue, if the target has one, with AWS's attributes."""
        queue = arns.parse((delivery.target.get("DeadLetterConfig") or {}).get("Arn", ""))
        if queue is None:
            log.warning("an event for %s is lost: %s", delivery.target["Arn"], fault.message)
            return
        told = {
            "RULE_ARN": delivery.rule,
            "TARGET_ARN": delivery.target["Arn"],
            "ERROR_CODE": _HOPELESS.get(fault.code, "SDK_CLIENT_ERROR"),
            "ERROR_MESSAGE": fault.message,
            "EXHAUSTED_RETRY_CONDITION": why,
            "RETRY_ATTEMPTS": str(delivery.attempts) if why else "",
        }
        attributes = {
            name: {"DataType": "String", "StringValue": value} for name, value in told.items() if value
        }
        occasion = Occasion(delivery.event, delivery.rule, iso8601.seconds(delivery.ingested))
        body = input_of({}, occasion)
        caller = await destinations.principal(
            self._call, Parcel(delivery.id, {"Arn": str(queue)}, body, delivery.event, delivery.rule)
        )
        try:
            await destinations.send(
                self._call, queue, {"MessageBody": body, "MessageAttributes": attributes}, caller
            )
        except Internal:
            raise
        except Fault as refused:
            log.warning("an event for %s is lost: its dead-letter queue: %s", delivery.target["Arn"], refused)


def _keep(tx: Tx, delivery: Delivery) -> None:
    DELIVERIES.put(tx, delivery.id, delivery)


def _indexed(tx: Tx, bus: str) -> Rules[str]:
    rules: Rules[str] = Rules()
    for rule in rules_of(tx, bus):
        if rule.pattern is not None:
            rules.put(rule.key, compile_pattern(rule.pattern))
    return rules
