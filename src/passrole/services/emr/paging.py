"""Lists of EMR in pages of fifty; a marker names the last one of the page before."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from passrole.services.emr import refusals
from passrole.services.pages import Pages

T = TypeVar("T")
PAGE_ITEMS = 50
PAGES = Pages("Marker", refusals.bad_marker)


def page(
    member: str,
    rows: Sequence[T],
    name: Callable[[T], str],
    shape: Callable[[T], Any],
    marker: str | None,
) -> dict[str, Any]:
    """The answer with the rows after the marker, in their order. Raises InvalidRequestException."""
    return PAGES.listed(member, rows, name, shape, marker, PAGE_ITEMS)
