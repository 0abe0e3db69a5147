"""The audit trail: one JSON line a call in `audit.jsonl`, written before the call is answered.

A line tells who, what, on which resource, the verdict and what decided it, and how long it took.
It holds no parameter values but the service that a role is passed to: nothing secret can come in. A call is
answered once its line is written; where none can be, it fails and those that follow are refused before they
do anything. The file is not synced to the disk: what a power cut may lose is the record of the last instant,
never anything that was acknowledged.
"""

import errno
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from passrole import disk, private_files
from passrole.log_format import escaped_json
from passrole.policy.evaluate import Layer, Verdict

log = logging.getLogger(__name__)

BYTES_MAX = 64 * 1024 * 1024
_BLOCK_BYTES = 65_536


@dataclass(frozen=True)
class Check:
    """One permission that was asked for and the decision on it.

    `verdicts` is what each layer that was asked said, of denials alone; `passed_to` is the service that a
    role is handed to.
    """

    action: str
    resource: str
    allowed: bool
    layer: str | None
    policy: str | None
    statement: int | None
    near_misses: tuple[str, ...] = ()
    verdicts: Mapping[Layer, Verdict] | None = None
    passed_to: str | None = None


@dataclass(frozen=True)
class Entry:
    """One call. `code` is None where it succeeded, `time` in epoch seconds."""

    time: float
    request_id: str
    principal: str
    service: str
    operation: str
    region: str
    checks: tuple[Check, ...]
    code: str | None
    message: str | None
    duration_ms: float


class Audit:
    """Appends whole lines to a file, and starts a new one past BYTES_MAX (the last is kept as `.1`)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = private_files.open_to_append(path)
        _mend(self._file.fileno())
        self._owed = b""  # lines of calls that were under way when the file could not be written any more

    def check(self) -> None:
        """Raises OSError where the trail cannot be written: no call may be made then."""
        if self._owed:
            self._append(b"")

    def record(self, entry: Entry) -> None:
        """Write an entry. Raises OSError where it cannot be written: it is owed then."""
        line = escaped_json(orjson.dumps(_line(entry)) + b"\n")
        try:
            self._append(line)
        except OSError:
            self._owed += line
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, lines: bytes) -> None:
        """All of it and what is owed, or nothing. Raises OSError."""
        if self._file.closed:
            raise OSError(errno.EBADF, "the audit trail is closed")
        found = os.fstat(self._file.fileno())
        if found.st_nlink == 0:
            found = self._begun_anew()
        whole = self._owed + lines
        _write(self._file.fileno(), whole, found.st_size)
        self._owed = b""
        if found.st_size + len(whole) > BYTES_MAX:
            self._turn_over()

    def _begun_anew(self) -> os.stat_result:
        """Somebody removed the file: another takes its place, unless the folder is gone as well."""
        try:
            begun = private_files.open_to_append(self._path)
        except FileNotFoundError:
            raise disk.Gone(self._path.parent) from None
        self._file.close()
        self._file = begun
        return os.fstat(begun.fileno())

    def _turn_over(self) -> None:
        """Where that fails, the old file is written further."""
        last = self._path.with_suffix(".jsonl.1")
        self._path.replace(last)
        try:
            begun = private_files.open_to_append(self._path)
        except OSError as error:
            last.replace(self._path)
            disk.report(log, error, "starting a new audit trail")
            return
        self._file.close()
        self._file = begun


def _write(descriptor: int, lines: bytes, size: int) -> None:
    """Append to a file of this size; it is of this size again where not all can be written."""
    left = memoryview(lines)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _mend(descriptor: int) -> None:
    """Cut off a line that a server which was killed did not bring to its end."""
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


def _line(entry: Entry) -> dict[str, Any]:
    return _present(entry) | {"checks": [_present(check) for check in entry.checks]}


def _present(told: Entry | Check) -> dict[str, Any]:
    """The fields that tell something. Not `asdict`, which copies to the bottom: a tenth of a small call."""
    return {name: value for name, value in vars(told).items() if value is not None and value != ()}
