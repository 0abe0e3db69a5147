"""What becomes of a received message: DeleteMessage, ChangeMessageVisibility, and both in batches.

A receipt counts only until the message is received again. After the visibility timeout has ended it still
hides the message anew; a standard queue still deletes with it, a FIFO queue does not (guide, "FIFO delivery
logic").
"""

from collections.abc import Sequence
from typing import Any, TypedDict

from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.sqs import fifo, receipts, records, rows
from passrole.services.sqs.attributes import VISIBILITY_SECONDS_MAX
from passrole.services.sqs.batches import check_entries, each
from passrole.services.sqs.receipts import Receipt
from passrole.services.sqs.records import Queue, queue_arn, queue_policy
from passrole.services.sqs.refusals import check_range, expired_handle, invalid_handle, invalid_value
from passrole.services.sqs.rows import BEHIND, Message
from passrole.store import Tx


class DeleteEntry(TypedDict):
    """One entry of DeleteMessageBatch."""

    Id: str
    ReceiptHandle: str


class VisibilityEntry(TypedDict, total=False):
    """One entry of ChangeMessageVisibilityBatch."""

    Id: str
    ReceiptHandle: str
    VisibilityTimeout: int


@operation("sqs:DeleteMessage", resource=queue_arn, resource_policy=queue_policy)
async def delete_message(ctx: Context, *, queue_url: str, receipt_handle: str) -> dict[str, Any]:
    """Remove a message that was received and handled."""
    key, now = records.key(ctx, queue_url), ctx.clock()
    return await ctx.store.write(lambda tx: _deleted(tx, records.existing(tx, key), receipt_handle, now))


@operation("sqs:DeleteMessage", resource=queue_arn, resource_policy=queue_policy)
async def delete_message_batch(
    ctx: Context, *, queue_url: str, entries: Sequence[DeleteEntry]
) -> dict[str, Any]:
    """Remove up to ten messages."""
    key, now = records.key(ctx, queue_url), ctx.clock()
    check_entries(entries, "DeleteMessageBatchRequestEntry")

    def delete(tx: Tx) -> dict[str, Any]:
        queue = records.existing(tx, key)
        return each(entries, lambda entry: _deleted(tx, queue, entry["ReceiptHandle"], now))

    return await ctx.store.write(delete)


@operation("sqs:ChangeMessageVisibility", resource=queue_arn, resource_policy=queue_policy)
async def change_message_visibility(
    ctx: Context, *, queue_url: str, receipt_handle: str, visibility_timeout: int
) -> dict[str, Any]:
    """Hide a received message for longer or shorter, counted from now; 0 gives it back."""
    key, now = records.key(ctx, queue_url), ctx.clock()
    return await ctx.store.write(
        lambda tx: _changed(tx, records.existing(tx, key), receipt_handle, visibility_timeout, now)
    )


@operation("sqs:ChangeMessageVisibility", resource=queue_arn, resource_policy=queue_policy)
async def change_message_visibility_batch(
    ctx: Context, *, queue_url: str, entries: Sequence[VisibilityEntry]
) -> dict[str, Any]:
    """Change the visibility of up to ten messages."""
    key, now = records.key(ctx, queue_url), ctx.clock()
    check_entries(entries, "ChangeMessageVisibilityBatchRequestEntry")

    def change(tx: Tx) -> dict[str, Any]:
        queue = records.existing(tx, key)
        return each(
            entries,
            lambda entry: _changed(tx, queue, entry["ReceiptHandle"], entry.get("VisibilityTimeout", 0), now),
        )

    return await ctx.store.write(change)


def _deleted(tx: Tx, queue: Queue, handle: str, now: float) -> dict[str, Any]:
    """Nothing to tell: deleting what is gone, or was received again since, succeeds without effect."""
    receipt = _receipt(queue, handle)
    if not queue.fifo:
        rows.delete_received(tx, queue.key, receipt.seq, receipt.id, receipt.receive)
        return {}
    message = _found(tx, queue, receipt, now)
    if message is None or message.group_id is None:
        return {}
    if message.received != receipt.receive or not now < message.visible < BEHIND:
        raise expired_handle(handle)
    rows.delete(tx, [message.seq])
    fifo.promote(tx, queue, message.group_id)
    return {}


def _changed(tx: Tx, queue: Queue, handle: str, seconds: int, now: float) -> dict[str, Any]:
    receipt = _receipt(queue, handle)
    reason = f"Must be between 0 and {VISIBILITY_SECONDS_MAX}, if provided."
    check_range(seconds, "VisibilityTimeout", 0, VISIBILITY_SECONDS_MAX, reason)
    message = _found(tx, queue, receipt, now)
    if message is None:
        reason = "Message does not exist or is not available for visibility timeout change."
        raise invalid_value(handle, "ReceiptHandle", reason)
    if message.received != receipt.receive:
        raise Fault("MessageNotInflight", "The specified message isn't in flight.")
    if now + seconds > receipt.at + VISIBILITY_SECONDS_MAX:
        limit = f"[{VISIBILITY_SECONDS_MAX} seconds]"
        reason = f"Total VisibilityTimeout for the message is beyond the limit {limit}"
        raise invalid_value(seconds, "VisibilityTimeout", reason)
    rows.hide(tx, message.seq, now + seconds)
    tx.notify(queue.channel)
    return {}


def _found(tx: Tx, queue: Queue, receipt: Receipt, now: float) -> Message | None:
    """The message of the receipt, unless it is gone or its retention is over."""
    message = rows.find(tx, queue.key, receipt.seq, receipt.id)
    if message is None or message.sent + queue.number("MessageRetentionPeriod") <= now:
        return None
    return message


def _receipt(queue: Queue, handle: str) -> Receipt:
    receipt = receipts.decode(queue.key, handle)
    if receipt is None:
        raise invalid_handle(handle)
    return receipt
