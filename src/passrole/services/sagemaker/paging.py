"""Lists of SageMaker in pages: their size, their order and the filters by time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from passrole.faults import Fault
from passrole.services.pages import Pages

T = TypeVar("T")
SortOrder = Literal["Ascending", "Descending"]
Orders = Mapping[str, tuple[Callable[[T], tuple[Any, ...]], tuple[type, ...]]]
"""By SortBy, the position of an item, which no other has, and the types of its parts."""

PAGES = Pages("NextToken", lambda _: Fault("ValidationException", "The NextToken is not valid."))
PAGE_MAX = 100
"""Also the default of MaxResults, which AWS does not document: the SDK's list_steps reads one page only."""


def page_of(
    member: str, items: Sequence[dict[str, Any]], key: str, token: str | None, limit: int
) -> dict[str, Any]:
    """The answer with a page of `items` under `member`; the member `key` tells items apart.

    Raises ValidationException where the last item of the page before is gone, such as a step that a retry
    has taken back.
    """

    def name(item: dict[str, Any]) -> str:
        return str(item[key])

    shown, more = PAGES.page(PAGES.following(items, token, name), limit, name)
    return {member: shown, **more}


def sorted_page(
    items: Iterable[T], orders: Orders[T], sort_by: str, sort_order: SortOrder, token: str | None, limit: int
) -> tuple[Sequence[T], Mapping[str, str]]:
    """A page of the items in that order, and the member with the cursor of the next one.

    Raises ValidationException for an invalid token.
    """
    order, kinds = orders[sort_by]
    after, descending = PAGES.position(token, *kinds), sort_order == "Descending"
    found = sorted(items, key=order, reverse=descending)
    if after is not None:
        found = [each for each in found if (order(each) < after if descending else order(each) > after)]
    return PAGES.page(found, limit, order)


def is_between(created: float, after: float | None, before: float | None) -> bool:
    """Whether a time passes the filters CreatedAfter and CreatedBefore, both inclusive."""
    return (after is None or created >= after) and (before is None or created <= before)
