"""What most List requests of SageMaker ask: a page of named things, filtered and in an order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypedDict, TypeVar

from passrole.services.sagemaker.paging import Orders, SortOrder, sorted_page

PAGE_DEFAULT = 10
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingJobs.html"""


class Listing(TypedDict, total=False):
    """The members of a List request; times are inclusive."""

    next_token: str
    max_results: int
    name_contains: str
    creation_time_after: float
    creation_time_before: float
    sort_by: str
    sort_order: SortOrder


class StateListing(Listing, total=False):
    """Those for things that change, too."""

    last_modified_time_after: float
    last_modified_time_before: float
    status_equals: str


class Named(Protocol):
    """What every list filters by; a StateListing needs `modified` and `status`, too."""

    @property
    def name(self) -> str: ...
    @property
    def created(self) -> float: ...


N = TypeVar("N", bound=Named)


def listed(
    items: Iterable[N], orders: Orders[N], asked: Listing, order: SortOrder, sort_by: str = "CreationTime"
) -> tuple[Sequence[N], Mapping[str, str]]:
    """A page of the items that pass the filters, and the member with the cursor of the next one.

    `sort_by` and `order` are for a request that names none. Raises ValidationException for an invalid token.
    """
    filters = [(_FILTERS[name], value) for name, value in asked.items() if name in _FILTERS]
    return sorted_page(
        (each for each in items if all(takes(each, value) for takes, value in filters)),
        orders,
        asked.get("sort_by", sort_by),
        asked.get("sort_order", order),
        asked.get("next_token"),
        asked.get("max_results", PAGE_DEFAULT),
    )


_FILTERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "name_contains": lambda item, text: text in item.name,
    "creation_time_after": lambda item, moment: item.created >= moment,
    "creation_time_before": lambda item, moment: item.created <= moment,
    "last_modified_time_after": lambda item, moment: item.modified >= moment,
    "last_modified_time_before": lambda item, moment: item.modified <= moment,
    "status_equals": lambda item, status: item.status == status,
}
