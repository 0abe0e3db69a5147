"""PutEvents and TestEventPattern."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from passrole import event_outbox, exact_json, ids
from passrole.patterns import InvalidPattern, compile_pattern
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.events import refusals
from passrole.services.events.records import is_bus, named_bus
from passrole.services.operation import Parameters, Permission, operation
from passrole.store import Tx

BYTES_MAX = 262_144
DETAIL_DEPTH_MAX = 1_000
RESERVED = "aws."
MANDATORY = frozenset({"account", "detail-type", "id", "region", "source", "time"})
"""Members that TestEventPattern wants of an event. The API reference names `resources` too; AWS's recorded
answers do without."""
TIME_BYTES = 14  # as AWS counts a time that is given

Entry = Mapping[str, Any]


def _bus(ctx: Context, entry: Entry) -> str:
    return named_bus(ctx, entry.get("EventBusName")).arn


def _entry_keys(entry: Entry) -> dict[str, Values]:
    members = {"events:source": entry.get("Source"), "events:detail-type": entry.get("DetailType")}
    given = {name: str(value) for name, value in members.items() if value}
    # Nothing here forwards from one bus to another.
    return {"events:eventBusInvocation": "false", **given}


def _first_bus(ctx: Context, parameters: Parameters) -> str:
    return _bus(ctx, next(iter(parameters["entries"]), {}))


def _first_keys(_ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return _entry_keys(next(iter(parameters["entries"]), {}))


def _others(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    return [
        Permission("events:PutEvents", _bus(ctx, entry), _entry_keys(entry))
        for entry in parameters["entries"][1:]
    ]


@operation("events:PutEvents", resource=_first_bus, keys=_first_keys, also=_others)
async def put_events(ctx: Context, *, entries: Sequence[Entry]) -> dict[str, Any]:
    """Put events on their buses. A faulty entry has its own error in the answer; the others are accepted."""
    if sum(map(_size, entries)) >= BYTES_MAX:
        raise refusals.invalid("Total size of the entries in the request is over the limit.")

    def put(tx: Tx) -> list[dict[str, Any]]:
        return [_put(tx, ctx, entry) for entry in entries]

    results = await ctx.store.write(put)
    return {"FailedEntryCount": sum("ErrorCode" in each for each in results), "Entries": results}


@operation("events:TestEventPattern")
async def test_event_pattern(_ctx: Context, *, event_pattern: str, event: str) -> dict[str, Any]:
    """Whether the pattern wants the event."""
    try:
        pattern = compile_pattern(event_pattern)
    except InvalidPattern as error:
        raise refusals.bad_pattern(error.reason) from None
    try:
        document = orjson.loads(event)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict) or not document.keys() >= MANDATORY:
        raise refusals.invalid("Parameter Event is not valid.")
    return {"Result": pattern.matches(document)}


def _put(tx: Tx, ctx: Context, entry: Entry) -> dict[str, Any]:
    bus = named_bus(ctx, entry.get("EventBusName"))
    problem = _problem(entry)
    if problem is not None:
        code, message = problem
        return {"ErrorCode": code, "ErrorMessage": message}
    if bus.account != ctx.account:
        fault = refusals.no_bus(bus.arn)
        return {"ErrorCode": fault.code, "ErrorMessage": fault.message}
    if not is_bus(tx, ctx, bus.name):
        return {"EventId": ids.request_id()}  # AWS accepts the event, and no rule sees it
    event_id = event_outbox.emit(
        tx,
        account=ctx.account,
        region=ctx.region,
        at=float(entry.get("Time") or ctx.clock()),
        source=entry["Source"],
        detail_type=entry["DetailType"],
        detail=orjson.loads(entry["Detail"]),
        resources=entry.get("Resources") or (),
        bus=bus.name,
    )
    return {"EventId": event_id}


def _problem(entry: Entry) -> tuple[str, str] | None:
    for member in ("Source", "DetailType", "Detail"):
        if not entry.get(member):
            return (
                "InvalidArgument",
                f"Parameter {member} is not valid. Reason: {member} is a required argument.",
            )
    if entry["Source"].startswith(RESERVED):
        return "NotAuthorizedForSource", "Not authorized for the source."
    try:
        detail = orjson.loads(entry["Detail"])
    except orjson.JSONDecodeError:
        detail = None
    fits = isinstance(detail, dict) and exact_json.depth(detail) <= DETAIL_DEPTH_MAX
    return None if fits else ("MalformedDetail", "Detail is malformed.")


def _size(entry: Entry) -> int:
    texts = [entry.get(member) or "" for member in ("Source", "DetailType", "Detail")]
    texts += entry.get("Resources") or ()
    return sum(len(text.encode()) for text in texts) + (TIME_BYTES if "Time" in entry else 0)
