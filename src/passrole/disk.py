"""What the disk refuses, told in one line with what to do about it.

A full disk, a folder that is gone or a damaged database is neither the caller's doing nor a bug, so it needs
no traceback, and it is told once and not with every call that it stops.
"""

import errno
import logging
import sqlite3
import time
from pathlib import Path

AGAIN_SECONDS = 60.0
"""A trouble that lasts is told again after that."""

_FULL = "the disk with the data folder is full: free some space on it"
_READ_ONLY = "the disk with the data folder is read-only: mount it for writing"
_FAILS = (
    "the disk with the data folder reports errors: see the system's log, and restore the data from a copy"
)
_REFUSED = "the data folder may not be written to: give it to the user who runs passrole"
_DESCRIPTORS = "too many files are open: raise the limit (`ulimit -n`)"
_BY_NUMBER = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: "the quota of the disk with the data folder is used up: free some space on it",
    errno.EFBIG: "a file in the data folder may not grow further: raise the limit (`ulimit -f`)",
    errno.EROFS: _READ_ONLY,
    errno.EIO: _FAILS,
    errno.EACCES: _REFUSED,
    errno.EPERM: _REFUSED,
    errno.EMFILE: _DESCRIPTORS,
    errno.ENFILE: _DESCRIPTORS,
}
_DAMAGED = "the database `passrole.db` is damaged: restore the data folder from a copy"
# https://www.sqlite.org/rescode.html
_BY_SQLITE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: _FAILS,
    sqlite3.SQLITE_READONLY: _REFUSED,
    sqlite3.SQLITE_PERM: _REFUSED,
    sqlite3.SQLITE_CANTOPEN: "the database `passrole.db` cannot be opened: look at its permissions",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}
_PRIMARY_CODE = 0xFF
_told: dict[str, float] = {}


class Gone(OSError):
    """Somebody removed or replaced what the server keeps its data in: what it writes now is lost."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.ENOENT, "it was removed or replaced", str(path))


def trouble(error: BaseException) -> str | None:
    """What is wrong with the disk, if that is what the error tells of."""
    if isinstance(error, Gone):
        return f"`{error.filename}` was removed or replaced under the server: stop it and start it anew"
    if isinstance(error, OSError):
        return _BY_NUMBER.get(error.errno or 0)
    if isinstance(error, sqlite3.Error):
        return _BY_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE)
    return None


def report(log: logging.Logger, error: BaseException, what: str) -> None:
    """Log that `what` failed: one line where the disk is to blame, and once; else with a traceback."""
    message = trouble(error)
    if message is None:
        log.error("%s failed in passrole itself", what, exc_info=error)
    elif time.monotonic() - _told.get(message, -AGAIN_SECONDS) >= AGAIN_SECONDS:
        _told[message] = time.monotonic()
        log.error("%s; until then calls are refused (%s was the first)", message, what)
