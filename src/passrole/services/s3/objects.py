"""Objects as handlers use them: found under a key, read, put in place, removed.

An ETag that is not known, as of a file that Spark wrote, is computed once and kept with the file's identity.
"""

import asyncio
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.s3 import folders, names, records, rows
from passrole.services.s3.conditions import fits
from passrole.services.s3.folders import Identity, PathConflict
from passrole.services.s3.refusals import (
    conflict,
    no_such_key,
    not_implemented,
    precondition_failed,
    unfit_key,
)
from passrole.services.s3.rows import ObjectMetadata, ObjectRecord
from passrole.services.s3.temporary_files import Written, pieces
from passrole.services.s3.turns import changed, turn, turn_alone
from passrole.store import Tx

OFF_LOOP_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Object:
    """An object that exists, without its bytes."""

    bucket: str
    key: str
    path: tuple[str, ...]
    identity: Identity
    record: ObjectRecord


@dataclass(frozen=True)
class Expected:
    """What a conditional write or deletion expects under the key; `identity` None: no object."""

    identity: Identity | None


def _nothing(_tx: Tx) -> None:
    """There is nothing more to check or to write."""


async def find(ctx: Context, bucket: str, key: str) -> Object | None:
    """The object under a key of a bucket that exists, or None."""
    try:
        path = names.segments(key)
    except Fault:
        return None  # what no folder can hold is in none
    identity = await _identity(ctx, bucket, key, path)
    if identity is None:
        return None
    record = await ctx.store.read(lambda tx: rows.find(tx, bucket, key, identity))
    if record is None:
        record = await _computed_record(ctx, bucket, key, path, identity)
    return Object(bucket, key, path, identity, record) if record else None


async def existing(ctx: Context, bucket: str, key: str) -> Object:
    """The object under a key. Raises NoSuchKey, but AccessDenied if the caller may not list the bucket."""
    found = await find(ctx, bucket, key)
    if found is None:
        await ctx.call("s3", "HeadBucket", {"Bucket": bucket})
        raise no_such_key(key)
    return found


def opened(ctx: Context, found: Object) -> BinaryIO | None:
    """The file of an object that is no marker, or None where it is not the same any more."""
    file = folders.open_file(records.root(ctx, found.bucket), found.path)
    if file is not None and folders.identity(os.fstat(file.fileno())) != found.identity:
        file.close()
        return None
    return file


async def read(ctx: Context, found: Object, start: int, stop: int) -> bytes | None:
    """Bytes of an object, or None where it is not the same any more."""
    if names.is_marker(found.key):
        return b""
    file = opened(ctx, found)
    if file is None:
        return None
    if stop - start > OFF_LOOP_BYTES:
        return await asyncio.to_thread(lambda: b"".join(pieces(file, start, stop)))
    return b"".join(pieces(file, start, stop))


async def expected(
    ctx: Context, bucket: str, key: str, if_match: str | None, if_none_match: str | None
) -> Expected | None:
    """What a conditional write expects under the key; None if it is unconditional.

    Raises PreconditionFailed, and NoSuchKey for If-Match without an object.
    """
    if if_match is None and if_none_match is None:
        return None
    _check_conditions(if_match, if_none_match)
    found = await find(ctx, bucket, key)
    if if_none_match is not None and found is not None:
        raise precondition_failed("If-None-Match")
    if if_match is not None:
        if found is None:
            raise no_such_key(key)
        if not fits(if_match, found.record.etag):
            raise precondition_failed("If-Match")
    return Expected(found.identity if found else None)


async def put(
    ctx: Context,
    bucket: str,
    key: str,
    written: Written,
    record: ObjectRecord,
    *,
    condition: Expected | None = None,
    check: Callable[[Tx], object] = _nothing,
    finish: Callable[[Tx], object] = _nothing,
) -> None:
    """Put a temporary file under a key; durable at return. In the key's turn `check` reads rows before
    the file is in place, and `finish` writes rows in the transaction that tells of it.

    Raises NoSuchBucket, InvalidRequest, ConditionalRequestConflict, and what `check` raises; then the
    temporary file is gone and nothing has changed.
    """
    path, root = names.segments(key), records.root(ctx, bucket)

    def place() -> int:
        root.mkdir(exist_ok=True)
        depth = folders.depth_of(root, path[:-1])
        folders.place(written.path, root, path)
        return depth

    def confirm(tx: Tx) -> None:
        finish(tx)
        rows.confirm(tx, bucket, key, written.identity)

    try:
        await ctx.store.write(lambda tx: rows.put(tx, bucket, key, written.identity, record, pending=True))
        async with turn(root, key):
            await ctx.store.read(lambda tx: (records.existing(tx, bucket), check(tx)))
            await _check_as_expected(ctx, bucket, key, path, condition)
            depth = await changed(place)
            await ctx.store.write(confirm)
    except Exception as error:
        if written.path.exists():  # else it is in place, and the pending row is all that tells of it
            written.path.unlink()
            await ctx.store.write(lambda tx: rows.discard_pending(tx, bucket, key, written.identity))
        if isinstance(error, PathConflict):
            raise unfit_key(key, "an object cannot also be the folder of another") from None
        raise
    await asyncio.to_thread(folders.sync, root, path[:-1], depth)


async def put_marker(
    ctx: Context, bucket: str, key: str, record: ObjectRecord, *, condition: Expected | None = None
) -> None:
    """Put a folder marker: a folder that stays when it is empty.

    Raises InvalidRequest, ConditionalRequestConflict.
    """
    path, root = names.segments(key), records.root(ctx, bucket)
    identity = Identity(0, int(ctx.clock() * 1e9), 0)

    def make() -> None:
        root.mkdir(exist_ok=True)
        folders.make(root, path)

    try:
        async with turn(root, key):
            await ctx.store.read(lambda tx: records.existing(tx, bucket))
            await _check_as_expected(ctx, bucket, key, path, condition)
            await changed(make)
            await ctx.store.write(lambda tx: rows.put(tx, bucket, key, identity, record))
    except PathConflict:
        raise unfit_key(key, "an object cannot also be the folder of another") from None
    await asyncio.to_thread(folders.sync, root, path)


async def change(ctx: Context, found: Object, object_metadata: ObjectMetadata) -> None:
    """Replace the metadata of an object; its bytes stay."""
    record = ObjectRecord(found.record.etag, object_metadata)
    await ctx.store.write(lambda tx: rows.put(tx, found.bucket, found.key, found.identity, record))


async def remove(
    ctx: Context, bucket: str, path: tuple[str, ...], key: str, *, condition: Expected | None = None
) -> None:
    """Delete the file under a key, and the folders that are empty then; durable at return.

    Raises NoSuchBucket, ConditionalRequestConflict.
    """
    root = records.root(ctx, bucket)

    def folders_to_keep(tx: Tx) -> frozenset[tuple[str, ...]]:
        records.existing(tx, bucket)
        above = (path[:depth] for depth in range(1, len(path) + 1))
        return frozenset(
            each for each in above if (marker := _marker(each)) != key and rows.marker(tx, bucket, marker)
        )

    def delete(kept: frozenset[tuple[str, ...]]) -> int:
        keep = partial(_is_one_of, kept)
        if names.is_marker(key):
            folders.prune(root, path, keep)
        elif folders.look(root, path) is not None:
            folders.remove(root, path, keep)
        return folders.depth_of(root, path[:-1])

    async with turn_alone(root):
        kept = await ctx.store.read(folders_to_keep)
        await _check_as_expected(ctx, bucket, key, path, condition)
        depth = await changed(partial(delete, kept))
        await ctx.store.write(lambda tx: rows.delete(tx, bucket, key))
    await asyncio.to_thread(folders.sync, root, path[:depth], depth)


def _check_conditions(if_match: str | None, if_none_match: str | None) -> None:
    """S3 takes If-Match or If-None-Match for a write, not both. Raises NotImplemented."""
    if if_match is not None and if_none_match is not None:
        more = "Multiple conditional request headers present in the request"
        raise not_implemented("If-Match,If-None-Match", more)
    for header, value, is_taken in (
        ("If-None-Match", if_none_match, if_none_match == "*"),
        ("If-Match", if_match, if_match != "*"),
    ):
        if value is not None and not is_taken:
            more = f"We don't accept the provided value of {header} header for this API"
            raise not_implemented(header, more)


def _marker(path: Sequence[str]) -> str:
    return "/".join(path) + "/"


def _is_one_of(kept: frozenset[tuple[str, ...]], path: Sequence[str]) -> bool:
    return tuple(path) in kept


async def _check_as_expected(
    ctx: Context, bucket: str, key: str, path: tuple[str, ...], condition: Expected | None
) -> None:
    """In the key's turn, so that nobody puts or deletes what is looked at before the change that follows.

    Raises ConditionalRequestConflict.
    """
    if condition is not None and await _identity(ctx, bucket, key, path) != condition.identity:
        raise conflict(key)


async def _identity(ctx: Context, bucket: str, key: str, path: tuple[str, ...]) -> Identity | None:
    root = records.root(ctx, bucket)
    if not names.is_marker(key):
        return folders.look(root, path)
    found = await ctx.store.read(lambda tx: rows.marker(tx, bucket, key))
    return found if found and folders.is_folder(root, path) else None


async def _computed_record(
    ctx: Context, bucket: str, key: str, path: tuple[str, ...], identity: Identity
) -> ObjectRecord | None:
    """The record of a file that another program wrote; None where it is gone again."""
    file = folders.open_file(records.root(ctx, bucket), path)
    if file is None:
        return None
    before = folders.identity(os.fstat(file.fileno()))
    digest = hashlib.md5(usedforsecurity=False)

    def compute() -> Identity:
        with file:
            while chunk := file.read(OFF_LOOP_BYTES):
                digest.update(chunk)
            return folders.identity(os.fstat(file.fileno()))

    after = await asyncio.to_thread(compute) if before.size > OFF_LOOP_BYTES else compute()
    record = ObjectRecord(digest.hexdigest(), ObjectMetadata())
    if before == after == identity:  # else it is being written, and the next reader computes anew
        await ctx.store.write(lambda tx: rows.put(tx, bucket, key, identity, record))
    return record
