"""How many messages queues have."""

from typing import NamedTuple

from passrole.services.sqs import rows
from passrole.services.sqs.records import QUEUES, Queue
from passrole.store import Tx


class Depth(NamedTuple):
    """Messages that can be received or wait behind another one, that were received, and that are delayed."""

    visible: int
    in_flight: int
    delayed: int


def depth_of(tx: Tx, queue: Queue, now: float) -> Depth:
    """The messages of a queue, without expired ones."""
    sent_before = now - queue.number("MessageRetentionPeriod")
    delayed_after = now - queue.number("DelaySeconds")
    return Depth(*rows.counts(tx, queue.key, now, sent_before, delayed_after))


def depths(tx: Tx, now: float) -> tuple[int, Depth]:
    """How many queues there are, and the messages of all together."""
    found = [depth_of(tx, queue, now) for _, queue in QUEUES.all(tx)]
    return len(found), Depth(*(sum(each) for each in zip(*found, strict=True))) if found else Depth(0, 0, 0)
