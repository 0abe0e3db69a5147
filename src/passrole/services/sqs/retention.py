"""Deletes expired messages, deduplication entries and old deletions; worker/housekeeping.py calls it.

A receive deletes the expired messages that it meets; this is for queues from which nobody receives.
"""

import functools

from passrole.clock import Clock
from passrole.services.sqs import fifo, rows
from passrole.services.sqs.queues import NAME_REUSE_SECONDS
from passrole.services.sqs.records import DELETED_QUEUES, QUEUES, Queue
from passrole.store import Store, Tx


async def sweep(store: Store, clock: Clock) -> int:
    """Delete expired messages of all queues, a transaction each; how many there were."""
    queues = await store.read(lambda tx: [queue for _, queue in QUEUES.all(tx)])
    now = clock()
    removed = 0
    for queue in queues:
        removed += await store.write(functools.partial(_expire, queue=queue, now=now))
    await store.write(lambda tx: _forget(tx, now))
    return removed


async def correct_future_times(store: Store, clock: Clock) -> None:
    """At a start: correct times of messages that lie in the future because the clock was set back.

    Such a message counts as sent now, and is receivable as much earlier as the clock was ahead. Of several
    servers' clocks nobody knows which is right: messages that others have received stay theirs.
    """
    if not store.share.is_whole:
        return
    now = clock()

    def shift(tx: Tx) -> None:
        ahead = rows.sent_last(tx) - now
        if ahead > 0:
            rows.shift_times(tx, now, ahead)

    await store.write(shift)


def _expire(tx: Tx, queue: Queue, now: float) -> int:
    if queue.fifo:
        return fifo.expire(tx, queue, now)
    return rows.delete_expired(tx, queue.key, now - queue.number("MessageRetentionPeriod"))


def _forget(tx: Tx, now: float) -> None:
    rows.forget(tx, now)
    for key, deleted in DELETED_QUEUES.all(tx):
        if deleted.deleted + NAME_REUSE_SECONDS <= now:
            DELETED_QUEUES.delete(tx, key)
