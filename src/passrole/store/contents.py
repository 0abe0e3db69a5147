"""Bytes that every server needs, under the hash of their content, for as long as somebody uses them.

    contents         a row for each content that is used, or is being written
    content_pieces   its bytes, PIECE_BYTES in each row but the last
    content_users    who uses it: an ARN, or any other name

A piece is a transaction, so that nobody waits for more than one, and no more than one is in memory. A content
that is being written has no user yet. `use` names one, in the transaction that needs the content, and only
where every piece is there: what a killed server has half written is nobody's, and `sweep` removes it.

When its last user leaves, the content's row goes in the same transaction, and then its pieces, each by
itself. Whoever writes the same content meanwhile begins with the row, from which on no piece is removed; who
came too late for that learns it from `use`.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Collection
from functools import partial

from passrole.store.interface import Store, Tx

PIECE_BYTES = 1_048_576
"""It never changes: servers of two versions may write the same content."""

UNUSED_SECONDS_MAX = 3_600.0
"""How long a content may be without a user. `use` tells whoever took longer, and they begin anew."""


class NotWhole(Exception):
    """Not all of the content is there; its digest is the message."""


class Damaged(Exception):
    """The bytes are not those that were written; their digest is the message."""


def digest_of(content: bytes) -> str:
    """What a content is kept under."""
    return hashlib.sha256(content).hexdigest()


async def keep(store: Store, digest: str, content: bytes, now: float) -> Callable[[Tx], None]:
    """Write a content but for its last piece, unless somebody uses the same.

    What is returned writes the rest, in the transaction that uses it: most archives are one piece, and so no
    commit. A content that nobody uses soon is removed again.
    """
    if await store.read(lambda tx: is_used(tx, digest) and _is_whole(tx, digest)):
        return lambda _: None
    last = max(0, -(-len(content) // PIECE_BYTES) - 1)

    def put(number: int) -> Callable[[Tx], None]:
        piece = content[number * PIECE_BYTES : (number + 1) * PIECE_BYTES]
        return partial(_put, digest=digest, number=number, piece=piece, count=last + 1, now=now)

    for number in range(last):
        await store.write(put(number))
    return put(last)


def use(tx: Tx, user: str, digests: Collection[str]) -> list[str]:
    """From now on the user uses these contents and no others; those that nobody uses any more.

    These are for `remove`. Raises NotWhole.
    """
    rows = tx.all("SELECT digest FROM content_users WHERE user_name = ?", user)
    before, after = {digest for (digest,) in rows}, set(digests)
    for digest in sorted(after - before):
        if not _is_whole(tx, digest):
            raise NotWhole(digest)
        tx.run("INSERT INTO content_users (digest, user_name) VALUES (?, ?)", digest, user)
    for digest in sorted(before - after):
        tx.run("DELETE FROM content_users WHERE digest = ? AND user_name = ?", digest, user)
    left = [digest for digest in sorted(before - after) if not is_used(tx, digest)]
    for digest in left:
        tx.run("DELETE FROM contents WHERE digest = ?", digest)
    return left


def is_used(tx: Tx, digest: str) -> bool:
    """Whether somebody uses it."""
    return tx.one("SELECT 1 FROM content_users WHERE digest = ? LIMIT 1", digest) is not None


async def pieces(store: Store, digest: str) -> AsyncIterator[bytes]:
    """The bytes of a content, a piece at a time. Raises NotWhole, and at the end Damaged."""
    row = await store.read(lambda tx: tx.one("SELECT pieces FROM contents WHERE digest = ?", digest))
    found = hashlib.sha256()
    for number in range(row[0] if row else 0):
        piece = await store.read(partial(_piece, digest=digest, number=number))
        found.update(piece)
        yield piece
    if row is None:
        raise NotWhole(digest)
    if found.hexdigest() != digest:
        raise Damaged(digest)


async def remove(store: Store, digests: Collection[str]) -> None:
    """Remove the pieces of contents that nobody uses. Killed before its end: `sweep` goes on."""
    for digest in digests:
        while await store.write(partial(_remove_one, digest=digest)):
            pass


async def sweep(store: Store, now: float) -> int:
    """Remove what killed servers have left; how many contents there were."""
    before = now - UNUSED_SECONDS_MAX
    if await store.read(partial(_forgotten, before=before)):
        await store.write(partial(_forget, before=before))
    left = await store.read(_without_row)
    await remove(store, left)
    return len(left)


def _put(tx: Tx, digest: str, number: int, piece: bytes, count: int, now: float) -> None:
    """The first piece brings the row."""
    if number == 0:
        tx.run(
            "INSERT INTO contents (digest, pieces, begun) VALUES (?, ?, ?)"
            " ON CONFLICT (digest) DO UPDATE SET begun = excluded.begun",
            digest, count, now,
        )  # fmt: skip
    tx.run(
        "INSERT INTO content_pieces (digest, number, bytes) VALUES (?, ?, ?)"
        " ON CONFLICT (digest, number) DO NOTHING",
        digest, number, piece,
    )  # fmt: skip


def _is_whole(tx: Tx, digest: str) -> bool:
    asked = (
        "SELECT pieces = (SELECT count(*) FROM content_pieces AS each WHERE each.digest = contents.digest)"
        " FROM contents WHERE digest = ?"
    )
    row = tx.one(asked, digest)
    return row is not None and bool(row[0])


def _piece(tx: Tx, digest: str, number: int) -> bytes:
    """Raises NotWhole."""
    row = tx.one("SELECT bytes FROM content_pieces WHERE digest = ? AND number = ?", digest, number)
    if row is None:
        raise NotWhole(digest)
    return bytes(row[0])


def _remove_one(tx: Tx, digest: str) -> bool:
    """Remove a piece of a content without a row; whether there was one."""
    removed = tx.run(
        "DELETE FROM content_pieces WHERE digest = ? AND number ="
        " (SELECT max(number) FROM content_pieces WHERE digest = ?)"
        " AND NOT EXISTS (SELECT 1 FROM contents WHERE digest = ?)",
        digest, digest, digest,
    )  # fmt: skip
    return removed == 1


_UNUSED = "begun < ? AND NOT EXISTS (SELECT 1 FROM content_users AS each WHERE each.digest = contents.digest)"


def _forgotten(tx: Tx, before: float) -> bool:
    return tx.one(f"SELECT 1 FROM contents WHERE {_UNUSED} LIMIT 1", before) is not None  # noqa: S608


def _forget(tx: Tx, before: float) -> None:
    tx.run(f"DELETE FROM contents WHERE {_UNUSED}", before)  # noqa: S608


def _without_row(tx: Tx) -> list[str]:
    rows = tx.all(
        "SELECT DISTINCT digest FROM content_pieces"
        " WHERE NOT EXISTS (SELECT 1 FROM contents WHERE contents.digest = content_pieces.digest)"
    )
    return [digest for (digest,) in rows]
