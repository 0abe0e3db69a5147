"""Temporary files beside the buckets, with checksums computed as they are written.

It knows no key. The file is moved to its place only when it is whole and on the disk; what a crash leaves
lies in `.work`, whose name no bucket can have.
"""

import asyncio
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from passrole import ids
from passrole.services.context import Context
from passrole.services.s3.checksums import Hasher, hasher
from passrole.services.s3.folders import Identity, identity

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Written:
    """A temporary file. `digests` are by checksum member name, and `MD5`."""

    path: Path
    identity: Identity
    digests: dict[str, bytes]

    @property
    def etag(self) -> str:
        """The ETag of an object that is uploaded in one piece, without quotes."""
        return self.digests["MD5"].hex()


def folder(ctx: Context) -> Path:
    """Where the buckets' folders are."""
    return ctx.config.data / "s3"


def work(ctx: Context, upload: str = "") -> Path:
    """Where temporary files are, or the parts of an upload."""
    return folder(ctx) / ".work" / upload


async def write(where: Path, chunks: Iterable[bytes], checksums: Iterable[str] = ()) -> Written:
    """Write a temporary file off the event loop, and its digests beside the MD5; on the disk at return."""
    return await asyncio.to_thread(_written, where, chunks, tuple(checksums))


def pieces(file: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    """The bytes of a file from `start` to before `stop`, in chunks; the file is closed at the end."""
    with file:
        file.seek(start)
        left = stop - start
        while left > 0 and (chunk := file.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk


def sync(where: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(where, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _written(where: Path, chunks: Iterable[bytes], checksums: tuple[str, ...]) -> Written:
    where.mkdir(parents=True, exist_ok=True)
    path = where / ids.request_id()
    hashers: dict[str, Hasher] = {"MD5": hashlib.md5(usedforsecurity=False)}
    hashers |= {name: each for name in checksums if (each := hasher(name)) is not None}
    try:
        with path.open("xb") as file:
            for chunk in chunks:
                file.write(chunk)
                for each in hashers.values():
                    each.update(chunk)
            file.flush()
            os.fsync(file.fileno())
            found = identity(os.fstat(file.fileno()))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Written(path, found, {name: each.digest() for name, each in hashers.items()})
