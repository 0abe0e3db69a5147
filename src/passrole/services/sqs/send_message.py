"""SendMessage and SendMessageBatch.

A draft is made first, with all that needs no queue: checks, digests, the id. Then one transaction reads the
queue, checks the draft against its attributes and stores the message.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict
from uuid import uuid4

import orjson

from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.sqs import content, fifo, kms_keys, records, rows
from passrole.services.sqs.attributes import DELAY_SECONDS_MAX, MESSAGE_BYTES_MAX
from passrole.services.sqs.batches import check_entries, each
from passrole.services.sqs.digests import AttributeValue, attributes_digest, body_digest
from passrole.services.sqs.envelope import MessageEnvelope, pack
from passrole.services.sqs.records import Queue, queue_arn, queue_policy
from passrole.services.sqs.refusals import check_range, invalid, missing, wrong_queue_type
from passrole.services.sqs.rows import Message
from passrole.store import Tx

Attributes = Mapping[str, AttributeValue]


class SendEntry(TypedDict, total=False):
    """One entry of SendMessageBatch."""

    Id: str
    MessageBody: str
    DelaySeconds: int
    MessageAttributes: Attributes
    MessageSystemAttributes: Attributes
    MessageDeduplicationId: str
    MessageGroupId: str


@dataclass(frozen=True)
class Draft:
    """A checked message that is not in a queue yet. `delay` is None where the queue's DelaySeconds counts."""

    id: str
    body: str
    size: int
    delay: int | None
    group: str | None
    deduplication: str | None
    envelope: MessageEnvelope


@operation("sqs:SendMessage", resource=queue_arn, resource_policy=queue_policy)
async def send_message(
    ctx: Context,
    *,
    queue_url: str,
    message_body: str,
    delay_seconds: int | None = None,
    message_attributes: Attributes | None = None,
    message_system_attributes: Attributes | None = None,
    message_deduplication_id: str | None = None,
    message_group_id: str | None = None,
) -> dict[str, Any]:
    """Put one message into a queue."""
    key, now = records.key(ctx, queue_url), ctx.clock()
    draft = _draft(
        ctx.principal.id,
        message_body,
        delay=delay_seconds,
        attributes=message_attributes or {},
        system=message_system_attributes or {},
        deduplication=message_deduplication_id,
        group=message_group_id,
    )
    return await kms_keys.sending(ctx, key, lambda tx, queue: _send(tx, queue, draft, now))


@operation("sqs:SendMessage", resource=queue_arn, resource_policy=queue_policy)
async def send_message_batch(ctx: Context, *, queue_url: str, entries: Sequence[SendEntry]) -> dict[str, Any]:
    """Put up to ten messages into a queue; each succeeds or fails alone."""
    key, now = records.key(ctx, queue_url), ctx.clock()
    check_entries(entries, "SendMessageBatchRequestEntry")
    _check_batch_size(entries)

    def send(tx: Tx, queue: Queue) -> dict[str, Any]:
        for entry in entries:  # a missing MessageGroupId fails the batch, not the entry
            _check_order(
                queue, entry["MessageBody"], entry.get("MessageGroupId"), entry.get("MessageDeduplicationId")
            )
        return each(entries, lambda entry: _send(tx, queue, _draft_entry(ctx.principal.id, entry), now))

    return await kms_keys.sending(ctx, key, send)


def _draft_entry(sender: str, entry: SendEntry) -> Draft:
    return _draft(
        sender,
        entry["MessageBody"],
        delay=entry.get("DelaySeconds"),
        attributes=entry.get("MessageAttributes") or {},
        system=entry.get("MessageSystemAttributes") or {},
        deduplication=entry.get("MessageDeduplicationId"),
        group=entry.get("MessageGroupId"),
    )


def _draft(
    sender: str,
    body: str,
    *,
    delay: int | None,
    attributes: Attributes,
    system: Attributes,
    deduplication: str | None,
    group: str | None,
) -> Draft:
    content.check_body(body)
    reason = f"DelaySeconds must be >= 0 and <= {DELAY_SECONDS_MAX}."
    check_range(delay, "DelaySeconds", 0, DELAY_SECONDS_MAX, reason)
    if attributes:
        content.check_attributes(attributes)
    if system:
        content.check_system_attributes(system)
    content.check_id(group, "MessageGroupId")
    content.check_id(deduplication, "MessageDeduplicationId")
    envelope = MessageEnvelope(sender, body_digest(body), attributes, system, group, deduplication)
    return Draft(str(uuid4()), body, content.size(body, attributes), delay, group, deduplication, envelope)


def _check_batch_size(entries: Sequence[SendEntry]) -> None:
    total = sum(content.size(entry["MessageBody"], entry.get("MessageAttributes") or {}) for entry in entries)
    if total > MESSAGE_BYTES_MAX:
        message = (
            f"Batch requests cannot be longer than {MESSAGE_BYTES_MAX} bytes. You have sent {total} bytes."
        )
        raise Fault("BatchRequestTooLong", message)


def _check_order(queue: Queue, body: str, group: str | None, deduplication: str | None) -> None:
    if queue.fifo:
        if group is None:
            raise missing("MessageGroupId")
        fifo.deduplication_id(queue, deduplication, body)
    elif deduplication is not None:
        raise wrong_queue_type(deduplication, "MessageDeduplicationId")


def _send(tx: Tx, queue: Queue, draft: Draft, now: float) -> dict[str, Any]:
    """Store the draft; the response. Raises InvalidParameterValue, before it writes."""
    limit = queue.number("MaximumMessageSize")
    if draft.size > limit:
        raise invalid(
            f"One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
        )
    _check_order(queue, draft.body, draft.group, draft.deduplication)
    id_, seq = (
        _send_to_fifo(tx, queue, draft, now) if queue.fifo else _send_to_standard(tx, queue, draft, now)
    )
    answer = {"MessageId": id_, "MD5OfMessageBody": draft.envelope.digest}
    if draft.envelope.attributes:
        answer["MD5OfMessageAttributes"] = attributes_digest(draft.envelope.attributes)
    if draft.envelope.system:
        answer["MD5OfMessageSystemAttributes"] = attributes_digest(draft.envelope.system)
    if queue.fifo:
        answer["SequenceNumber"] = fifo.sequence_number(seq)
    return answer


def _send_to_standard(tx: Tx, queue: Queue, draft: Draft, now: float) -> tuple[str, int]:
    delay = queue.number("DelaySeconds") if draft.delay is None else draft.delay
    message = Message(0, draft.id, draft.body, pack(draft.envelope), sent=now, visible=now + delay)
    tx.notify(queue.channel)
    return draft.id, rows.insert(tx, message, queue=queue.key)


def _send_to_fifo(tx: Tx, queue: Queue, draft: Draft, now: float) -> tuple[str, int]:
    """Id and seq of the message, or of the one in the last five minutes that it is a duplicate of."""
    assert draft.group is not None
    if draft.delay:
        raise wrong_queue_type(draft.delay, "DelaySeconds")
    deduplication = fifo.deduplication_id(queue, draft.deduplication, draft.body)
    scope = fifo.deduplication_scope(queue, draft.group)
    if known := rows.recall(tx, queue.key, scope, deduplication, now):
        id_, seq = orjson.loads(known)
        return id_, seq
    visible = fifo.visible_when_sent(tx, queue, draft.group, now)
    packed = pack(dataclasses.replace(draft.envelope, deduplication=deduplication))
    message = Message(0, draft.id, draft.body, packed, sent=now, visible=visible, group_id=draft.group)
    seq = rows.insert(tx, message, queue=queue.key)
    expires = now + fifo.DEDUPLICATION_SECONDS
    rows.remember(
        tx, queue.key, scope, deduplication, orjson.dumps([draft.id, seq]), now=now, expires=expires
    )
    tx.notify(queue.channel)
    return draft.id, seq
