"""Lists of EventBridge in pages: a token names the last one of the page before."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from passrole.services.events import refusals

T = TypeVar("T")
PAGE_ITEMS = 100


def page(
    member: str,
    rows: Sequence[T],
    name: Callable[[T], str],
    shape: Callable[[T], Any],
    limit: int | None,
    token: str | None,
) -> dict[str, Any]:
    """The answer with the rows beyond the token; rows come in the order of their names. Raises Fault."""
    after = _name_behind(token) if token is not None else ""
    beyond = [row for row in rows if name(row) > after]
    most = limit or PAGE_ITEMS
    answer: dict[str, Any] = {member: [shape(row) for row in beyond[:most]]}
    if len(beyond) > most:
        answer["NextToken"] = base64.urlsafe_b64encode(name(beyond[most - 1]).encode()).decode()
    return answer


def _name_behind(token: str) -> str:
    try:
        return base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True).decode()
    except (UnicodeError, binascii.Error):
        raise refusals.invalid("Parameter NextToken is not valid.") from None
