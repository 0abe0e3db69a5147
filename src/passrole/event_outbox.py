"""Events that services emit, stored until EventBridge has matched them against its rules.

A service stores the event in the same transaction as the change that it reports. If the account has no rule
in the region, no event is stored: a rule never matches earlier events.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passrole import ids, iso8601
from passrole.store import Collection, Tx, any_within

CHANNEL = "events-emitted"
"""The channel of new events; a notice is a tuple of the key in EVENTS and the EmittedEvent."""

RULES_KIND = "event-rule"
DEFAULT_BUS = "default"


@dataclass(frozen=True)
class EmittedEvent:
    """An event as targets receive it, and the name of its bus."""

    bus: str
    event: Mapping[str, Any]


EVENTS = Collection("event-emitted", EmittedEvent)


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
    key, emitted = f"{at:017.6f}/{event_id}", EmittedEvent(bus, event)
    EVENTS.put(tx, key, emitted)
    tx.notify(CHANNEL, (key, emitted))
    return event_id


def any_rule(tx: Tx, account: str, region: str) -> bool:
    """Whether the account has a rule in the region, on any bus."""
    return any_within(tx, RULES_KIND, account, region)
