"""ReceiveMessage: what a queue gives, and how a call waits for it without looking again and again.

An empty queue is only read. Who waits is woken by a notice on the queue's channel, and sleeps no longer
than until the next message in flight or delayed becomes receivable.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.sqs import content, fifo, receipts, records, rows
from passrole.services.sqs.attributes import VISIBILITY_SECONDS_MAX, WAIT_SECONDS_MAX
from passrole.services.sqs.digests import attributes_digest
from passrole.services.sqs.envelope import About, chosen, unpack
from passrole.services.sqs.message_selection import pick
from passrole.services.sqs.receipts import Receipt
from passrole.services.sqs.records import Queue, queue_arn, queue_policy
from passrole.services.sqs.refusals import check_range, unknown_attribute, wrong_queue_type
from passrole.services.sqs.rows import Message
from passrole.store import Tx

NAP_SECONDS_MIN = 0.001  # clocks are coarse: never spin on a moment that is as good as now
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
class Wish:
    """What a receiver asks for; `visibility` is None where the queue's holds."""

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
    wish = Wish(
        limit=1 if max_number_of_messages is None else max_number_of_messages,
        visibility=visibility_timeout,
        attempt_id=receive_request_attempt_id,
        system_names=_system_names(attribute_names, message_system_attribute_names),
        names=message_attribute_names or (),
    )
    queue, due = await ctx.store.read(lambda tx: _look(tx, key))
    if wish.attempt_id is not None and not queue.fifo:
        raise wrong_queue_type(wish.attempt_id, "ReceiveRequestAttemptId")
    wait = queue.number("ReceiveMessageWaitTimeSeconds") if wait_time_seconds is None else wait_time_seconds
    messages = await _received(ctx, queue, due, wish)
    if not messages and wait:
        messages = await _waited_for(ctx, queue, wish, wait)
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


async def _waited_for(ctx: Context, queue: Queue, wish: Wish, seconds: int) -> list[dict[str, Any]]:
    """Messages as soon as there are some, or none after `seconds`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    woken = asyncio.Event()
    stop = ctx.store.listen(queue.channel, lambda _: woken.set())
    gone = asyncio.ensure_future(ctx.hung_up()) if ctx.hung_up else loop.create_future()
    gone.add_done_callback(lambda _: woken.set())
    try:
        while not gone.done():  # a client that has gone takes no message
            woken.clear()
            _, due = await ctx.store.read(lambda tx: _look(tx, queue.key))
            messages = await _received(ctx, queue, due, wish)
            left = deadline - loop.time()
            if messages or left <= 0:
                return messages
            nap = left if due is None else min(left, max(due - ctx.clock(), NAP_SECONDS_MIN))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(nap):
                    await woken.wait()
        return []
    finally:
        stop()
        gone.cancel()


async def _received(ctx: Context, queue: Queue, due: float | None, wish: Wish) -> list[dict[str, Any]]:
    """What there is now; `due` is when the next message is receivable, and until then nothing is written."""
    now = ctx.clock()
    if wish.attempt_id is None and (due is None or due > now):
        return []
    return await ctx.store.write(lambda tx: _picked(tx, queue.key, wish, now))


def _look(tx: Tx, key: str) -> tuple[Queue, float | None]:
    """The queue and when its next message is receivable. Raises Fault where the queue is gone."""
    queue = records.existing(tx, key)
    return queue, fifo.next_due(tx, queue) if queue.fifo else rows.next_visible(tx, key)


def _picked(tx: Tx, key: str, wish: Wish, now: float) -> list[dict[str, Any]]:
    queue = records.existing(tx, key)
    visibility = queue.number("VisibilityTimeout") if wish.visibility is None else wish.visibility
    messages = pick(tx, queue, now, wish.limit, visibility, wish.attempt_id)
    return [_shown(queue, message, wish, now) for message in messages]


def _shown(queue: Queue, message: Message, wish: Wish, now: float) -> dict[str, Any]:
    """A message as AWS shows it, with no more attributes than were asked for."""
    about = unpack(message.about)
    receipt = Receipt(message.seq, message.id, message.received, now)
    shown: dict[str, Any] = {
        "MessageId": message.id,
        "ReceiptHandle": receipts.encode(queue.key, receipt),
        "MD5OfBody": about.digest,
        "Body": message.body,
    }
    if wish.system_names and (system := _system(message, about, wish.system_names)):
        shown["Attributes"] = system
    if wish.names and (attributes := chosen(about.attributes, wish.names)):
        shown["MessageAttributes"] = attributes
        shown["MD5OfMessageAttributes"] = attributes_digest(attributes)
    return shown


def _system(message: Message, about: About, names: frozenset[str]) -> dict[str, str]:
    """The message system attributes, as text; times in milliseconds."""
    values = {
        "SenderId": about.sender,
        "SentTimestamp": str(int(message.sent * 1_000)),
        "ApproximateReceiveCount": str(message.received),
        "ApproximateFirstReceiveTimestamp": str(int((message.first or 0) * 1_000)),
        "SequenceNumber": fifo.sequence_number(message.seq) if message.group_id is not None else None,
        "MessageDeduplicationId": about.deduplication,
        "MessageGroupId": about.group,
        "DeadLetterQueueSourceArn": about.source,
        "AWSTraceHeader": about.system["AWSTraceHeader"]["StringValue"] if about.system else None,
    }
    everything = "All" in names
    return {name: value for name, value in values.items() if value and (everything or name in names)}
