"""Which messages a receive gets, in one transaction.

On the way expired messages are deleted, and those received too often move to the dead-letter queue.
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


def select_messages(
    tx: Tx, queue: Queue, now: float, limit: int, visibility: int, attempt: str | None
) -> list[Message]:
    """Take up to `limit` messages and hide them for `visibility` seconds; the rows as they are then.

    An `attempt` (ReceiveRequestAttemptId) that is repeated within five minutes gets the same messages again,
    unless one of them was deleted, received again or made visible in between.
    """
    if queue.fifo:
        fifo.expire(tx, queue, now)
    if attempt is None:
        return _take(tx, queue, now, limit, visibility)
    replayed = _replay_attempt(tx, queue, attempt, now, visibility)
    if replayed:
        return _remember_attempt(tx, queue, attempt, replayed, now)
    return _remember_attempt(tx, queue, attempt, _take(tx, queue, now, limit, visibility), now)


def _replay_attempt(tx: Tx, queue: Queue, attempt: str, now: float, visibility: int) -> list[Message]:
    """The messages of an earlier attempt, hidden anew; none where one of them is not as it was."""
    known = rows.recall(tx, queue.key, _ATTEMPTS, attempt, now)
    given = {seq: (count, visible) for seq, count, visible in orjson.loads(known)} if known else {}
    found = rows.by_seqs(tx, queue.key, given)
    if not given or {m.seq: (m.received, m.visible) for m in found} != given or found[0].visible <= now:
        return []
    for message in found:
        rows.hide(tx, message.seq, now + visibility)
    return [message._replace(visible=now + visibility) for message in found]


def _take(tx: Tx, queue: Queue, now: float, limit: int, visibility: int) -> list[Message]:
    selected = _from_groups(tx, queue, now, limit) if queue.fifo else _from_front(tx, queue, now, limit)
    until = now + visibility
    rows.take(tx, [message.seq for message in selected], now, until)
    return [
        message._replace(visible=until, received=message.received + 1, first=message.first or now)
        for message in selected
    ]


def _remember_attempt(
    tx: Tx, queue: Queue, attempt: str, selected: list[Message], now: float
) -> list[Message]:
    if selected:
        answer = orjson.dumps([[message.seq, message.received, message.visible] for message in selected])
        expires = now + fifo.DEDUPLICATION_SECONDS
        rows.remember(tx, queue.key, _ATTEMPTS, attempt, answer, now=now, expires=expires)
    return selected


def _from_front(tx: Tx, queue: Queue, now: float, limit: int) -> list[Message]:
    """Of a standard queue: the messages that have been receivable for longest."""
    sent_before = now - queue.number("MessageRetentionPeriod")
    dead_letters = _DeadLetters(tx, queue)
    while True:
        candidates = rows.receivable(tx, queue.key, now, limit)
        if any(message.sent <= sent_before for message in candidates):
            rows.delete_expired_front(tx, queue.key, now, sent_before)
        elif not dead_letters.moved(candidates, now):
            return candidates


def _from_groups(tx: Tx, queue: Queue, now: float, limit: int) -> list[Message]:
    """Of a FIFO queue: the front of each group that is due, the longest due first."""
    selected: list[Message] = []
    seen: set[str] = set()
    dead_letters = _DeadLetters(tx, queue)
    while len(selected) < limit:
        # a group has ten candidates at most, see fifo.py: these rows cover as many groups as can be of use
        candidates = rows.receivable(tx, queue.key, now, fifo.BATCH_MAX * limit)
        groups = dict.fromkeys(m.group_id for m in candidates if m.group_id is not None)
        fresh = [group for group in groups if group not in seen]
        if not fresh:
            break
        for group in fresh:
            seen.add(group)
            selected += _from_group(tx, queue, group, now, limit - len(selected), dead_letters)
            if len(selected) == limit:
                break
    return selected


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
        if not dead_letters.moved(due, now):
            return due


class _DeadLetters:
    """The dead-letter queue of a queue, if it has one."""

    def __init__(self, tx: Tx, queue: Queue) -> None:
        self._tx = tx
        self._source = queue.arn
        self._policy = None
        self._target: Queue | None = None
        if text := queue.attributes.get("RedrivePolicy"):
            self._policy = redrive.parse_policy(text)
            self._target = self._target_queue(self._policy.target, queue)

    def moved(self, messages: Sequence[Message], now: float) -> bool:
        """Move messages that have been received maxReceiveCount times; whether there were any."""
        if self._policy is None or self._target is None:
            return False
        dead = [message for message in messages if message.received >= self._policy.receives_max]
        for message in dead:
            self._move_to_dlq(self._target, message, now)
        return bool(dead)

    def _target_queue(self, arn: str, queue: Queue) -> Queue | None:
        """The dead-letter queue, unless it is gone, of the other type, or does not allow this source."""
        target = records.by_arn(self._tx, arn)
        if target is None or target.fifo != queue.fifo:
            return None
        return target if redrive.allows(target.attributes.get("RedriveAllowPolicy"), queue.arn) else None

    def _move_to_dlq(self, target: Queue, message: Message, now: float) -> None:
        """The message keeps its id and its count of receives, and in a standard queue also its age."""
        envelope = dataclasses.replace(unpack(message.envelope), source=self._source)
        sent, visible = message.sent, now
        if message.group_id is not None:
            sent = now
            visible = now if rows.group_is_empty(self._tx, target.key, message.group_id) else rows.BEHIND
        rows.delete(self._tx, [message.seq])
        rows.insert(
            self._tx, message._replace(envelope=pack(envelope), sent=sent, visible=visible), queue=target.key
        )
        self._tx.notify(target.channel)
