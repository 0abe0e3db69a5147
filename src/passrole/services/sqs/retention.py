"""Deletes expired messages, deduplication entries and tombstones; worker/housekeeping.py calls it.

Receiving drops expired messages by itself; this is for the queues from which nobody receives.
"""

import functools

from passrole.clock import Clock
from passrole.services.sqs import fifo, rows
from passrole.services.sqs.queues import PAUSE_SECONDS
from passrole.services.sqs.records import QUEUES, TOMBSTONES, Queue
from passrole.store import Store, Tx


async def sweep(store: Store, clock: Clock) -> int:
    """Remove expired messages of all queues, a transaction each; how many there were."""
    queues = await store.read(lambda tx: [queue for _, queue in QUEUES.all(tx)])
    now = clock()
    removed = 0
    for queue in queues:
        removed += await store.write(functools.partial(_expire, queue=queue, now=now))
    await store.write(lambda tx: _forget(tx, now))
    return removed


async def put_right(store: Store, clock: Clock) -> None:
    """At a start: bring back what was sent in the future, for the clock was set back since.

    A message counts as sent now, and what is hidden or delayed comes as much earlier as the clock was ahead.
    """
    now = clock()

    def shift(tx: Tx) -> None:
        ahead = rows.sent_last(tx) - now
        if ahead > 0:
            rows.bring_back(tx, now, ahead)

    await store.write(shift)


def _expire(tx: Tx, queue: Queue, now: float) -> int:
    if queue.fifo:
        return fifo.expire(tx, queue, now)
    return rows.delete_expired(tx, queue.key, now - queue.number("MessageRetentionPeriod"))


def _forget(tx: Tx, now: float) -> None:
    rows.forget(tx, now)
    for key, tombstone in TOMBSTONES.all(tx):
        if tombstone.deleted + PAUSE_SECONDS <= now:
            TOMBSTONES.delete(tx, key)
