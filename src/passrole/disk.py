"""Disk errors as one line of log with advice.

A full disk, a removed folder or a damaged database is neither the caller's fault nor a bug: it is logged
without a traceback, and once a minute instead of once a call. Nor is the traceback of one's own call that
failed within passrole told twice: who answered the call has told it.
"""

import errno
import logging
import sqlite3
import time
from pathlib import Path

from passrole.faults import Internal, Outage, Unwritable

REPEAT_SECONDS = 60.0
"""How often a lasting problem is logged."""

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
_REPORTED_MAX = 1_000
_reported_at: dict[str, float] = {}


class FolderRemoved(OSError):
    """The data folder or database was removed or replaced; what the server writes now is lost."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.ENOENT, "it was removed or replaced", str(path))


class StoreUnreachable(ConnectionError):
    """The database of the store does not answer, or refuses; the message is its own, in one line."""


def problem(error: BaseException) -> str | None:
    """The problem with the disk that the error reports; None if it is no disk error."""
    if isinstance(error, FolderRemoved):
        return f"`{error.filename}` was removed or replaced while the server ran: restart the server"
    if isinstance(error, StoreUnreachable):
        return f"PostgreSQL cannot be used: {error}"
    if isinstance(error, OSError):
        return _BY_NUMBER.get(error.errno or 0)
    if isinstance(error, sqlite3.Error):
        return _BY_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE)
    return None


def passes(error: BaseException) -> bool:
    """Whether what the error reports has an end of its own, for which everything waits: a database that is
    away, a disk that takes nothing, or a call that failed because of these.
    """
    return isinstance(error, Outage | Unwritable) or problem(error) is not None


def report(log: logging.Logger, error: BaseException, what: str) -> None:
    """Log that `what` failed: one line for a disk problem, once a minute, or where the traceback of a call
    has been told; else with a traceback.
    """
    message = problem(error)
    if isinstance(error, Internal):
        if not passes(error) or _is_news(what):
            log.error("%s failed, because a call of its own did, as told above", what)
    elif message is None:
        log.error("%s failed in passrole itself", what, exc_info=error)
    elif _is_news(message):
        log.error("%s; until then calls are refused (%s was the first)", message, what)


def _is_news(message: str) -> bool:
    """Whether it was not told in the last minute."""
    now = time.monotonic()
    if now - _reported_at.get(message, -REPEAT_SECONDS) < REPEAT_SECONDS:
        return False
    if len(_reported_at) >= _REPORTED_MAX:
        _reported_at.clear()
    _reported_at[message] = now
    return True
