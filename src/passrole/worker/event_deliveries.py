"""Delivers events to the targets of rules; how often, and what then, is in retried_deliveries.py.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html and eb-rule-dlq.html
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from passrole import iso8601
from passrole.faults import Fault, Internal
from passrole.policy.request import Principal
from passrole.services.events import deliveries, destinations
from passrole.services.events.deliveries import KIND, Delivery
from passrole.services.events.destinations import Parcel, kind_of
from passrole.services.events.inputs import InvalidInput, Occasion, event_text, input_of
from passrole.services.events.rule_targets import RuleTarget, rule_target
from passrole.store import Tx
from passrole.store.tasks import Task
from passrole.worker.retried_deliveries import Attempts, DeadLetter, RetriedDeliveries
from passrole.worker.task_queue import Finish

log = logging.getLogger(__name__)

_FINAL: Mapping[str, str] = {
    "AccessDenied": "NO_PERMISSIONS",
    "AccessDeniedException": "NO_PERMISSIONS",
    "InvalidInput": "INVALID_JSON",
    "QueueDoesNotExist": "NO_RESOURCE",
    "ResourceNotFound": "NO_RESOURCE",
    "ResourceNotFoundException": "NO_RESOURCE",
}
"""What is not tried again, and its ERROR_CODE in the dead-letter queue."""


class EventDeliveries(RetriedDeliveries[Delivery]):
    """Delivers from `start` until the supervisor is closed."""

    kind = KIND
    final = frozenset(_FINAL)

    def _read(self, task: Task) -> Delivery:
        return deliveries.read(task)

    def _attempts(self, delivery: Delivery) -> Attempts:
        return Attempts(delivery.ingested, delivery.attempts, rule_target(delivery.target).retries)

    async def _deliver(self, delivery: Delivery) -> Finish | None:
        target = rule_target(delivery.target)
        kind = kind_of(target.arn)
        assert kind is not None, "PutTargets takes nothing else"
        if kind.deliver is None:
            return partial(destinations.tell, event=delivery.event)
        parcel = Parcel(delivery.id, target, _input(delivery, target), delivery.event, delivery.rule)
        try:
            await kind.deliver(self._call, parcel, await destinations.principal(self._call, parcel))
        except Internal:
            raise
        except Fault as fault:
            log.info("an event was not delivered to %s: %s", target.arn, fault.message)
            raise
        return None

    def _keep(self, tx: Tx, delivery: Delivery, due: float) -> None:
        deliveries.keep(tx, replace(delivery, attempts=delivery.attempts + 1), due)

    def _lost(self, delivery: Delivery, fault: Fault, condition: str) -> DeadLetter:
        target = rule_target(delivery.target)
        attributes = {
            "RULE_ARN": delivery.rule,
            "TARGET_ARN": str(target.arn),
            "ERROR_CODE": _FINAL.get(fault.code, "SDK_CLIENT_ERROR"),
            "ERROR_MESSAGE": fault.message,
            "EXHAUSTED_RETRY_CONDITION": condition,
            "RETRY_ATTEMPTS": str(delivery.attempts) if condition else "",
        }
        body = event_text(delivery.event)
        return DeadLetter(f"an event for {target.arn}", target.dead_letter_queue, body, attributes)

    async def _dead_letter_principal(self, delivery: Delivery) -> Principal:
        return destinations.event_bridge(delivery.rule)


def _input(delivery: Delivery, target: RuleTarget) -> str:
    occasion = Occasion(delivery.event, delivery.rule, iso8601.seconds(delivery.ingested))
    try:
        return input_of(target, occasion)
    except InvalidInput as error:
        raise Fault("InvalidInput", f"The input of the target cannot be made: {error}.") from error
