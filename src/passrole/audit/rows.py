"""Lines of the audit trail as rows, which all servers of a database share, and how far each file is copied.

A file has a number, made of its first line: no two calls have the same request id and moment. So a file that
is renamed, or lies in another folder after a restore, is still the same one. A copy that goes on alone, or an
older one that was restored, has another line where copying is to go on: it gets the next number, under which
those of its lines are added that the first does not have.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import count
from typing import Any, NamedTuple

from passrole.audit.entry import told
from passrole.audit.files import Line, TrailFile, end
from passrole.audit.wanted import DENIED, Wanted
from passrole.store import Tx

PAGE_LINES = 500
_REQUEST_CHARS = 128
"""So much of a request id is kept to search by; PostgreSQL has no long texts in an index."""


class Place(NamedTuple):
    """How far a file is copied: its number, and how many bytes."""

    file: int
    shipped: int


class Shipped(NamedTuple):
    """A line that was copied, with its key in the order of time."""

    at: float
    file: int
    place: int
    line: bytes


FIRST = Shipped(0.0, -1, -1, b"")
"""What comes before every line."""


def place(tx: Tx, file: TrailFile) -> Place | None:
    """How far the file is copied; None before it has a line."""
    first, common = file.first(), 0
    if not first:
        return None
    for turn in count():
        number = int.from_bytes(sha256(b"%d %b" % (turn, first)).digest()[:8]) >> 1
        row = tx.one("SELECT shipped, last FROM audit_files WHERE file = ?", number)
        if row is None:
            return Place(number, common)
        if file.has(bytes(row[1]), until=row[0]):
            return Place(number, row[0])
        common = max(common, _common(tx, Place(number, row[0]), file))
    raise AssertionError("numbers do not end")


def add(tx: Tx, before: Place, lines: Sequence[Line], server: str) -> bool:
    """Add the lines that follow the place. False where it is not the place any more: nothing is added."""
    last = lines[-1].text
    if not tx.run(_GO_ON, before.file, end(lines), last, server, before.shipped):
        return False
    tx.run_many(_ADD, list(_rows(before.file, lines)))
    return True


def page(tx: Tx, wanted: Wanted, unshipped: Sequence[Place], after: Shipped = FIRST) -> list[Shipped]:
    """Lines that may be wanted, oldest first: the next ones after one of them, or the last ones if so wanted.

    Lines beyond the places `unshipped` are left out: whoever asks has them from the files.
    """
    asked, parameters = _conditions(wanted, unshipped)
    if wanted.last is not None:
        rows = tx.all(f"{_SELECT} WHERE {asked} {_NEWEST} LIMIT ?", *parameters, wanted.last)
        return [Shipped(*row) for row in reversed(rows)]
    start = max(after, FIRST._replace(at=wanted.since))[:3]
    sql = f"{_SELECT} WHERE (at, file, place) > (?, ?, ?) AND {asked} {_OLDEST} LIMIT ?"
    return [Shipped(*row) for row in tx.all(sql, *start, *parameters, PAGE_LINES)]


def delete_before(tx: Tx, moment: float, limit: int) -> int:
    """Delete the oldest lines of before the moment, `limit` at most; how many there were."""
    return tx.run(_DELETE, moment, limit)


_GO_ON = (
    "INSERT INTO audit_files (file, shipped, last, server) VALUES (?, ?, ?, ?) ON CONFLICT (file) DO UPDATE"
    " SET shipped = excluded.shipped, last = excluded.last, server = excluded.server"
    " WHERE audit_files.shipped = ?"
)
_ADD = "INSERT INTO audit_lines (file, place, at, request, denied, line) VALUES (?, ?, ?, ?, ?, ?)"
_LAST_WITHIN = (
    "SELECT place, line FROM audit_lines WHERE file = ? AND place >= ? AND place < ?"
    " ORDER BY place DESC LIMIT 1"
)
_SELECT = "SELECT at, file, place, line FROM audit_lines"
_OLDEST, _NEWEST = "ORDER BY at, file, place", "ORDER BY at DESC, file DESC, place DESC"
_DELETE = (
    "DELETE FROM audit_lines WHERE (file, place) IN"
    " (SELECT file, place FROM audit_lines WHERE at < ? ORDER BY at, file, place LIMIT ?)"
)


def _common(tx: Tx, copied: Place, file: TrailFile) -> int:
    """Up to where the file has the lines that were copied of another one, by halves.

    Lines that are deleted by their age are not known to be the same: it is 0 where the first are gone.
    """
    low, high = 0, copied.shipped
    while low < high and (row := tx.one(_LAST_WITHIN, copied.file, low, (low + high + 1) // 2)):
        place, line = row[0], bytes(row[1])
        if file.has(line, until=place + len(line)):
            low = place + len(line)
        else:
            high = place
    return low


def _conditions(wanted: Wanted, unshipped: Sequence[Place]) -> tuple[str, list[Any]]:
    """What the WHERE of such lines says, and its parameters."""
    found: list[tuple[str, Sequence[Any]]] = [("at >= ?", (wanted.since,))]
    if wanted.until is not None:
        found.append(("at <= ?", (wanted.until,)))
    if wanted.request_id is not None:
        found.append(("request = ?", (wanted.request[:_REQUEST_CHARS],)))
    if wanted.is_denied:
        found.append(("denied = 1", ()))
    found += [("instr(line, ?) > 0", (text,)) for text in wanted.holding]
    found += [("NOT (file = ? AND place >= ?)", each) for each in unshipped]
    return " AND ".join(sql for sql, _ in found), [value for _, values in found for value in values]


def _rows(file: int, lines: Sequence[Line]) -> Iterator[tuple[Any, ...]]:
    """A line that cannot be understood stands beside the one before it."""
    at = 0.0
    for line in lines:
        at, request = told(line.text, at)
        yield file, line.place, at, request[:_REQUEST_CHARS], int(DENIED in line.text), line.text
