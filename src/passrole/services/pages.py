"""Lists in pages: a cursor says where the page before ended.

The store is asked for one row more than a page holds, which tells whether another page follows. A cursor
holds the position of the last row and not a number of rows, so that a list may change between two pages.
It grants nothing: whoever makes one up reads what the caller may list anyway.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from passrole.faults import Fault

T = TypeVar("T")
Position = tuple[str | float, ...]
Read = Callable[[str, int], Sequence[tuple[str, T]]]


@dataclass(frozen=True)
class Pages:
    """The lists of one service.

    `member` holds the cursor in its answers (`NextToken`); `refusal` is told a cursor that it never gave.
    """

    member: str
    refusal: Callable[[str], Fault]

    def position(self, cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
        """The position in a cursor, its parts of these kinds; None on the first page. Raises `refusal`."""
        if cursor is None:
            return None
        try:
            parts = orjson.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        except ValueError:
            parts = None
        if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
            raise self.refusal(cursor)
        return tuple(parts)

    def name(self, cursor: str | None) -> str:
        """The name in a cursor; empty on the first page. Raises `refusal`."""
        position = self.position(cursor, str)
        return position[0] if position else ""

    def after(self, cursor: str | None, key: Callable[[str], str]) -> str:
        """The key of the last row of the page before, made of its name; empty on the first page.

        Raises `refusal`, also where `key` has ValueError for the name.
        """
        name = self.name(cursor)
        try:
            return key(name) if name else ""
        except ValueError:
            raise self.refusal(cursor or "") from None

    def page(
        self, rows: Sequence[T], limit: int, position: Callable[[T], str | Position]
    ) -> tuple[Sequence[T], dict[str, str]]:
        """The first `limit` rows, and the member with the cursor of the page after them, if there is one."""
        shown = rows[:limit]
        if len(rows) <= limit:
            return shown, {}
        last = position(shown[-1])
        return shown, {self.member: to_cursor(last if isinstance(last, tuple) else (last,))}

    def beyond(self, rows: Sequence[T], cursor: str | None, name: Callable[[T], str]) -> Sequence[T]:
        """The rows after the cursor, in a list that is ordered by name."""
        if cursor is None:
            return rows
        after = self.name(cursor)
        return [row for row in rows if name(row) > after]

    def following(self, rows: Sequence[T], cursor: str | None, name: Callable[[T], str]) -> Sequence[T]:
        """The rows after the cursor, in a list of any order. Raises `refusal` where its row is gone."""
        if cursor is None:
            return rows
        after = self.name(cursor)
        for number, row in enumerate(rows, 1):
            if name(row) == after:
                return rows[number:]
        raise self.refusal(cursor)

    def listed(
        self,
        member: str,
        rows: Sequence[T],
        name: Callable[[T], str],
        shape: Callable[[T], Any],
        cursor: str | None,
        limit: int,
    ) -> dict[str, Any]:
        """The answer with the rows after the cursor, in their order, as they are shown. Raises `refusal`."""
        shown, more = self.page(self.following(rows, cursor, name), limit, name)
        return {member: [shape(row) for row in shown], **more}


def to_cursor(position: Position) -> str:
    """A position as clients get it."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode()


def wanted_rows(read: Read[T], wanted: Callable[[T], bool], *, after: str, limit: int) -> list[T]:
    """The first `limit` rows that are wanted, read page by page: `read(after, limit)` gives keys and rows."""
    found: list[T] = []
    while len(found) < limit:
        batch = read(after, limit)
        found += [row for _, row in batch if wanted(row)]
        if len(batch) < limit:
            break
        after = batch[-1][0]
    return found[:limit]
