"""PutLogEvents: a batch is stored whole, except events that are too old or too new."""

from collections.abc import Mapping, Sequence
from typing import Any

from passrole.services.context import Context
from passrole.services.logs import policies, records, refusals, rows
from passrole.services.logs.records import DAY, Group
from passrole.services.operation import operation
from passrole.store import Tx

BATCH_BYTES_MAX = 1_048_576
EVENT_OVERHEAD_BYTES = 26  # AWS counts them for each event
EVENT_BYTES_MAX = 262_144
FUTURE_MAX = DAY // 12
PAST_MAX = 14 * DAY
LogEvents = Sequence[Mapping[str, Any]]


@operation(
    "logs:PutLogEvents",
    resource=records.stream_resource,
    resource_policy=policies.attached,
    ignores=["sequence_token"],
)
async def put_log_events(
    ctx: Context, *, log_group_name: str, log_stream_name: str, log_events: LogEvents
) -> dict[str, Any]:
    """Store a batch of events. Sequence tokens are ignored, as on AWS."""
    check(log_events)
    key, now = ctx.key(log_group_name), records.now_ms(ctx)

    def write(tx: Tx) -> dict[str, int]:
        group = records.existing_group(tx, key)
        records.existing_stream(tx, key, log_stream_name)
        first, last, rejected = accepted(log_events, group, now)
        events = [(event["timestamp"], event["message"]) for event in log_events[first:last]]
        rows.insert(tx, key, log_stream_name, now, events)
        if group.retention is not None:
            rows.delete_expired(tx, key, group.kept_since(now))
        return rejected

    rejected = await ctx.store.write(write)
    return {"nextSequenceToken": "0", **({"rejectedLogEventsInfo": rejected} if rejected else {})}


def check(events: LogEvents) -> None:
    """Check a batch against the limits. Raises InvalidParameterException."""
    sizes = [len(event["message"].encode()) for event in events]
    times = [event["timestamp"] for event in events]
    if max(sizes) + EVENT_OVERHEAD_BYTES > EVENT_BYTES_MAX:
        raise refusals.invalid(f"Log event too large: exceeds limit of {EVENT_BYTES_MAX}")
    total = sum(sizes) + EVENT_OVERHEAD_BYTES * len(sizes)
    if total > BATCH_BYTES_MAX:
        raise refusals.invalid(f"Upload too large: {total} bytes exceeds limit of {BATCH_BYTES_MAX}")
    if times != sorted(times):
        raise refusals.invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if times[-1] - times[0] > DAY:
        raise refusals.invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )


def accepted(events: LogEvents, group: Group, now: int) -> tuple[int, int, dict[str, int]]:
    """The first accepted event, the one after the last, and RejectedLogEventsInfo."""
    times = [event["timestamp"] for event in events]
    too_old = sum(at < now - PAST_MAX for at in times)
    expired = sum(at < group.kept_since(now) for at in times)
    last = sum(at <= now + FUTURE_MAX for at in times)
    rejected = {"tooOldLogEventEndIndex": too_old, "expiredLogEventEndIndex": expired}
    said = {name: index for name, index in rejected.items() if index}
    if last < len(times):
        said["tooNewLogEventStartIndex"] = last
    return max(too_old, expired), last, said
