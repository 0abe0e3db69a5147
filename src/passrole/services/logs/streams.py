"""CreateLogStream, DeleteLogStream, DescribeLogStreams."""

from typing import Any

from passrole.services.context import Context
from passrole.services.logs import policies, records, refusals, rows
from passrole.services.logs.paging import PAGES
from passrole.services.logs.records import STREAMS, Stream
from passrole.services.operation import operation
from passrole.store import Tx


@operation("logs:CreateLogStream", resource=records.stream_resource, resource_policy=policies.attached)
async def create_log_stream(ctx: Context, *, log_group_name: str, log_stream_name: str) -> None:
    """Create an empty stream."""
    group, stream = ctx.key(log_group_name), Stream(log_stream_name, records.now_ms(ctx))

    def create(tx: Tx) -> None:
        records.existing_group(tx, group)
        if not STREAMS.add(tx, records.stream_key(group, log_stream_name), stream):
            raise refusals.exists("stream")

    await ctx.store.write(create)


@operation("logs:DeleteLogStream", resource=records.stream_resource)
async def delete_log_stream(ctx: Context, *, log_group_name: str, log_stream_name: str) -> None:
    """Delete a stream with its events."""
    group = ctx.key(log_group_name)

    def delete(tx: Tx) -> None:
        records.existing_group(tx, group)
        if not STREAMS.delete(tx, records.stream_key(group, log_stream_name)):
            raise refusals.no_stream()
        rows.delete_stream(tx, group, log_stream_name)

    await ctx.store.write(delete)


@operation("logs:DescribeLogStreams", resource=records.group_resource)
async def describe_log_streams(
    ctx: Context,
    *,
    log_group_name: str,
    log_stream_name_prefix: str = "",
    order_by: str = "LogStreamName",
    descending: bool = False,
    next_token: str | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """Streams by name or by their last event, in pages. Raises InvalidParameterException."""
    if order_by == "LastEventTime" and log_stream_name_prefix:
        raise refusals.invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    group = ctx.key(log_group_name)
    shown = await ctx.store.read(lambda tx: _all(ctx, tx, log_group_name, group, log_stream_name_prefix))
    if order_by == "LastEventTime":
        shown.sort(key=lambda stream: stream.get("lastEventTimestamp", 0))
    if descending:
        shown.reverse()
    page, more = PAGES.page(PAGES.following(shown, next_token, _name), limit, _name)
    return {"logStreams": page, **more}


def _name(stream: dict[str, Any]) -> str:
    return str(stream["logStreamName"])


def _all(ctx: Context, tx: Tx, name: str, group: str, prefix: str) -> list[dict[str, Any]]:
    records.existing_group(tx, group)
    streams = STREAMS.children(tx, group, begins=prefix)
    return [_shown(ctx, name, stream, rows.span(tx, group, stream.name)) for _, stream in streams]


def _shown(ctx: Context, group: str, stream: Stream, span: tuple[int, int, int] | None) -> dict[str, Any]:
    names = ("firstEventTimestamp", "lastEventTimestamp", "lastIngestionTime")
    return {
        "logStreamName": stream.name,
        "creationTime": stream.created,
        "arn": records.stream_arn(ctx, group, stream.name),
        "uploadSequenceToken": "0",
        "storedBytes": 0,
        **(dict(zip(names, span, strict=True)) if span else {}),
    }
