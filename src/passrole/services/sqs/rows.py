"""The SQL of messages and of deduplication entries.

A message is receivable from `visible` on. Receiving it moves `visible` to the end of its visibility
timeout and counts `received` up. So "in flight" is a row whose time has not come, and after a crash every
message becomes receivable again. Of a FIFO queue, a message that waits for an earlier one of
its group has `visible` at BEHIND: the index over `visible` has one candidate a group, and not the many that
wait behind a message in flight (see fifo.py).
"""

from collections.abc import Iterable
from typing import NamedTuple

from passrole.store import Tx

BEHIND = 1e15  # epoch seconds that never come
FRONT = 1_000  # rows that one search for expired messages reads


class Message(NamedTuple):
    """A row. `envelope` is what envelope.py packs; `group_id` is None outside FIFO queues."""

    seq: int
    id: str
    body: str
    envelope: bytes
    sent: float
    visible: float
    received: int = 0
    first: float | None = None
    group_id: str | None = None


_COLUMNS = "seq, id, body, envelope, sent, visible, received, first, group_id"
_INSERT = (
    "INSERT INTO messages (queue, id, body, envelope, sent, visible, received, first, group_id)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq"
)
_SELECT = f"SELECT {_COLUMNS} FROM messages"  # noqa: S608


def insert(tx: Tx, message: Message, *, queue: str) -> int:
    """Add a message; the seq that it gets. Its `seq` field is not used."""
    row = tx.one(_INSERT, queue, *message[1:])
    assert row is not None
    return int(row[0])


def next_visible(tx: Tx, queue: str) -> float | None:
    """When the queue's next message becomes, or became, receivable; None where there is none."""
    row = tx.one("SELECT visible FROM messages WHERE queue = ? ORDER BY visible LIMIT 1", queue)
    return None if row is None or row[0] >= BEHIND else row[0]


def receivable(tx: Tx, queue: str, now: float, limit: int) -> list[Message]:
    """Messages that are receivable, the longest first."""
    rows = tx.all(
        f"{_SELECT} WHERE queue = ? AND visible <= ? ORDER BY visible, sent, seq LIMIT ?", queue, now, limit
    )
    return [Message(*row) for row in rows]


def group_front(tx: Tx, queue: str, group: str, limit: int) -> list[Message]:
    """The first messages of a group in the order of sending."""
    rows = tx.all(f"{_SELECT} WHERE queue = ? AND group_id = ? ORDER BY seq LIMIT ?", queue, group, limit)
    return [Message(*row) for row in rows]


def find(tx: Tx, queue: str, seq: int, id_: str) -> Message | None:
    """The message that a receipt is for, if it is still in the queue."""
    row = tx.one(f"{_SELECT} WHERE seq = ? AND queue = ? AND id = ?", seq, queue, id_)
    return Message(*row) if row else None


def by_seqs(tx: Tx, queue: str, seqs: Iterable[int]) -> list[Message]:
    """The messages that are still in the queue, in the order given."""
    found = (tx.one(f"{_SELECT} WHERE seq = ? AND queue = ?", seq, queue) for seq in seqs)
    return [Message(*row) for row in found if row]


def take(tx: Tx, seqs: Iterable[int], now: float, until: float) -> None:
    """Count one more receive of each and hide them."""
    tx.run_many(
        "UPDATE messages SET visible = ?, received = received + 1, first = COALESCE(first, ?) WHERE seq = ?",
        [(until, now, seq) for seq in seqs],
    )


def hide(tx: Tx, seq: int, until: float) -> None:
    """Set when the message is receivable."""
    tx.run("UPDATE messages SET visible = ? WHERE seq = ?", until, seq)


def delete(tx: Tx, seqs: Iterable[int]) -> None:
    """Remove messages."""
    tx.run_many("DELETE FROM messages WHERE seq = ?", [(seq,) for seq in seqs])


def delete_received(tx: Tx, queue: str, seq: int, id_: str, count: int) -> bool:
    """Remove the message unless it has been received again since; whether it was removed."""
    sql = "DELETE FROM messages WHERE seq = ? AND queue = ? AND id = ? AND received = ?"
    return tx.run(sql, seq, queue, id_, count) == 1


def delete_expired_front(tx: Tx, queue: str, now: float, sent_before: float) -> int:
    """Delete expired messages among the FRONT that would be received next; how many there were."""
    return tx.run(
        "DELETE FROM messages WHERE seq IN (SELECT seq FROM (SELECT seq, sent FROM messages"
        " WHERE queue = ? AND visible <= ? ORDER BY visible, sent LIMIT ?) AS front WHERE sent <= ?)",
        queue, now, FRONT, sent_before,
    )  # fmt: skip


def delete_expired(tx: Tx, queue: str, sent_before: float) -> int:
    """Remove every expired message of a queue."""
    return tx.run("DELETE FROM messages WHERE queue = ? AND sent <= ?", queue, sent_before)


def delete_expired_of_groups(tx: Tx, queue: str, sent_before: float) -> list[str]:
    """Remove every expired message of a FIFO queue; the group of each."""
    sql = "DELETE FROM messages WHERE queue = ? AND group_id IS NOT NULL AND sent <= ? RETURNING group_id"
    return [row[0] for row in tx.all(sql, queue, sent_before)]


def sent_last(tx: Tx) -> float:
    """When the newest message of all queues was sent."""
    row = tx.one("SELECT sent FROM messages ORDER BY seq DESC LIMIT 1")
    return row[0] if row else 0.0


def shift_times(tx: Tx, now: float, seconds: float) -> None:
    """Move every time in the future back by `seconds`, but not before now."""
    tx.run("UPDATE messages SET sent = ? WHERE sent > ?", now, now)
    sql = "UPDATE messages SET visible = MAX(?, visible - ?) WHERE visible > ? AND visible < ?"
    tx.run(sql, now, seconds, now, BEHIND)


def delete_all(tx: Tx, queue: str) -> None:
    """Delete every message of a queue and its deduplication entries."""
    tx.run("DELETE FROM messages WHERE queue = ?", queue)
    tx.run("DELETE FROM deduplications WHERE queue = ?", queue)


def oldest_of_groups(tx: Tx, queue: str) -> float | None:
    """When the oldest message of a FIFO queue was sent, if it has any."""
    sql = "SELECT sent FROM messages WHERE queue = ? AND group_id IS NOT NULL ORDER BY sent LIMIT 1"
    row = tx.one(sql, queue)
    return row[0] if row else None


def delay_groups(tx: Tx, queue: str, seconds: int) -> None:
    """Delay the first messages of groups, unless they were received, until `seconds` after they were sent."""
    sql = (
        "UPDATE messages SET visible = sent + ?"
        " WHERE queue = ? AND group_id IS NOT NULL AND received = 0 AND visible < ?"
    )
    tx.run(sql, seconds, queue, BEHIND)


def group_is_empty(tx: Tx, queue: str, group: str) -> bool:
    """Whether no message of the group is in the queue."""
    sql = "SELECT 1 FROM messages WHERE queue = ? AND group_id = ? LIMIT 1"
    return tx.one(sql, queue, group) is None


def put_behind(tx: Tx, queue: str, group: str, now: float) -> None:
    """Set `visible` of the group's receivable messages to BEHIND."""
    sql = "UPDATE messages SET visible = ? WHERE queue = ? AND group_id = ? AND visible <= ?"
    tx.run(sql, BEHIND, queue, group, now)


def counts(tx: Tx, queue: str, now: float, sent_before: float, delayed_after: float) -> tuple[int, int, int]:
    """How many messages are receivable or behind another, in flight, and delayed; without expired ones.

    `delayed_after`: messages of FIFO queues that were sent later are delayed, also those behind others.
    """
    row = tx.one(
        "SELECT COUNT(*), COUNT(CASE WHEN received > 0 THEN 1 END) FROM messages"
        " WHERE queue = ? AND visible > ? AND visible < ? AND sent > ?"
        " AND (received > 0 OR group_id IS NULL)",
        queue, now, BEHIND, sent_before,
    )  # fmt: skip
    behind = tx.one(
        "SELECT COUNT(*) FROM messages"
        " WHERE queue = ? AND group_id IS NOT NULL AND received = 0 AND sent > ?",
        queue, max(sent_before, delayed_after),
    )  # fmt: skip
    total = tx.one("SELECT COUNT(*) FROM messages WHERE queue = ? AND sent > ?", queue, sent_before)
    assert row is not None
    assert behind is not None
    assert total is not None
    hidden, in_flight = row
    delayed = hidden - in_flight + behind[0]
    return total[0] - in_flight - delayed, in_flight, delayed


def recall(tx: Tx, queue: str, scope: str, key: str, now: float) -> bytes | None:
    """The answer that is remembered under a key, unless it has expired."""
    row = tx.one(
        "SELECT answer FROM deduplications WHERE queue = ? AND scope = ? AND dedup = ? AND expires > ?",
        queue, scope, key, now,
    )  # fmt: skip
    return row[0] if row else None


def remember(tx: Tx, queue: str, scope: str, key: str, answer: bytes, *, now: float, expires: float) -> None:
    """Remember an answer. Two expired entries are deleted for each new one, which keeps the table small."""
    tx.run(
        "DELETE FROM deduplications WHERE (queue, scope, dedup) IN"
        " (SELECT queue, scope, dedup FROM deduplications WHERE expires <= ? ORDER BY expires LIMIT 2)",
        now,
    )
    tx.run(
        "INSERT INTO deduplications (queue, scope, dedup, answer, expires) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (queue, scope, dedup) DO UPDATE"
        " SET answer = excluded.answer, expires = excluded.expires",
        queue, scope, key, answer, expires,
    )  # fmt: skip


def forget(tx: Tx, now: float) -> None:
    """Delete expired entries."""
    tx.run("DELETE FROM deduplications WHERE expires <= ?", now)
