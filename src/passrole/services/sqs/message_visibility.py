"""ChangeMessageVisibility, alone and in batches: a received message is hidden for longer or shorter.

A receipt counts until the message is received again, also after its visibility timeout.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.sqs import receipts, records, rows
from passrole.services.sqs.attributes import VISIBILITY_SECONDS_MAX
from passrole.services.sqs.batches import check_entries, each
from passrole.services.sqs.records import Queue, queue_arn, queue_policy
from passrole.services.sqs.refusals import check_range, invalid_value
from passrole.store import Tx

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import ChangeMessageVisibilityBatchRequestEntryTypeDef


@operation("sqs:ChangeMessageVisibility", resource=queue_arn, resource_policy=queue_policy)
async def change_message_visibility(
    ctx: Context, *, queue_url: str, receipt_handle: str, visibility_timeout: int
) -> dict[str, Any]:
    """Set the visibility timeout of a received message, in seconds from now; 0 makes it receivable."""
    key, now = records.key(ctx, queue_url), ctx.clock()
    return await ctx.store.write(
        lambda tx: _change(tx, records.existing(tx, key), receipt_handle, visibility_timeout, now)
    )


@operation("sqs:ChangeMessageVisibility", resource=queue_arn, resource_policy=queue_policy)
async def change_message_visibility_batch(
    ctx: Context, *, queue_url: str, entries: "Sequence[ChangeMessageVisibilityBatchRequestEntryTypeDef]"
) -> dict[str, Any]:
    """Change the visibility of up to ten messages."""
    key, now = records.key(ctx, queue_url), ctx.clock()
    check_entries(entries, "ChangeMessageVisibilityBatchRequestEntry")

    def change(tx: Tx) -> dict[str, Any]:
        queue = records.existing(tx, key)
        return each(
            entries,
            lambda entry: _change(tx, queue, entry["ReceiptHandle"], entry.get("VisibilityTimeout", 0), now),
        )

    return await ctx.store.write(change)


def _change(tx: Tx, queue: Queue, handle: str, seconds: int, now: float) -> dict[str, Any]:
    receipt = receipts.require(queue, handle)
    reason = f"Must be between 0 and {VISIBILITY_SECONDS_MAX}, if provided."
    check_range(seconds, "VisibilityTimeout", 0, VISIBILITY_SECONDS_MAX, reason)
    message = receipts.message(tx, queue, receipt, now)
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
