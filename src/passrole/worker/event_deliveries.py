"""Delivers events to the targets of rules: tried again for a day, then the dead-letter queue.

A delivery goes in the transaction that ends its task, when the target has the event, or when it was tried for
long enough and the target's dead-letter queue has it. Killed in between, the server delivers at its next
start: at least once, as AWS promises. What fails in passrole itself, as on a full disk, is no attempt.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html and eb-rule-dlq.html
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from passrole import iso8601
from passrole.clock import Clock
from passrole.faults import Fault, Internal
from passrole.services.context import CallOperation
from passrole.services.events import deliveries, destinations
from passrole.services.events.deliveries import KIND, Delivery
from passrole.services.events.destinations import NOTICES, Kind, Parcel, kind_of
from passrole.services.events.inputs import InvalidInput, Occasion, event_text, input_of
from passrole.services.events.rule_targets import RuleTarget, rule_target
from passrole.store import Store, Tx
from passrole.store.tasks import Task
from passrole.worker.supervisor import Supervisor
from passrole.worker.task_queue import Finish, TaskQueue

log = logging.getLogger(__name__)

AT_ONCE_MAX = 16
DELAY_SECONDS_MIN, DELAY_SECONDS_MAX = 1.0, 600.0
_FINAL: Mapping[str, str] = {
    "AccessDenied": "NO_PERMISSIONS",
    "AccessDeniedException": "NO_PERMISSIONS",
    "InvalidInput": "INVALID_JSON",
    "QueueDoesNotExist": "NO_RESOURCE",
    "ResourceNotFound": "NO_RESOURCE",
    "ResourceNotFoundException": "NO_RESOURCE",
}
"""What is not tried again, and its ERROR_CODE in the dead-letter queue."""


class EventDeliveries:
    """Delivers from `start` until the supervisor is closed."""

    def __init__(self, store: Store, call: CallOperation, clock: Clock) -> None:
        self._store = store
        self._call = call
        self._clock = clock

    def start(self, supervisor: Supervisor) -> None:
        """Once the door is open."""
        TaskQueue(
            self._store,
            KIND,
            self._handle,
            at_once_max=AT_ONCE_MAX,
            clock=self._clock,
            due_seconds_max=DELAY_SECONDS_MAX,
        ).start(supervisor)

    async def _handle(self, task: Task) -> Finish | None:
        """One attempt; where it fails and is not the last, the task is kept for the next."""
        delivery = deliveries.read(task)
        target = rule_target(delivery.target)
        kind = kind_of(target.arn)
        assert kind is not None, "PutTargets takes nothing else"
        if kind.deliver is None:
            return partial(_notify, event=delivery.event)
        fault = await self._attempt(delivery, target, kind)
        if fault is None:
            return None
        condition = self._exhausted(delivery, target, fault)
        if condition is not None:
            await self._send_to_dead_letter_queue(delivery, target, fault, condition)
            return None
        delay = min(DELAY_SECONDS_MIN * 2**delivery.attempts, DELAY_SECONDS_MAX)
        failed = replace(delivery, attempts=delivery.attempts + 1)
        return partial(deliveries.keep, delivery=failed, due=self._clock() + delay)

    async def _attempt(self, delivery: Delivery, target: RuleTarget, kind: Kind) -> Fault | None:
        occasion = Occasion(delivery.event, delivery.rule, iso8601.seconds(delivery.ingested))
        try:
            text = input_of(target, occasion)
        except InvalidInput as error:
            return Fault("InvalidInput", f"The input of the target cannot be made: {error}.")
        parcel = Parcel(delivery.id, target, text, delivery.event, delivery.rule)
        assert kind.deliver is not None, "a notice is no call"
        try:
            await kind.deliver(self._call, parcel, await destinations.principal(self._call, parcel))
        except Internal:
            raise
        except Fault as fault:
            log.info("an event was not delivered to %s: %s", target.arn, fault.message)
            return fault
        return None

    def _exhausted(self, delivery: Delivery, target: RuleTarget, fault: Fault) -> str | None:
        """Why it is not tried again; None where it is. A target that forbids it or is gone is tried once."""
        if fault.code in _FINAL:
            return ""
        if delivery.attempts >= target.retries.attempts_max:
            return "MaximumRetryAttempts"
        if self._clock() - delivery.ingested >= target.retries.age_seconds_max:
            return "MaximumEventAgeInSeconds"
        return None

    async def _send_to_dead_letter_queue(
        self, delivery: Delivery, target: RuleTarget, fault: Fault, condition: str
    ) -> None:
        """With AWS's attributes, if the target has such a queue."""
        if target.dead_letter_queue is None:
            log.warning("an event for %s is lost: %s", target.arn, fault.message)
            return
        members = {
            "RULE_ARN": delivery.rule,
            "TARGET_ARN": str(target.arn),
            "ERROR_CODE": _FINAL.get(fault.code, "SDK_CLIENT_ERROR"),
            "ERROR_MESSAGE": fault.message,
            "EXHAUSTED_RETRY_CONDITION": condition,
            "RETRY_ATTEMPTS": str(delivery.attempts) if condition else "",
        }
        try:
            await destinations.send(
                self._call,
                target.dead_letter_queue,
                {"MessageBody": event_text(delivery.event), "MessageAttributes": _attributes(members)},
                destinations.event_bridge(delivery.rule),
            )
        except Internal:
            raise
        except Fault as refused:
            log.warning("an event for %s is lost: its dead-letter queue: %s", target.arn, refused)


def _notify(tx: Tx, event: Mapping[str, object]) -> None:
    tx.notify(NOTICES, event)


def _attributes(members: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"DataType": "String", "StringValue": value} for name, value in members.items() if value}
