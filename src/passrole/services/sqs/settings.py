"""GetQueueAttributes and SetQueueAttributes."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from passrole.arns import Account
from passrole.identities import principals
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.sqs import attributes as table
from passrole.services.sqs import records, redrive, rows
from passrole.services.sqs.depths import depth_of
from passrole.services.sqs.records import QUEUES, Queue, queue_arn, queue_policy
from passrole.services.sqs.refusals import invalid_attribute, invalid_value, missing, unknown_attribute
from passrole.store import Tx


@operation("sqs:GetQueueAttributes", resource=queue_arn, resource_policy=queue_policy)
async def get_queue_attributes(
    ctx: Context, *, queue_url: str, attribute_names: Sequence[str] | None = None
) -> dict[str, Any]:
    """The attributes that are asked for and have a value; `All` asks for every one."""
    key, now, names = records.key(ctx, queue_url), ctx.clock(), frozenset(attribute_names or ())

    def look(tx: Tx) -> dict[str, str]:
        queue = records.existing(tx, key)
        for name in names - {"All"}:
            if not table.known(name, fifo=queue.fifo):
                raise unknown_attribute(name)
        values = table.complete(queue.attributes, fifo=queue.fifo) | _computed(queue)
        if "Policy" in values:
            values["Policy"] = principals.WithArns(tx, queue.account)(values["Policy"])
        if "All" in names or any(name.startswith("Approximate") for name in names):
            values |= _counts(tx, queue, now)
        return {name: value for name, value in values.items() if "All" in names or name in names}

    found = await ctx.store.read(look)
    return {"Attributes": found} if found else {}


@operation("sqs:SetQueueAttributes", resource=queue_arn, resource_policy=queue_policy)
async def set_queue_attributes(
    ctx: Context, *, queue_url: str, attributes: Mapping[str, str]
) -> dict[str, Any]:
    """Change some attributes; those with no default are removed by an empty text."""
    key, now = records.key(ctx, queue_url), ctx.clock()
    if not attributes:
        raise missing("Attribute.Name")

    def change(tx: Tx) -> None:
        queue = records.existing(tx, key)
        changes = pinned(tx, queue.account, table.checked(attributes, fifo=queue.fifo))
        after = dataclasses.replace(queue, attributes=table.merged(queue.attributes, changes), modified=now)
        if changes.get("RedrivePolicy"):
            check_redrive(tx, after)
        QUEUES.put(tx, key, after)
        if queue.fifo and "DelaySeconds" in changes:
            rows.delay_groups(tx, key, after.number("DelaySeconds"))
        tx.notify(queue.channel)  # a shorter delay may let a message out

    await ctx.store.write(change)
    return {}


def pinned(tx: Tx, account: Account, given: Mapping[str, str]) -> dict[str, str]:
    """Attributes as they are stored: a Policy has its users and roles by id. Raises InvalidAttributeValue."""
    if not given.get("Policy"):
        return dict(given)
    try:
        return {**given, "Policy": principals.with_unique_ids(tx, account, given["Policy"])}
    except principals.UnknownPrincipal:
        raise invalid_attribute("Policy") from None


def check_redrive(tx: Tx, queue: Queue) -> None:
    """Check that the dead-letter queue exists, is alike and allows it. Raises InvalidParameterValue."""
    text = queue.attributes.get("RedrivePolicy")
    if not text:
        return
    target = records.by_arn(tx, redrive.parse_policy(text).target)
    if target is None or (target.account, target.region) != (queue.account, queue.region):
        raise invalid_value(text, "RedrivePolicy", "Dead letter target does not exist.")
    if target.fifo != queue.fifo:
        reason = "Dead-letter queue must be same type of queue as the source."
        raise invalid_value(text, "RedrivePolicy", reason)
    if not redrive.allows(target.attributes.get("RedriveAllowPolicy"), queue.arn):
        reason = "The dead-letter queue's RedriveAllowPolicy does not allow this source queue."
        raise invalid_value(text, "RedrivePolicy", reason)


def _computed(queue: Queue) -> dict[str, str]:
    return {
        "QueueArn": queue.arn,
        "CreatedTimestamp": str(int(queue.created)),
        "LastModifiedTimestamp": str(int(queue.modified)),
    }


def _counts(tx: Tx, queue: Queue, now: float) -> dict[str, str]:
    depth = depth_of(tx, queue, now)
    return {
        "ApproximateNumberOfMessages": str(depth.visible),
        "ApproximateNumberOfMessagesNotVisible": str(depth.in_flight),
        "ApproximateNumberOfMessagesDelayed": str(depth.delayed),
    }
