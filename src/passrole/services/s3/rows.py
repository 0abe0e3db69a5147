"""The SQL of objects: the ETag and the metadata of each file.

A row belongs to a file and not to a key: it counts only while the file under the key has the row's inode,
mtime and size. So a file that Spark or a person wrote has no row, whatever lay there before.

A row is written before its file is put in place and is `pending` until then. Killed in between, the old
file still has its row; killed just after, or where that commit fails, the new one has its own.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from passrole.services.s3.folders import Identity
from passrole.store import Tx


@dataclass(frozen=True)
class ObjectMetadata:
    """The metadata of an object. `headers` are by member name (`ContentType`), `tags` in order.

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
class ObjectRecord:
    """A file's ETag, without quotes, and the metadata of the object."""

    etag: str
    metadata: ObjectMetadata


@dataclass(frozen=True)
class FileRow:
    """Which file a row is about."""

    bucket: str
    key: str
    identity: Identity


def find(tx: Tx, bucket: str, key: str, identity: Identity) -> ObjectRecord | None:
    """The record of the file that is under the key now."""
    row = tx.one(
        "SELECT etag, metadata FROM objects"
        " WHERE bucket = ? AND key = ? AND inode = ? AND mtime = ? AND size = ?",
        bucket,
        key,
        *identity,
    )
    return ObjectRecord(row[0], ObjectMetadata(**orjson.loads(row[1]))) if row else None


def put(
    tx: Tx, bucket: str, key: str, identity: Identity, record: ObjectRecord, *, pending: bool = False
) -> None:
    """Store the record of a file."""
    tx.run(
        "INSERT INTO objects (bucket, key, inode, mtime, size, etag, metadata, pending)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (bucket, key, inode) DO UPDATE SET mtime = excluded.mtime, size = excluded.size,"
        " etag = excluded.etag, metadata = excluded.metadata, pending = excluded.pending",
        bucket,
        key,
        *identity,
        record.etag,
        orjson.dumps(dataclasses.asdict(record.metadata)),
        int(pending),
    )


def confirm(tx: Tx, bucket: str, key: str, identity: Identity) -> None:
    """Mark the row of the file as in place, and delete those of the files before it."""
    delete(tx, bucket, key)
    tx.run(
        "UPDATE objects SET pending = 0 WHERE bucket = ? AND key = ? AND inode = ?",
        bucket,
        key,
        identity.inode,
    )


def discard_pending(tx: Tx, bucket: str, key: str, identity: Identity) -> None:
    """Delete the row of a file that will not be put in place."""
    tx.run(
        "DELETE FROM objects WHERE bucket = ? AND key = ? AND inode = ? AND pending = 1",
        bucket,
        key,
        identity.inode,
    )


def delete(tx: Tx, bucket: str, key: str) -> None:
    """Delete the row of the file under the key."""
    tx.run("DELETE FROM objects WHERE bucket = ? AND key = ? AND pending = 0", bucket, key)


def delete_bucket(tx: Tx, bucket: str) -> None:
    """Delete all rows of a bucket."""
    tx.run("DELETE FROM objects WHERE bucket = ?", bucket)


def files(tx: Tx, after: tuple[str, str, int], limit: int) -> list[FileRow]:
    """The rows of files, pending ones too, by bucket, key and inode; those beyond `after`."""
    found = tx.all(
        "SELECT bucket, key, inode, mtime, size FROM objects"
        " WHERE (bucket, key, inode) > (?, ?, ?) AND inode != 0 ORDER BY bucket, key, inode LIMIT ?",
        *after,
        limit,
    )
    return [FileRow(bucket, key, Identity(*identity)) for bucket, key, *identity in found]


def of_key(tx: Tx, bucket: str, key: str) -> list[Identity]:
    """The files that rows of a key are about: two while one replaces the other."""
    found = tx.all(
        "SELECT inode, mtime, size FROM objects WHERE bucket = ? AND key = ? AND inode != 0 ORDER BY inode",
        bucket,
        key,
    )
    return [Identity(*identity) for identity in found]


def move(tx: Tx, row: FileRow, now: Identity) -> None:
    """The file of a row is a copy, which has another identity; of that, another row may be in the way.

    The inode may be the same: the disk gives away those of deleted files.
    """
    if now.inode != row.identity.inode:
        tx.run(
            "DELETE FROM objects WHERE bucket = ? AND key = ? AND inode = ?", row.bucket, row.key, now.inode
        )
    tx.run(
        "UPDATE objects SET inode = ?, mtime = ? WHERE bucket = ? AND key = ? AND inode = ?",
        now.inode,
        now.mtime,
        row.bucket,
        row.key,
        row.identity.inode,
    )


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
