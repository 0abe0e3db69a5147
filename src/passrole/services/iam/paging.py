"""Lists in pages: a marker is the place in the order, so that a page survives what is added or deleted."""

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from passrole.services.iam import refusals

T = TypeVar("T")
PAGE_ITEMS = 100


def page(
    member: str,
    rows: Iterable[T],
    *,
    by: Callable[[T], str],
    shape: Callable[[T], Any],
    marker: str | None,
    max_items: int | None,
) -> dict[str, Any]:
    """The answer with the rows beyond the marker, in the order of `by`, under the name `member`."""
    most = max_items or PAGE_ITEMS
    after = _place(marker) if marker is not None else None
    ordered = sorted(rows, key=by)
    beyond = [row for row in ordered if after is None or by(row) > after]
    answer = {member: [shape(row) for row in beyond[:most]], "IsTruncated": len(beyond) > most}
    if len(beyond) > most:
        answer["Marker"] = base64.urlsafe_b64encode(by(beyond[most - 1]).encode()).decode()
    return answer


def _place(marker: str) -> str:
    try:
        return base64.b64decode(marker.encode("ascii"), altchars=b"-_", validate=True).decode()
    except (UnicodeError, binascii.Error):
        raise refusals.invalid(f"Invalid Marker: {marker}") from None
