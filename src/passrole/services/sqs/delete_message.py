"""DeleteMessage and DeleteMessageBatch: a message that was received and handled goes.

A receipt counts until the message is received again. After the visibility timeout a standard queue still
deletes with it, a FIFO queue does not.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.sqs import fifo, receipts, records, rows
from passrole.services.sqs.batches import check_entries, each
from passrole.services.sqs.records import Queue, queue_arn, queue_policy
from passrole.services.sqs.refusals import expired_handle
from passrole.services.sqs.rows import BEHIND
from passrole.store import Tx

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef


@operation("sqs:DeleteMessage", resource=queue_arn, resource_policy=queue_policy)
async def delete_message(ctx: Context, *, queue_url: str, receipt_handle: str) -> dict[str, Any]:
    """Remove a message that was received and handled."""
    key, now = records.key(ctx, queue_url), ctx.clock()
    return await ctx.store.write(lambda tx: _delete(tx, records.existing(tx, key), receipt_handle, now))


@operation("sqs:DeleteMessage", resource=queue_arn, resource_policy=queue_policy)
async def delete_message_batch(
    ctx: Context, *, queue_url: str, entries: "Sequence[DeleteMessageBatchRequestEntryTypeDef]"
) -> dict[str, Any]:
    """Remove up to ten messages."""
    key, now = records.key(ctx, queue_url), ctx.clock()
    check_entries(entries, "DeleteMessageBatchRequestEntry")

    def delete(tx: Tx) -> dict[str, Any]:
        queue = records.existing(tx, key)
        return each(entries, lambda entry: _delete(tx, queue, entry["ReceiptHandle"], now))

    return await ctx.store.write(delete)


def _delete(tx: Tx, queue: Queue, handle: str, now: float) -> dict[str, Any]:
    """Deleting what is gone, or was received again since, succeeds without effect."""
    receipt = receipts.require(queue, handle)
    if not queue.fifo:
        rows.delete_received(tx, queue.key, receipt.seq, receipt.id, receipt.receive)
        return {}
    message = receipts.message(tx, queue, receipt, now)
    if message is None or message.group_id is None:
        return {}
    if message.received != receipt.receive or not now < message.visible < BEHIND:
        raise expired_handle(handle)
    rows.delete(tx, [message.seq])
    fifo.promote(tx, queue, message.group_id)
    return {}
