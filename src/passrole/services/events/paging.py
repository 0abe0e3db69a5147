"""Lists of EventBridge in pages: a token names the last one of the page before."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from passrole.services.events import refusals
from passrole.services.pages import Pages

T = TypeVar("T")
PAGE_ITEMS = 100
PAGES = Pages("NextToken", lambda _: refusals.invalid("Parameter NextToken is not valid."))


def page(
    member: str,
    rows: Sequence[T],
    name: Callable[[T], str],
    shape: Callable[[T], Any],
    limit: int | None,
    token: str | None,
) -> dict[str, Any]:
    """The answer with the rows beyond the token; rows come by name. Raises ValidationException."""
    shown, more = PAGES.page(PAGES.beyond(rows, token, name), limit or PAGE_ITEMS, name)
    return {member: [shape(row) for row in shown], **more}
