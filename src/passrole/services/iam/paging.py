"""Lists in pages: a marker is the place in the order, so that a page survives what is added or deleted."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from passrole.services.iam import refusals
from passrole.services.pages import Pages

T = TypeVar("T")
PAGE_ITEMS = 100
PAGES = Pages("Marker", lambda marker: refusals.invalid(f"Invalid Marker: {marker}"))


def page(
    member: str,
    rows: Iterable[T],
    *,
    by: Callable[[T], str],
    shape: Callable[[T], Any],
    marker: str | None,
    max_items: int | None,
) -> dict[str, Any]:
    """The answer with the rows beyond the marker, in the order of `by`. Raises ValidationError."""
    beyond = PAGES.beyond(sorted(rows, key=by), marker, by)
    shown, more = PAGES.page(beyond, max_items or PAGE_ITEMS, by)
    return {member: [shape(row) for row in shown], "IsTruncated": bool(more), **more}
