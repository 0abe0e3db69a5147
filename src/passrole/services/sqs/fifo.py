"""FIFO queues: order within a message group, and deduplication for five minutes.

Rules, of the developer guide's pages on FIFO queues and of what AWS was seen to do:
- messages of a group are received in the order in which they were sent;
- a message in flight blocks those after it; those before it, which were given back, are given again;
- a message that is still delayed blocks those after it; the queue's delay counts for messages that are there
  (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html);
- one receive may take several messages of a group, always the first ones;
- a deduplication id counts for five minutes after the send that it let through, even if that message
  is deleted.

What `visible` of the first message of a group says is when the group gives something: whoever removes a first
message promotes the next one. The messages in flight of a group are among its first ten, because they were
taken from the front and ten is the most that one receive gives.
"""

import hashlib
from collections.abc import Sequence

from passrole.services.sqs import rows
from passrole.services.sqs.records import Queue
from passrole.services.sqs.refusals import invalid
from passrole.services.sqs.rows import BEHIND, Message
from passrole.store import Tx

DEDUPLICATION_SECONDS = 300
BATCH_MAX = 10
_SEQUENCE_START = 18_850_000_000_000_000_000  # AWS's sequence numbers have twenty digits


def due(front: Sequence[Message], now: float, delay: float) -> list[Message]:
    """What may be taken from the front of a group: all before the first in flight or delayed (in seconds)."""
    found: list[Message] = []
    for message in front:
        if now < message.visible < BEHIND or (message.received == 0 and message.sent + delay > now):
            break
        found.append(message)
    return found


def sequence_number(seq: int) -> str:
    """Twenty digits that grow with every message sent."""
    return str(_SEQUENCE_START + seq)


def deduplication_id(queue: Queue, given: str | None, body: str) -> str:
    """The given id, or the hash of the body. Raises InvalidParameterValue where there is neither."""
    if given is not None:
        return given
    if queue.attributes.get("ContentBasedDeduplication") == "true":
        return hashlib.sha256(body.encode()).hexdigest()
    raise invalid(
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId"
        " provided explicitly"
    )


def deduplication_scope(queue: Queue, group: str) -> str:
    """Among which messages a deduplication id is unique: all, or those of the group."""
    return group if queue.attributes.get("DeduplicationScope") == "messageGroup" else ""


def visible_when_sent(tx: Tx, queue: Queue, group: str, now: float) -> float:
    """When a message that is now added to the group is receivable."""
    if rows.group_is_empty(tx, queue.key, group):
        return now + queue.number("DelaySeconds")
    return BEHIND


def next_due(tx: Tx, queue: Queue) -> float | None:
    """When the queue may next give something: a message becomes visible, or expires and frees its group."""
    visible = rows.next_visible(tx, queue.key)
    oldest = rows.oldest_of_groups(tx, queue.key)
    if visible is None or oldest is None:
        return visible
    return min(visible, oldest + queue.number("MessageRetentionPeriod"))


def expire(tx: Tx, queue: Queue, now: float) -> int:
    """Remove the messages whose retention is over, in flight or not; how many there were."""
    groups = rows.delete_expired_of_groups(tx, queue.key, now - queue.number("MessageRetentionPeriod"))
    for group in dict.fromkeys(groups):
        promote(tx, queue, group)
    return len(groups)


def promote(tx: Tx, queue: Queue, group: str) -> None:
    """A message of the group is gone: if the first one waits behind it, it is next."""
    for first in rows.group_front(tx, queue.key, group, 1):
        if first.visible >= BEHIND:
            delay = 0 if first.received else queue.number("DelaySeconds")
            rows.hide(tx, first.seq, first.sent + delay)
            tx.notify(queue.channel)
