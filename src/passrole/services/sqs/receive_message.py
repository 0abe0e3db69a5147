"""ReceiveMessage: short and long polling.

An empty queue is only read. A long poll waits for a notice on the queue's channel, and no longer than until
the next message in flight or delayed becomes receivable.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.sqs import content, fifo, kms_keys, receipts, records, rows
from passrole.services.sqs.attributes import VISIBILITY_SECONDS_MAX, WAIT_SECONDS_MAX
from passrole.services.sqs.digests import attributes_digest
from passrole.services.sqs.envelope import MessageEnvelope, selected_attributes, unpack
from passrole.services.sqs.message_selection import select_messages
from passrole.services.sqs.receipts import Receipt
from passrole.services.sqs.records import Queue, queue_arn, queue_policy
from passrole.services.sqs.refusals import check_range, unknown_attribute, wrong_queue_type
from passrole.services.sqs.rows import Message
from passrole.store import Tx

LONG_POLL_SECONDS_MIN = 0.001  # clocks are coarse: never spin on a moment that is nearly now
SYSTEM_ATTRIBUTES = frozenset(
    {
        "All",
        "ApproximateFirstReceiveTimestamp",
        "ApproximateReceiveCount",
        "AWSTraceHeader",
        "DeadLetterQueueSourceArn",
        "MessageDeduplicationId",
        "MessageGroupId",
        "SenderId",
        "SentTimestamp",
        "SequenceNumber",
    }
)


@dataclass(frozen=True)
class ReceiveRequest:
    """The parameters of a call, checked; `visibility` is None where the queue's timeout counts."""

    limit: int
    visibility: int | None
    attempt_id: str | None
    system_names: frozenset[str]
    names: Sequence[str]


@operation("sqs:ReceiveMessage", resource=queue_arn, resource_policy=queue_policy)
async def receive_message(
    ctx: Context,
    *,
    queue_url: str,
    attribute_names: Sequence[str] = (),
    message_system_attribute_names: Sequence[str] = (),
    message_attribute_names: Sequence[str] = (),
    max_number_of_messages: int | None = None,
    visibility_timeout: int | None = None,
    wait_time_seconds: int | None = None,
    receive_request_attempt_id: str | None = None,
) -> dict[str, Any]:
    """Take up to ten messages, waiting up to twenty seconds for the first."""
    key = records.key(ctx, queue_url)
    _check_ranges(max_number_of_messages, visibility_timeout, wait_time_seconds)
    content.check_id(receive_request_attempt_id, "ReceiveRequestAttemptId")
    request = ReceiveRequest(
        limit=1 if max_number_of_messages is None else max_number_of_messages,
        visibility=visibility_timeout,
        attempt_id=receive_request_attempt_id,
        system_names=_system_names(attribute_names, message_system_attribute_names),
        names=message_attribute_names or (),
    )
    queue, due = await ctx.store.read(lambda tx: _queue_and_next_due(tx, key))
    if request.attempt_id is not None and not queue.fifo:
        raise wrong_queue_type(request.attempt_id, "ReceiveRequestAttemptId")
    await kms_keys.check_receive(ctx, queue)
    wait = queue.number("ReceiveMessageWaitTimeSeconds") if wait_time_seconds is None else wait_time_seconds
    messages = await _receive(ctx, queue, due, request)
    if not messages and wait:
        messages = await _long_poll(ctx, queue, request, wait)
    return {"Messages": messages} if messages else {}


def _check_ranges(limit: int | None, visibility: int | None, wait: int | None) -> None:
    check_range(limit, "MaxNumberOfMessages", 1, fifo.BATCH_MAX, "Must be between 1 and 10, if provided.")
    reason = f"Must be >= 0 and <= {VISIBILITY_SECONDS_MAX}, if provided."
    check_range(visibility, "VisibilityTimeout", 0, VISIBILITY_SECONDS_MAX, reason)
    reason = f"Must be >= 0 and <= {WAIT_SECONDS_MAX}, if provided."
    check_range(wait, "WaitTimeSeconds", 0, WAIT_SECONDS_MAX, reason)


def _system_names(*lists: Sequence[str] | None) -> frozenset[str]:
    names = frozenset(name for names in lists for name in names or ())
    for name in names - SYSTEM_ATTRIBUTES:
        raise unknown_attribute(name)
    return names


async def _long_poll(
    ctx: Context, queue: Queue, request: ReceiveRequest, seconds: int
) -> list[dict[str, Any]]:
    """Messages as soon as there are some; none after `seconds`, or once the caller has hung up."""
    loop = asyncio.get_running_loop()
    look = partial(_queue_and_next_due, key=queue.key)
    deadline = loop.time() + seconds
    message_arrived = asyncio.Event()
    unsubscribe = ctx.store.listen(queue.channel, lambda _: message_arrived.set())
    caller_gone = asyncio.ensure_future(ctx.hung_up()) if ctx.hung_up else loop.create_future()
    caller_gone.add_done_callback(lambda _: message_arrived.set())
    try:
        while not caller_gone.done():
            message_arrived.clear()
            found, due = await ctx.store.read(look)
            if found.data_key != queue.data_key:  # the first message under a key came meanwhile
                await kms_keys.check_receive(ctx, found)
                queue = found
            messages = await _receive(ctx, queue, due, request)
            left = deadline - loop.time()
            if messages or left <= 0:
                return messages
            wait_seconds = left if due is None else min(left, max(due - ctx.clock(), LONG_POLL_SECONDS_MIN))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_seconds):
                    await message_arrived.wait()
        return []
    finally:
        unsubscribe()
        caller_gone.cancel()


async def _receive(
    ctx: Context, queue: Queue, due: float | None, request: ReceiveRequest
) -> list[dict[str, Any]]:
    """Messages that are receivable now. Before `due`, when the next one is, nothing is written."""
    now = ctx.clock()
    if request.attempt_id is None and (due is None or due > now):
        return []
    return await ctx.store.write(lambda tx: _select(tx, queue.key, request, now))


def _queue_and_next_due(tx: Tx, key: str) -> tuple[Queue, float | None]:
    """The queue, and when its next message is receivable. Raises QueueDoesNotExist."""
    queue = records.existing(tx, key)
    return queue, fifo.next_due(tx, queue) if queue.fifo else rows.next_visible(tx, key)


def _select(tx: Tx, key: str, request: ReceiveRequest, now: float) -> list[dict[str, Any]]:
    queue = records.existing(tx, key)
    visibility = queue.number("VisibilityTimeout") if request.visibility is None else request.visibility
    messages = select_messages(tx, queue, now, request.limit, visibility, request.attempt_id)
    return [_response_member(queue, message, request, now) for message in messages]


def _response_member(queue: Queue, message: Message, request: ReceiveRequest, now: float) -> dict[str, Any]:
    """A message in the response, with the attributes that were requested."""
    envelope = unpack(message.envelope)
    receipt = Receipt(message.seq, message.id, message.received, now)
    member: dict[str, Any] = {
        "MessageId": message.id,
        "ReceiptHandle": receipts.encode(queue.key, receipt),
        "MD5OfBody": envelope.digest,
        "Body": message.body,
    }
    if request.system_names and (system := _system(message, envelope, request.system_names)):
        member["Attributes"] = system
    if request.names and (attributes := selected_attributes(envelope.attributes, request.names)):
        member["MessageAttributes"] = attributes
        member["MD5OfMessageAttributes"] = attributes_digest(attributes)
    return member


def _system(message: Message, envelope: MessageEnvelope, names: frozenset[str]) -> dict[str, str]:
    """The message system attributes, as text; times in milliseconds."""
    values = {
        "SenderId": envelope.sender,
        "SentTimestamp": str(int(message.sent * 1_000)),
        "ApproximateReceiveCount": str(message.received),
        "ApproximateFirstReceiveTimestamp": str(int((message.first or 0) * 1_000)),
        "SequenceNumber": fifo.sequence_number(message.seq) if message.group_id is not None else None,
        "MessageDeduplicationId": envelope.deduplication,
        "MessageGroupId": envelope.group,
        "DeadLetterQueueSourceArn": envelope.source,
        "AWSTraceHeader": envelope.system["AWSTraceHeader"]["StringValue"] if envelope.system else None,
    }
    everything = "All" in names
    return {name: value for name, value in values.items() if value and (everything or name in names)}
