"""Events that services emit, stored until EventBridge has matched them against its rules.

A service stores the event in the same transaction as the change that it reports. If the account has no rule
in the region, no event is stored: a rule never matches earlier events.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passrole import exact_json, ids, iso8601
from passrole.store import Tx, any_within, tasks
from passrole.store.tasks import Task

KIND = "event"
"""Each event is a task until it is matched: worker/event_matcher.py."""

RULES_KIND = "event-rule"
DEFAULT_BUS = "default"


@dataclass(frozen=True)
class EmittedEvent:
    """An event as targets receive it, and the name of its bus."""

    bus: str
    event: Mapping[str, Any]


def emit(
    tx: Tx,
    *,
    account: str,
    region: str,
    at: float,
    source: str,
    detail_type: str,
    detail: Mapping[str, Any],
    resources: Sequence[str] = (),
    bus: str = DEFAULT_BUS,
) -> str:
    """Store an event that happened `at` (epoch seconds) and notify CHANNEL; returns its id."""
    event_id = ids.request_id()
    if not any_rule(tx, account, region):
        return event_id
    event = {
        "version": "0",
        "id": event_id,
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": iso8601.seconds(at),
        "region": region,
        "resources": list(resources),
        "detail": detail,
    }
    body = exact_json.dumps(EmittedEvent(bus, event))
    tasks.add(tx, KIND, f"{at:017.6f}/{event_id}", body, due=0.0)  # at once, in the order of their times
    return event_id


def read(task: Task) -> EmittedEvent:
    """What the task keeps."""
    return EmittedEvent(**exact_json.loads(task.body))


def any_rule(tx: Tx, account: str, region: str) -> bool:
    """Whether the account has a rule in the region, on any bus."""
    return any_within(tx, RULES_KIND, account, region)
