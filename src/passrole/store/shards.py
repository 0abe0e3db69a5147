"""Shards: what background work is divided into, so that several nodes share it, and who has which.

The shard of a task follows from its party, the first word of its key: an execution's ARN, or the whole key
where it has one word. A node borrows shards and does the tasks of these; where there is one server it has
all of them from the beginning, under the number 0. docs/decisions/0019-shards.md

A row says who has a shard, and nobody needs to believe its own memory: `tasks.take` reads the row with the
tasks, and whoever ends a task asks `is_borrowed` in the same transaction.
"""

from zlib import crc32

from passrole.store.interface import Tx

SHARDS = 64
ALONE = 0
"""The number of the one server that there is; several have those of claims.py."""


def shard_of(key: str) -> int:
    """The shard of the task under a key; it stays the same for ever."""
    return crc32(key.partition(" ")[0].encode()) % SHARDS


def borrow(tx: Tx, shard: int, node: int) -> int:
    """Take a shard over from whoever has it; its fence, which grows each time.

    Killed before the commit: the one before has it. After: that one ends no task of it any more.
    """
    tx.run("UPDATE leases SET node = ?, fence = fence + 1 WHERE shard = ?", node, shard)
    row = tx.one("SELECT fence FROM leases WHERE shard = ?", shard)
    assert row is not None, "the schema has a row for each shard"
    fence: int = row[0]
    return fence


def is_borrowed(tx: Tx, key: str, node: int) -> bool:
    """Whether the node has the shard of the task under a key."""
    return tx.one("SELECT 1 FROM leases WHERE shard = ? AND node = ?", shard_of(key), node) is not None


def borrowed(tx: Tx, node: int) -> frozenset[int]:
    """The shards that a node has."""
    return frozenset(shard for (shard,) in tx.all("SELECT shard FROM leases WHERE node = ?", node))
