"""GetLogEvents of one stream, in both directions; FilterLogEvents of a group."""

from collections.abc import Sequence
from typing import Any

from passrole.services.context import Context
from passrole.services.logs import patterns, records, refusals, rows
from passrole.services.logs.rows import Event, Position
from passrole.services.operation import operation
from passrole.store import Tx

EVENTS_MAX = 10_000
PAGE_BYTES_MAX = 1_048_576
FOR_EVER = 1 << 62
START = Position(-1, 0)


@operation("logs:GetLogEvents", resource=records.stream_resource)
async def get_log_events(
    ctx: Context,
    *,
    log_group_name: str,
    log_stream_name: str,
    start_time: int = 0,
    end_time: int = FOR_EVER,
    next_token: str | None = None,
    limit: int = EVENTS_MAX,
    start_from_head: bool = False,
) -> dict[str, Any]:
    """The newest page by default; a token that comes back unchanged marks the end."""
    key, now = ctx.key(log_group_name), records.now_ms(ctx)
    forward, position = _direction(next_token, start_from_head)

    def read(tx: Tx) -> list[Event]:
        group = records.existing_group(tx, key)
        records.existing_stream(tx, key, log_stream_name)
        return rows.of_stream(
            tx, key, log_stream_name, start=max(start_time, group.kept_since(now)), end=end_time,
            after=position if forward else None, before=None if forward else position, limit=limit,
        )  # fmt: skip

    events = within_page_bytes(await ctx.store.read(read), forward=forward)
    first, last = _ends(events, position, forward=forward)
    return {
        "events": [_shown(event) for event in events],
        "nextForwardToken": f"f/{last.at}/{last.seq}",
        "nextBackwardToken": f"b/{first.at}/{first.seq}",
    }


@operation("logs:FilterLogEvents", resource=records.group_resource, ignores=["interleaved"])
async def filter_log_events(
    ctx: Context,
    *,
    log_group_name: str,
    log_stream_names: Sequence[str] = (),
    log_stream_name_prefix: str = "",
    start_time: int = 0,
    end_time: int = FOR_EVER,
    filter_pattern: str = "",
    next_token: str | None = None,
    limit: int = EVENTS_MAX,
) -> dict[str, Any]:
    """Events of a group that match; a page reads 10,000 events at most, so it may be empty with a token."""
    if log_stream_names and log_stream_name_prefix:
        raise refusals.invalid("logStreamNamePrefix and logStreamNames cannot be used together.")
    pattern = patterns.parse(filter_pattern)
    after = _position(next_token) if next_token else START
    key, now = ctx.key(log_group_name), records.now_ms(ctx)

    def read(tx: Tx) -> list[Event]:
        since = max(start_time, records.existing_group(tx, key).kept_since(now))
        for name in log_stream_names:
            records.existing_stream(tx, key, name)
        return rows.of_group(tx, key, start=since, end=end_time + 1, after=after, limit=EVENTS_MAX)

    seen = await ctx.store.read(read)
    wanted = [
        event
        for event in seen
        if (not log_stream_names or event.stream in log_stream_names)
        and event.stream.startswith(log_stream_name_prefix)
        and pattern.matches(event.message)
    ]
    page = within_page_bytes(wanted[:limit], forward=True)
    shown = [{**_shown(event), "logStreamName": event.stream, "eventId": _id(event)} for event in page]
    answer: dict[str, Any] = {"events": shown, "searchedLogStreams": []}
    if len(page) < len(wanted):
        answer["nextToken"] = f"f/{page[-1].at}/{page[-1].seq}"
    elif len(seen) == EVENTS_MAX:
        answer["nextToken"] = f"f/{seen[-1].at}/{seen[-1].seq}"
    return answer


def within_page_bytes(events: Sequence[Event], *, forward: bool) -> list[Event]:
    """As many events as fit in PAGE_BYTES_MAX, at least one, from the end that is read from."""
    accepted: list[Event] = []
    room = PAGE_BYTES_MAX
    for event in events if forward else reversed(events):
        room -= len(event.message.encode())
        if room < 0 and accepted:
            break
        accepted.append(event)
    return accepted if forward else accepted[::-1]


def _direction(token: str | None, from_head: bool) -> tuple[bool, Position | None]:
    if token is None:
        return from_head, START if from_head else None
    return token.startswith("f/"), _position(token)


def _position(token: str) -> Position:
    kind, _, position = token.partition("/")
    numbers = position.split("/")
    digits = all(number.removeprefix("-").isdecimal() and len(number) < 19 for number in numbers)
    if kind not in ("f", "b") or len(numbers) != 2 or not digits:
        raise refusals.invalid("The specified nextToken is invalid.")
    return Position(int(numbers[0]), int(numbers[1]))


def _ends(events: Sequence[Event], position: Position | None, *, forward: bool) -> tuple[Position, Position]:
    """Positions where the pages before and after this one start; an empty page stays where it was."""
    if events:
        return events[0].position, events[-1].position
    if position is None:
        return START, START
    before, behind = Position(position.at, position.seq + 1), Position(position.at, position.seq - 1)
    return (before, position) if forward else (position, behind)


def _id(event: Event) -> str:
    return f"{event.seq:056d}"


def _shown(event: Event) -> dict[str, Any]:
    return {"timestamp": event.at, "message": event.message, "ingestionTime": event.ingested}
