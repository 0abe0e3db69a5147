"""Lists of KMS in pages: a marker holds the name after which a page begins."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from passrole.services.kms import refusals
from passrole.services.pages import Pages

T = TypeVar("T")
LIMIT_DEFAULT = 100
PAGES = Pages("NextMarker", refusals.bad_marker)


def paged(
    member: str, rows: Sequence[T], limit: int, name: Callable[[T], str], shown: Callable[[T], Any]
) -> dict[str, Any]:
    """An answer with the first `limit` rows."""
    page, more = PAGES.page(rows, limit, name)
    return {member: [shown(row) for row in page], "Truncated": bool(more), **more}
