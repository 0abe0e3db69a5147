"""The SQL of what is known about objects beside their bytes.

A row belongs to a file and not to a key: it counts only while the file under the key has the row's inode,
mtime and size. So a file that Spark or a person wrote has no row, whatever lay there before.

A row is written before its file is put in place and is `pending` until then. Killed in between, the old
file still has its row; killed just after, the new one has its own.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from passrole.services.s3.folders import Identity
from passrole.store import Tx


@dataclass(frozen=True)
class About:
    """What a writer said of an object. `headers` are by member name (`ContentType`), `tags` in order.

    `checksums` are by member name too. Of a multipart object: `parts` is the number of its parts,
    `part_sizes` has their bytes and `part_checksums` their checksums, where they have any, both in order;
    `upload` is the id of the upload that it is of. `storage` as in storage.Storage.
    """

    headers: Mapping[str, str | float] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    parts: int | None = None
    part_sizes: Sequence[int] = ()
    part_checksums: Sequence[str] = ()
    upload: str | None = None
    storage: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """A file's ETag, without quotes, and what was said of it."""

    etag: str
    about: About


def find(tx: Tx, bucket: str, key: str, identity: Identity) -> Known | None:
    """What is known about the file that is under the key now."""
    row = tx.one(
        "SELECT etag, about FROM objects"
        " WHERE bucket = ? AND key = ? AND inode = ? AND mtime = ? AND size = ?",
        bucket,
        key,
        *identity,
    )
    return Known(row[0], About(**orjson.loads(row[1]))) if row else None


def put(tx: Tx, bucket: str, key: str, identity: Identity, known: Known, *, pending: bool = False) -> None:
    """Store what is known about a file."""
    tx.run(
        "INSERT OR REPLACE INTO objects (bucket, key, inode, mtime, size, etag, about, pending)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        bucket,
        key,
        *identity,
        known.etag,
        orjson.dumps(dataclasses.asdict(known.about)),
        int(pending),
    )


def settle(tx: Tx, bucket: str, key: str, identity: Identity) -> None:
    """The file is in place: its row stays, those of its forerunners go."""
    forget(tx, bucket, key)
    tx.run(
        "UPDATE objects SET pending = 0 WHERE bucket = ? AND key = ? AND inode = ?",
        bucket,
        key,
        identity.inode,
    )


def withdraw(tx: Tx, bucket: str, key: str, identity: Identity) -> None:
    """The file will not be put in place."""
    tx.run(
        "DELETE FROM objects WHERE bucket = ? AND key = ? AND inode = ? AND pending = 1",
        bucket,
        key,
        identity.inode,
    )


def forget(tx: Tx, bucket: str, key: str) -> None:
    """What lay under the key is gone."""
    tx.run("DELETE FROM objects WHERE bucket = ? AND key = ? AND pending = 0", bucket, key)


def forget_all(tx: Tx, bucket: str) -> None:
    """The bucket is gone."""
    tx.run("DELETE FROM objects WHERE bucket = ?", bucket)


def marker(tx: Tx, bucket: str, key: str) -> Identity | None:
    """The folder marker under the key: inode 0, and the time it was put, as a folder's own mtime moves."""
    row = tx.one(
        "SELECT inode, mtime, size FROM objects WHERE bucket = ? AND key = ? AND inode = 0", bucket, key
    )
    return Identity(*row) if row else None


def markers(tx: Tx, bucket: str, prefix: str) -> list[str]:
    """The keys of folder markers that begin with a prefix."""
    rows = tx.all(
        "SELECT key FROM objects WHERE bucket = ? AND inode = 0 AND key >= ? AND key < ?",
        bucket,
        prefix,
        prefix + "\U0010ffff",
    )
    return [key for (key,) in rows]
