"""Which messages a receive gets, and what becomes of those that it may not get: one transaction.

The expired are removed, those received too often go to the dead-letter queue, the rest is taken.
"""

import dataclasses
from collections.abc import Sequence

import orjson

from passrole.services.sqs import fifo, records, redrive, rows
from passrole.services.sqs.envelope import pack, unpack
from passrole.services.sqs.records import Queue
from passrole.services.sqs.rows import Message
from passrole.store import Tx

_ATTEMPTS = "\n"  # among the scopes of deduplication: no group's id has a line break


def pick(tx: Tx, queue: Queue, now: float, limit: int, visibility: int, attempt: str | None) -> list[Message]:
    """Take up to `limit` messages and hide them for `visibility` seconds; the rows as they are then.

    An `attempt` that is repeated within five minutes gets what it got, hidden anew. Not if any of it was
    deleted, given again or changed in between: then it counts as a new one.
    """
    if queue.fifo:
        fifo.expire(tx, queue, now)
    if attempt is None:
        return _taken(tx, queue, now, limit, visibility)
    if known := rows.recall(tx, queue.key, _ATTEMPTS, attempt, now):
        given = {seq: (count, visible) for seq, count, visible in orjson.loads(known)}
        found = rows.by_seqs(tx, queue.key, given)
        if given and {m.seq: (m.received, m.visible) for m in found} == given and found[0].visible > now:
            for message in found:
                rows.hide(tx, message.seq, now + visibility)
            picked = [message._replace(visible=now + visibility) for message in found]
            return _remembered(tx, queue, attempt, picked, now)
    return _remembered(tx, queue, attempt, _taken(tx, queue, now, limit, visibility), now)


def _taken(tx: Tx, queue: Queue, now: float, limit: int, visibility: int) -> list[Message]:
    picked = _from_groups(tx, queue, now, limit) if queue.fifo else _from_front(tx, queue, now, limit)
    until = now + visibility
    rows.take(tx, [message.seq for message in picked], now, until)
    return [
        message._replace(visible=until, received=message.received + 1, first=message.first or now)
        for message in picked
    ]


def _remembered(tx: Tx, queue: Queue, attempt: str, picked: list[Message], now: float) -> list[Message]:
    if picked:
        answer = orjson.dumps([[message.seq, message.received, message.visible] for message in picked])
        expires = now + fifo.DEDUPLICATION_SECONDS
        rows.remember(tx, queue.key, _ATTEMPTS, attempt, answer, now=now, expires=expires)
    return picked


def _from_front(tx: Tx, queue: Queue, now: float, limit: int) -> list[Message]:
    """Of a standard queue: whatever has been receivable for longest."""
    sent_before = now - queue.number("MessageRetentionPeriod")
    dead_letters = _DeadLetters(tx, queue)
    while True:
        candidates = rows.receivable(tx, queue.key, now, limit)
        if any(message.sent <= sent_before for message in candidates):
            rows.delete_expired_front(tx, queue.key, now, sent_before)
        elif not dead_letters.taken(candidates, now):
            return candidates


def _from_groups(tx: Tx, queue: Queue, now: float, limit: int) -> list[Message]:
    """Of a FIFO queue: the front of each group that is due, the longest due first."""
    picked: list[Message] = []
    seen: set[str] = set()
    dead_letters = _DeadLetters(tx, queue)
    while len(picked) < limit:
        # a group has ten candidates at most, see fifo.py: these rows cover as many groups as can be of use
        candidates = rows.receivable(tx, queue.key, now, fifo.BATCH_MAX * limit)
        groups = dict.fromkeys(m.group_id for m in candidates if m.group_id is not None)
        fresh = [group for group in groups if group not in seen]
        if not fresh:
            break
        for group in fresh:
            seen.add(group)
            picked += _from_group(tx, queue, group, now, limit - len(picked), dead_letters)
            if len(picked) == limit:
                break
    return picked


def _from_group(
    tx: Tx, queue: Queue, group: str, now: float, limit: int, dead_letters: "_DeadLetters"
) -> list[Message]:
    delay = queue.number("DelaySeconds")
    while True:
        due = fifo.due(rows.group_front(tx, queue.key, group, fifo.BATCH_MAX), now, delay)[:limit]
        if not due:
            rows.put_behind(tx, queue.key, group, now)
            fifo.promote(tx, queue, group)
            return []
        if not dead_letters.taken(due, now):
            return due


class _DeadLetters:
    """Where the queue's dead letters go, if they go anywhere."""

    def __init__(self, tx: Tx, queue: Queue) -> None:
        self._tx = tx
        self._source = queue.arn
        self._policy = None
        self._target: Queue | None = None
        if text := queue.attributes.get("RedrivePolicy"):
            self._policy = redrive.parse_policy(text)
            self._target = self._found(self._policy.target, queue)

    def taken(self, messages: Sequence[Message], now: float) -> bool:
        """Move those that have been received often enough; whether there were any."""
        if self._policy is None or self._target is None:
            return False
        dead = [message for message in messages if message.received >= self._policy.receives_max]
        for message in dead:
            self._move(self._target, message, now)
        return bool(dead)

    def _found(self, arn: str, queue: Queue) -> Queue | None:
        """The dead-letter queue, unless it is gone, of the other type, or no longer takes our messages."""
        target = records.by_arn(self._tx, arn)
        if target is None or target.fifo != queue.fifo:
            return None
        return target if redrive.allows(target.attributes.get("RedriveAllowPolicy"), queue.arn) else None

    def _move(self, target: Queue, message: Message, now: float) -> None:
        """It keeps its id and its count of receives, and in a standard queue also its age."""
        about = dataclasses.replace(unpack(message.about), source=self._source)
        sent, visible = message.sent, now
        if message.group_id is not None:
            sent = now
            visible = now if rows.group_is_empty(self._tx, target.key, message.group_id) else rows.BEHIND
        rows.delete(self._tx, [message.seq])
        rows.insert(
            self._tx, message._replace(about=pack(about), sent=sent, visible=visible), queue=target.key
        )
        self._tx.notify(target.channel)
