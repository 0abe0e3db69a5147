"""Lists of EMR in pages of fifty; a marker names the last one of the page before."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from passrole.services.emr import refusals

T = TypeVar("T")
PAGE_ITEMS = 50


def page(
    member: str,
    rows: Sequence[T],
    name: Callable[[T], str],
    shape: Callable[[T], Any],
    marker: str | None,
) -> dict[str, Any]:
    """The answer with the rows beyond the marker, in their order. Raises Fault."""
    first = 0 if marker is None else _beyond([name(row) for row in rows], marker)
    shown = rows[first : first + PAGE_ITEMS]
    answer: dict[str, Any] = {member: [shape(row) for row in shown]}
    if len(rows) > first + PAGE_ITEMS:
        answer["Marker"] = base64.urlsafe_b64encode(name(shown[-1]).encode()).decode()
    return answer


def _beyond(names: list[str], marker: str) -> int:
    try:
        return (
            names.index(base64.b64decode(marker.encode("ascii"), altchars=b"-_", validate=True).decode()) + 1
        )
    except (UnicodeError, binascii.Error, ValueError):
        raise refusals.bad_marker(marker) from None
