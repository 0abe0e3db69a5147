"""Reads the audit trail, oldest call first.

It judges nothing and asks no server: where one server has a data folder, the files in it are enough, also
those of a server that has ended. Where several share a database, each copies its lines there (shipping.py):
the trail is these rows, and the lines of the folder's files that are not copied yet.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from passrole.audit import files, rows
from passrole.audit.entry import Entry, NotAnEntry, decode
from passrole.audit.wanted import EVERYTHING, Wanted
from passrole.store import Tx

T = TypeVar("T")


class Unreadable(Exception):
    """The trail cannot be read; the message says which file, and why."""


class NoTrail(Unreadable):
    """No server has written a trail in the folder."""


class Look(Protocol):
    """`Store.read` for those who have no event loop."""

    def __call__(self, fn: Callable[[Tx], T], /) -> T:
        """The function's result, on a snapshot of what is committed."""


def entries(data: Path, wanted: Wanted = EVERYTHING, look: Look | None = None) -> Iterator[Entry]:
    """The wanted calls; an unfinished last line is left out. Raises Unreadable.

    `look` is into the database of the folder, None where it has none. The lines of one file come in their
    order, those of several servers by these servers' clocks.
    """
    found = _merged(data, wanted, look)
    yield from found if wanted.last is None else deque(found, maxlen=wanted.last)


class _Found(NamedTuple):
    """A line, and what a person calls the place where it was."""

    where: str
    text: bytes


def _merged(data: Path, wanted: Wanted, look: Look | None) -> Iterator[Entry]:
    try:
        with files.opened(data) as found:
            places: list[rows.Place | None] = [None for _ in found]
            if look is not None:
                places = look(lambda tx: [rows.place(tx, file) for file in found])
            if not found and (look is None or not look(lambda tx: rows.page(tx, Wanted(last=1), ()))):
                raise NoTrail(f"`{data}` has no audit trail (`{files.CURRENT}`), which a server writes")
            unshipped = [place for place in places if place is not None]
            tail = _entries(wanted, _tail(list(zip(found, places, strict=True))))
            if look is None:
                yield from tail
            else:
                shipped = _entries(wanted, _shipped(look, wanted, unshipped))
                yield from heapq.merge(shipped, tail, key=lambda entry: entry.time)
    except ConnectionError as error:
        raise Unreadable(f"the database with the trail: {error}") from error
    except OSError as error:
        raise Unreadable(f"`{error.filename or data}` cannot be read: {error.strerror}") from error


def _tail(opened: list[tuple[files.TrailFile, rows.Place | None]]) -> Iterator[_Found]:
    """The lines that are in files alone."""
    for file, place in opened:
        for line in file.rest(place.shipped if place else 0):
            yield _Found(str(file.path), line.text)


def _shipped(look: Look, wanted: Wanted, unshipped: list[rows.Place]) -> Iterator[_Found]:
    """The lines that are rows, a page at a time."""
    after = rows.FIRST
    while page := _page(look, wanted, unshipped, after):
        yield from (_Found("the database", each.line) for each in page)
        if wanted.last is not None:
            return
        after = page[-1]


def _page(look: Look, wanted: Wanted, unshipped: list[rows.Place], after: rows.Shipped) -> list[rows.Shipped]:
    return look(lambda tx: rows.page(tx, wanted, unshipped, after))


def _entries(wanted: Wanted, lines: Iterator[_Found]) -> Iterator[Entry]:
    for line in lines:
        if wanted.may_fit(line.text) and wanted.fits(entry := _decoded(line)):
            yield entry


def _decoded(found: _Found) -> Entry:
    where, line = found
    try:
        return decode(line)
    except ValueError as error:
        raise Unreadable(f"`{where}` has a line that is not JSON: {line[:40]!r}") from error
    except NotAnEntry as error:
        raise Unreadable(f"`{where}` has a line that is not an entry of the trail: {line[:40]!r}") from error
