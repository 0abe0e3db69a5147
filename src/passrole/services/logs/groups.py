"""CreateLogGroup, DeleteLogGroup, DescribeLogGroups, PutRetentionPolicy, DeleteRetentionPolicy."""

from dataclasses import replace
from typing import Any

from passrole.services.context import Context
from passrole.services.logs import records, refusals, rows
from passrole.services.logs.paging import PAGES
from passrole.services.logs.records import GROUPS, STREAMS, Group
from passrole.services.operation import operation
from passrole.store import Tx

RETENTIONS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


@operation("logs:CreateLogGroup", resource=records.group_resource)
async def create_log_group(ctx: Context, *, log_group_name: str) -> None:
    """Create a group whose events stay for ever."""
    group = Group(log_group_name, records.now_ms(ctx))
    if not await ctx.store.write(lambda tx: GROUPS.add(tx, ctx.key(log_group_name), group)):
        raise refusals.exists("group")


@operation("logs:DeleteLogGroup", resource=records.group_resource)
async def delete_log_group(ctx: Context, *, log_group_name: str) -> None:
    """Delete a group with its streams and events."""
    key = ctx.key(log_group_name)

    def delete(tx: Tx) -> None:
        if not GROUPS.delete(tx, key):
            raise refusals.no_group()
        for stream, _ in STREAMS.children(tx, key):
            STREAMS.delete(tx, stream)
        rows.delete_group(tx, key)

    await ctx.store.write(delete)


@operation("logs:DescribeLogGroups", resource=records.group_resource)
async def describe_log_groups(
    ctx: Context, *, log_group_name_prefix: str = "", next_token: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """Groups by name, in pages. Raises InvalidParameterException."""
    begins, after = log_group_name_prefix, PAGES.after(next_token, ctx.key)
    found = await ctx.store.read(
        lambda tx: GROUPS.within(tx, *ctx.location, begins=begins, after=after, limit=limit + 1)
    )
    shown, more = PAGES.page([group for _, group in found], limit, lambda group: group.name)
    return {"logGroups": [_shown(ctx, group) for group in shown], **more}


@operation("logs:PutRetentionPolicy", resource=records.group_resource)
async def put_retention_policy(ctx: Context, *, log_group_name: str, retention_in_days: int) -> None:
    """Set how many days events are kept: one of RETENTIONS."""
    if retention_in_days not in RETENTIONS:
        allowed = ", ".join(str(days) for days in RETENTIONS)
        raise refusals.invalid(f"Invalid retention value. Valid values are: [{allowed}]")
    await _retain(ctx, log_group_name, retention_in_days)


@operation("logs:DeleteRetentionPolicy", resource=records.group_resource)
async def delete_retention_policy(ctx: Context, *, log_group_name: str) -> None:
    """Keep events for ever, as by default."""
    await _retain(ctx, log_group_name, None)


async def _retain(ctx: Context, name: str, days: int | None) -> None:
    key = ctx.key(name)
    await ctx.store.write(
        lambda tx: GROUPS.put(tx, key, replace(records.existing_group(tx, key), retention=days))
    )


def _shown(ctx: Context, group: Group) -> dict[str, Any]:
    arn = records.arn(ctx, group.name)
    retention = {} if group.retention is None else {"retentionInDays": group.retention}
    return {
        "logGroupName": group.name,
        "creationTime": group.created,
        "arn": f"{arn}:*",
        "logGroupArn": arn,
        "logGroupClass": "STANDARD",
        "metricFilterCount": 0,
        "storedBytes": 0,  # AWS updates it daily at best
        **retention,
    }
