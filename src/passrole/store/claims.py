"""Which server does what, where several share a database (docs/decisions/0021-claims.md).

A server has a number, which no other one ever had. What it claims is its own until it releases it, or until
it is marked as gone and another one claims it. `holds` is the fence: asked in the transaction that records an
effect, it says whether the effect still counts.

It does not know who is alive: store/postgres_node.py does.
"""

from passrole.store.interface import Tx


def enter(tx: Tx, name: str, objects: str = "") -> int:
    """A new server; its number, which is greater than every one before.

    `name` is its data folder's, in which no other server runs. So earlier ones of the name are gone; what
    they had claimed is the new one's, which finds their programs again. `objects` is where it keeps S3's.
    """
    (last,) = tx.one("SELECT coalesce(max(number), 0) FROM nodes") or (0,)
    number = int(last) + 1
    tx.run("UPDATE nodes SET gone = 1 WHERE name = ? AND gone = 0", name)
    tx.run("UPDATE claims SET node = ? WHERE node IN (SELECT number FROM nodes WHERE name = ?)", number, name)
    tx.run("INSERT INTO nodes (number, name, objects) VALUES (?, ?, ?)", number, name, objects)
    return number


def mark_gone(tx: Tx, node: int) -> bool:
    """Nothing that the server does from now on counts; whether it counted until now.

    Killed before the commit: the server is as it was. After: whoever wants its claims may have them.
    """
    return tx.run("UPDATE nodes SET gone = 1 WHERE number = ? AND gone = 0", node) == 1


def present(tx: Tx) -> dict[int, str]:
    """The servers that are not marked as gone: their names by number."""
    return dict(tx.all("SELECT number, name FROM nodes WHERE gone = 0 ORDER BY number"))


def servers(tx: Tx) -> list[tuple[int, str, bool]]:
    """Number and name of each, and whether it is marked as gone; by number."""
    rows = tx.all("SELECT number, name, gone FROM nodes ORDER BY number")
    return [(number, name, bool(gone)) for number, name, gone in rows]


def rest(tx: Tx, node: int, rests: bool) -> None:
    """Whether others do the server's background work, since nothing can be written on its disk."""
    tx.run("UPDATE nodes SET rests = ? WHERE number = ?", int(rests), node)


def resting(tx: Tx) -> frozenset[int]:
    """The servers that rest, and are not marked as gone."""
    return frozenset(number for (number,) in tx.all("SELECT number FROM nodes WHERE gone = 0 AND rests = 1"))


def places(tx: Tx) -> dict[int, str]:
    """Where the servers that are not marked as gone keep S3's objects, by number."""
    return dict(tx.all("SELECT number, objects FROM nodes WHERE gone = 0 ORDER BY number"))


def claim(tx: Tx, kind: str, key: str, node: int) -> bool:
    """Have it for the server, if it is nobody's, its own, or a gone one's; whether it has it now.

    A server that is gone gets nothing.
    """
    return tx.run(_CLAIM, kind, key, node, node) == 1


def holds(tx: Tx, kind: str, key: str, node: int) -> bool:
    """Whether it is the server's, and the server is not gone."""
    return tx.one(_HOLDS, kind, key, node) is not None


def holder(tx: Tx, kind: str, key: str) -> int | None:
    """The number of the server that has it, gone or not; None where it is nobody's."""
    row = tx.one("SELECT node FROM claims WHERE kind = ? AND key = ?", kind, key)
    return row[0] if row else None


def counts(tx: Tx) -> dict[int, dict[str, int]]:
    """How much of each kind the servers have, gone ones too, by number."""
    found: dict[int, dict[str, int]] = {}
    for node, kind, count in tx.all(
        "SELECT node, kind, count(*) FROM claims GROUP BY node, kind ORDER BY kind"
    ):
        found.setdefault(node, {})[kind] = count
    return found


def release(tx: Tx, kind: str, key: str, node: int) -> None:
    """It is over, or somebody else's turn. What is another server's stays so."""
    tx.run("DELETE FROM claims WHERE kind = ? AND key = ? AND node = ?", kind, key, node)


def of_node(tx: Tx, kind: str, node: int, after: str, limit: int) -> list[str]:
    """Keys that the server has claimed: those beyond `after`, `limit` at most."""
    sql = "SELECT key FROM claims WHERE node = ? AND kind = ? AND key > ? ORDER BY key LIMIT ?"
    return [key for (key,) in tx.all(sql, node, kind, after, limit)]


def take_over(tx: Tx, kind: str, node: int, limit: int) -> list[str]:
    """Claim for the server what gone ones have of the kind, `limit` at most; the keys."""
    rows = tx.all(_ORPHANS, kind, limit)
    return [key for (key,) in rows if claim(tx, kind, key, node)]


def forget_gone(tx: Tx) -> int:
    """Remove servers that are gone and have no claims, but the last one, whose number is not given again."""
    return tx.run(_FORGET)


_CLAIM = (
    "INSERT INTO claims (kind, key, node) SELECT ?, ?, number FROM nodes WHERE number = ? AND gone = 0"
    " ON CONFLICT (kind, key) DO UPDATE SET node = excluded.node"
    " WHERE claims.node = ? OR claims.node IN (SELECT number FROM nodes WHERE gone = 1)"
)
_HOLDS = (
    "SELECT 1 FROM claims JOIN nodes ON nodes.number = claims.node"
    " WHERE claims.kind = ? AND claims.key = ? AND claims.node = ? AND nodes.gone = 0"
)
_ORPHANS = (
    "SELECT claims.key FROM nodes JOIN claims ON claims.node = nodes.number"
    " WHERE nodes.gone = 1 AND claims.kind = ? ORDER BY claims.key LIMIT ?"
)
_FORGET = (
    "DELETE FROM nodes WHERE gone = 1 AND number < (SELECT max(number) FROM nodes)"
    " AND number NOT IN (SELECT node FROM claims)"
)
