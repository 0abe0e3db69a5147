"""Events on their way to targets, as they wait: a task for each target of each rule that wants the event.

Who delivers them, how often, and what becomes of one that cannot be: worker/event_deliveries.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from passrole import exact_json, ids
from passrole.services.events.records import Rule, targets_of
from passrole.store import Tx, tasks
from passrole.store.tasks import Task

KIND = "event-delivery"


@dataclass(frozen=True)
class Delivery:
    """An event for a target, as PutTargets was given it. `rule` is an ARN, `ingested` epoch seconds;
    `attempts` is how often it failed.
    """

    id: str
    rule: str
    target: Mapping[str, Any]
    event: Mapping[str, Any]
    ingested: float
    attempts: int = 0


def deliver_to_targets(tx: Tx, rule: Rule, event: Mapping[str, Any], now: float) -> None:
    """Have the event delivered to each target of the rule soon after this transaction."""
    for target in targets_of(tx, rule.key):
        keep(tx, Delivery(ids.request_id(), rule.arn, target, event, now), now)


def keep(tx: Tx, delivery: Delivery, due: float) -> None:
    """Have it tried when it is due, epoch seconds."""
    tasks.add(tx, KIND, delivery.id, exact_json.dumps(delivery), due)


def read(task: Task) -> Delivery:
    """What the task keeps."""
    fields = exact_json.loads(task.body)
    fields.pop("due", None)  # rows of schema 2 have it in their body
    return Delivery(**fields)
