"""Events that services emit, kept until EventBridge has asked its rules about them.

A service writes its event in the transaction of the change that it tells of, so that neither is there
without the other. Where the account has no rule in the region nobody could hear it, and nothing is written:
rules apply to what happens after them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passrole import ids, iso8601
from passrole.store import Collection, Tx, any_within

CHANNEL = "events-emitted"
"""Its notices are tuples: the key in EVENTS, and the EmittedEvent."""

RULES_KIND = "event-rule"
DEFAULT_BUS = "default"


@dataclass(frozen=True)
class EmittedEvent:
    """An event in its envelope, as targets get it, and the name of the bus that it is on."""

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
    """Keep an event of this moment (epoch seconds) and announce it; its id."""
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
    """Whether the account has a rule in the region, on whichever bus."""
    return any_within(tx, RULES_KIND, account, region)
