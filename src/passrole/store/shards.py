"""Shards: what background work is divided into, so that several nodes share it, and who has which.

The shard of a task follows from its party, the first word of its key: an execution's ARN, or the whole key
where it has one word. A node borrows shards and does the tasks of these; where there is one server it has
all of them from the beginning, under the number 0. docs/decisions/0019-shards.md

A row says who has a shard, and nobody needs to believe its own memory: `tasks.take` reads the row with the
tasks, and whoever ends a task asks `is_borrowed` in the same transaction.
"""

from passrole.store.interface import Tx
from passrole.store.share import NOBODY, shard_of


def borrow(tx: Tx, shard: int, node: int) -> int:
    """Take a shard over from whoever has it; its fence, which grows each time.

    Killed before the commit: the one before has it. After: that one ends no task of it any more.
    """
    tx.run("UPDATE leases SET node = ?, fence = fence + 1, is_closing = 0 WHERE shard = ?", node, shard)
    row = tx.one("SELECT fence FROM leases WHERE shard = ?", shard)
    assert row is not None, "the schema has a row for each shard"
    fence: int = row[0]
    return fence


def close(tx: Tx, shard: int, node: int) -> bool:
    """Take no more tasks of a shard that the node has; whether it has it. Then it ends those in hand."""
    changed = tx.run("UPDATE leases SET is_closing = 1 WHERE shard = ? AND node = ?", shard, node)
    return changed == 1


def give_back(tx: Tx, shard: int, node: int) -> None:
    """Whoever borrows it next does its tasks; nothing where it is another's already."""
    tx.run("UPDATE leases SET node = ? WHERE shard = ? AND node = ?", NOBODY, shard, node)


def inherit(tx: Tx, node: int, name: str) -> None:
    """Have the shards of earlier servers of the same folder, which nobody has borrowed meanwhile."""
    tx.run(
        "UPDATE leases SET node = ?, fence = fence + 1, is_closing = 0"
        " WHERE node IN (SELECT number FROM nodes WHERE name = ? AND number <> ?)",
        *(node, name, node),
    )


def is_borrowed(tx: Tx, key: str, node: int) -> bool:
    """Whether the node has the shard of the task under a key."""
    return tx.one("SELECT 1 FROM leases WHERE shard = ? AND node = ?", shard_of(key), node) is not None


def borrowed(tx: Tx, node: int) -> frozenset[int]:
    """The shards that a node has, also those of which it takes no more tasks."""
    rows = tx.all("SELECT shard FROM leases WHERE node = ?", node)
    return frozenset(shard for (shard,) in rows)
