"""Lists of EMR Serverless in pages; a token names the last one of the page before."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from passrole.services.emr_serverless import refusals
from passrole.services.pages import Pages

T = TypeVar("T")
PAGE_ITEMS = 50
PAGES = Pages("nextToken", refusals.bad_token)


def page(
    member: str,
    rows: Sequence[T],
    name: Callable[[T], str],
    shape: Callable[[T], Any],
    token: str | None,
    limit: int,
) -> dict[str, Any]:
    """The answer with the rows after the token, in their order. Raises ValidationException."""
    shown, more = PAGES.page(PAGES.following(rows, token, name), limit, name)
    return {member: [shape(row) for row in shown], **more}
