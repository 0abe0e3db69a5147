"""Order within a group, and five minutes of memory: what makes a FIFO queue one.

Rules, of the developer guide's pages on FIFO queues:
- messages of a group are received in the order in which they were sent;
- while any message of a group is in flight, or its first is still delayed, none of the group is given;
- one receive may take several messages of a group, always the first ones;
- a deduplication id counts for five minutes after the send that it let through, even if that message
  is deleted.

From these follows what `turn` relies on: the messages in flight of a group are among its first ten,
because they were taken together (ten is the most that one receive gives) from the front.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from passrole.services.sqs import rows
from passrole.services.sqs.refusals import invalid
from passrole.services.sqs.registry import Queue
from passrole.services.sqs.rows import BEHIND, Message
from passrole.store import Tx

DEDUPLICATION_SECONDS = 300
BATCH_MAX = 10
_SEQUENCE_START = 18_850_000_000_000_000_000  # AWS's sequence numbers have twenty digits


@dataclass(frozen=True)
class Turn:
    """What a group gives now: the expired and the due at its front, or nothing while it is blocked."""

    expired: tuple[Message, ...] = ()
    due: tuple[Message, ...] = ()


def turn(front: Sequence[Message], now: float, delay: float, retention: float) -> Turn:
    """What may be taken from the front of a group. `delay` and `retention` are seconds after sending."""
    expired = tuple(message for message in front if message.sent + retention <= now)
    alive = [message for message in front if message.sent + retention > now]
    if any(now < message.visible < BEHIND for message in alive):
        return Turn(expired)
    due: list[Message] = []
    for message in alive:
        if message.received == 0 and message.sent + delay > now:
            break
        due.append(message)
    return Turn(expired, tuple(due))


def sequence_number(seq: int) -> str:
    """Twenty digits that grow with every message sent."""
    return str(_SEQUENCE_START + seq)


def deduplication_id(queue: Queue, given: str | None, body: str) -> str:
    """The id that the send is known by. Raises Fault where there is none."""
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


def promote(tx: Tx, queue: Queue, group: str) -> None:
    """A message of the group is gone: if all others wait behind it, the first of them is next."""
    front = rows.group_front(tx, queue.key, group, BATCH_MAX)
    if front and all(message.visible >= BEHIND for message in front):
        first = front[0]
        delay = 0 if first.received else queue.number("DelaySeconds")
        rows.hide(tx, first.seq, first.sent + delay)
        tx.notify(queue.channel)
