"""Appends to the audit trail: one line per call in `audit.jsonl`, written before the response is sent.

Where no line can be written, the call fails and those that follow are refused before they do anything. The
file is not synced to the disk: a power cut may lose the record of the last instant, never anything that was
acknowledged.
"""

import errno
import logging
import os
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO

from passrole import disk, private_files
from passrole.audit.entry import Entry, encode, told
from passrole.audit.files import FULL, TrailFile

log = logging.getLogger(__name__)

BYTES_MAX = 64 * 1024 * 1024
_BLOCK_BYTES = 65_536


class Audit:
    """Appends whole lines to a file, and starts a new one past BYTES_MAX (the last is kept as `.1`)."""

    def __init__(self, path: Path, written: Callable[[], None] | None = None) -> None:
        """`written` is called after each line by which somebody is told who copies the lines elsewhere; then
        a full file takes no other's place: the one before it is there until it is copied.
        """
        self._path = path
        self._written = written
        self._folder = path.parent.stat()
        self._write_to(private_files.open_to_append(path))
        _cut_torn_line(self._file.fileno())
        self._owed = b""  # lines of calls that were running when the file became unwritable

    def check(self) -> None:
        """Raises OSError if the trail cannot be written; then no call may run."""
        if self._owed:
            self._append(b"")
        else:
            self._found()

    def record(self, entry: Entry) -> None:
        """Write an entry. Raises OSError if that fails; it is then written before the next entry."""
        line = encode(entry)
        try:
            self._append(line)
        except OSError:
            self._owed += line
            raise

    def forget(self, before: float) -> None:
        """Remove the full file if its last line is older than the moment; the present one takes its place if
        its first line is. So a line is there for at most twice that age. Raises OSError.
        """
        full = self._path.with_name(FULL)
        if self._written is None and full.exists() and full.stat().st_mtime < before:
            full.unlink()
        first = b""
        with suppress(FileNotFoundError), closing(TrailFile(self._path)) as present:
            first = present.first()
        if first and told(first)[0] < before and not full.exists():
            self._rotate()
            if self._written is not None:
                self._written()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, lines: bytes) -> None:
        """Write these lines and those owed, or nothing. Raises OSError."""
        found = self._found()
        whole = self._owed + lines
        _write(self._file.fileno(), whole, found.st_size)
        self._owed = b""
        if self._written is not None:
            self._written()
        if found.st_size + len(whole) > BYTES_MAX:
            self._rotate()

    def _found(self) -> os.stat_result:
        """The file as it is, or a new one. Raises OSError."""
        if self._file.closed:
            raise OSError(errno.EBADF, "the audit trail is closed")
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return self._start_again()
        return found if os.path.samestat(found, self._opened) else self._start_again()

    def _start_again(self) -> os.stat_result:
        """Open a new file because the old one was removed or moved. Raises FolderRemoved, too."""
        try:
            if not os.path.samestat(self._folder, self._path.parent.stat()):
                raise disk.FolderRemoved(self._path.parent)
            opened = private_files.open_to_append(self._path)
        except FileNotFoundError:
            raise disk.FolderRemoved(self._path.parent) from None
        self._file.close()
        return self._write_to(opened)

    def _write_to(self, file: BinaryIO) -> os.stat_result:
        """The file from now on. As it stays open, no other one gets its number on the disk."""
        self._file, self._opened = file, os.fstat(file.fileno())
        return self._opened

    def _rotate(self) -> None:
        """Start a new file; if that fails, or the one before is still to be copied, continue with the old."""
        last = self._path.with_name(FULL)
        if self._written is not None and last.exists():
            return
        self._path.replace(last)
        try:
            opened = private_files.open_to_append(self._path)
        except OSError as error:
            last.replace(self._path)
            disk.report(log, error, "starting a new audit trail")
            return
        self._file.close()
        self._write_to(opened)


class Unrecorded:
    """In place of Audit, for whoever looks at a data folder on which no server runs and changes nothing."""

    def check(self) -> None:
        """No trail can fail."""

    def record(self, entry: Entry) -> None:
        """Written nowhere."""


def _write(descriptor: int, lines: bytes, size: int) -> None:
    """Append to a file of this size; truncate it to this size if the write fails."""
    left = memoryview(lines)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _cut_torn_line(descriptor: int) -> None:
    """Cut off the unfinished last line of a server that was killed."""
    size = end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - _BLOCK_BYTES)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        os.ftruncate(descriptor, end)
