"""Zip archives of functions, checked before they are unpacked, and unpacked whole or not at all.

The directory of an archive is checked first, before a byte is written: names that lead out of the
folder, links, more bytes or entries than allowed. While unpacking, what really comes out is counted too,
since a directory can lie. The folder appears under its name by one rename, when it is complete.
It knows neither functions nor layers.
"""

import base64
import errno
import hashlib
import io
import stat
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from passrole import trees
from passrole.faults import Fault
from passrole.services.lambda_ import refusals

ZIPPED_BYTES_MAX = 52_428_800
UNPACKED_BYTES_MAX = 262_144_000
ENTRIES_MAX = 100_000
_CHUNK_BYTES = 1_048_576
_ENCRYPTED = 0x1
_BAD_NAMES = frozenset(
    # a name that is too long, or once a file's and once a folder's; a size that leads nowhere
    {
        None,
        errno.ENAMETOOLONG,
        errno.EISDIR,
        errno.ENOTDIR,
        errno.EEXIST,
        errno.EINVAL,
        errno.EILSEQ,
    }
)


@dataclass(frozen=True)
class Limits:
    """How much an archive may hold; tests bring smaller ones."""

    zipped_bytes: int = ZIPPED_BYTES_MAX
    unpacked_bytes: int = UNPACKED_BYTES_MAX
    entries: int = ENTRIES_MAX


def sha256(archive: bytes) -> str:
    """CodeSha256 as Lambda shows it, in base64."""
    return base64.b64encode(hashlib.sha256(archive).digest()).decode()


def unpack(archive: bytes | IO[bytes], folder: Path, limits: Limits | None = None) -> None:
    """Unpack to `folder`, unless it is there by the end. Blocks.

    Killed at any moment: `folder` is complete or does not exist. Where the machine itself stops, nobody knows
    (leftovers.py). Raises InvalidParameterValueException, RequestEntityTooLargeException, and leaves nothing.
    """
    limits = limits or Limits()
    file = io.BytesIO(archive) if isinstance(archive, bytes) else archive
    if file.seek(0, io.SEEK_END) > limits.zipped_bytes:
        raise refusals.archive_too_large(limits.zipped_bytes)
    try:
        with whole(folder) as temporary, zipfile.ZipFile(file) as opened:
            entries = opened.infolist()
            _check(entries, limits)
            _extract(opened, entries, temporary, limits)
    except Fault:
        raise
    except OSError as error:
        if error.errno not in _BAD_NAMES:
            raise  # the disk is full, or the like: not the archive's fault
        raise refusals.bad_archive() from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError) as error:
        raise refusals.bad_archive() from error


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """A folder to be filled. If that ends well it becomes `folder`, else it is removed.

    A folder's name says what is in it: where somebody else was first, theirs is as good. Blocks.
    """
    temporary = folder.with_name(f".{uuid.uuid4().hex}")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        _rename(temporary, folder)
    finally:
        trees.remove(temporary)


def _check(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    if not entries:
        raise refusals.invalid("Uploaded file must be a non-empty zip")
    if len(entries) > limits.entries or not all(_is_harmless(entry) for entry in entries):
        raise refusals.bad_archive()
    if sum(entry.file_size for entry in entries) > limits.unpacked_bytes:
        raise refusals.unpacked_too_large(limits.unpacked_bytes)


def _is_harmless(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(entry.filename)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    return (
        not path.is_absolute()
        and ".." not in path.parts
        and entry.orig_filename == entry.filename  # else a zero byte hid the rest of the name
        and kind in (0, stat.S_IFREG, stat.S_IFDIR)
        and not entry.flag_bits & _ENCRYPTED
    )


def _extract(opened: zipfile.ZipFile, entries: list[zipfile.ZipInfo], folder: Path, limits: Limits) -> None:
    left = limits.unpacked_bytes
    for entry in entries:
        target = folder / entry.filename
        if entry.is_dir():
            trees.make(target)
            continue
        trees.make(target.parent)
        left -= _copy(opened, entry, target, left)
        mode = entry.external_attr >> 16 & 0o777
        target.chmod(mode & 0o755 | 0o600 if mode else 0o644)
        if left < 0:
            raise refusals.unpacked_too_large(limits.unpacked_bytes)


def _copy(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, bytes_max: int) -> int:
    copied = 0
    with opened.open(entry) as source, target.open("wb") as sink:
        while copied <= bytes_max and (chunk := source.read(_CHUNK_BYTES)):
            sink.write(chunk)
            copied += len(chunk)
    return copied


def _rename(temporary: Path, folder: Path) -> None:
    try:
        temporary.rename(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
