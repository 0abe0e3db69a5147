"""Search and GetSearchSuggestions.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Search.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from passrole.faults import Fault
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation
from passrole.services.sagemaker.paging import PAGE_MAX, Orders, SortOrder, sorted_page
from passrole.services.sagemaker.searching.expressions import Condition, condition_of, sortable
from passrole.services.sagemaker.searching.properties import (
    Document,
    Property,
    Type,
    property_of,
)
from passrole.services.sagemaker.searching.resources import SEARCHED, Searched, results
from passrole.store import Tx

_SORTED_CHARS = 1_000
"""Of a text that results are ordered by: a cursor holds it."""


def _visibility_keys(_ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The key as the guide's policies write it.

    https://docs.aws.amazon.com/sagemaker/latest/dg/security_iam_id-based-policy-examples.html
    """
    given: Sequence[Mapping[str, str]] = parameters.get("visibility_conditions") or ()
    return {
        f"sagemaker:SearchVisibilityCondition/{each['Key']}/EqualsIfExists": each["Value"]
        for each in given
        if "Key" in each and "Value" in each
    }


@operation("sagemaker:Search", keys=_visibility_keys)
async def search(
    ctx: Context,
    *,
    resource: str,
    search_expression: Mapping[str, Any] | None = None,
    sort_by: str | None = None,
    sort_order: SortOrder = "Descending",
    next_token: str | None = None,
    max_results: int = PAGE_MAX,
    cross_account_filter_option: str = "SameAccount",
    visibility_conditions: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """The resources of the account and region that satisfy the expression. Raises ValidationException."""
    searched = SEARCHED.get(resource)
    if searched is None or cross_account_filter_option == "CrossAccount":  # nobody shares anything here
        return _answer([], 0)
    satisfies = _satisfies(searched, search_expression, visibility_conditions)
    sorted_by = sortable(searched.shape, sort_by or searched.newest)

    def found(tx: Tx) -> dict[str, Any]:
        documents = [each for each in searched.read(tx, ctx) if satisfies(each)]
        orders = _orders(searched, sorted_by)
        shown, more = sorted_page(documents, orders, sorted_by.name, sort_order, next_token, max_results)
        return {**_answer(results(searched, shown), len(documents)), **more}

    return await ctx.store.read(found)


@operation("sagemaker:GetSearchSuggestions")
async def get_search_suggestions(
    ctx: Context, *, resource: str, suggestion_query: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The names of tags, metrics and hyperparameters that resources have, and that begin with the hint."""
    searched = SEARCHED.get(resource)
    query: Mapping[str, str] = (suggestion_query or {}).get("PropertyNameQuery") or {}
    hint = query.get("PropertyNameHint", "")

    def found(tx: Tx) -> set[str]:
        if searched is None:
            return set()
        documents = searched.read(tx, ctx)
        return {name for each in documents for name in searched.names(each) if name.startswith(hint)}

    names = sorted(await ctx.store.read(found))
    return {"PropertyNameSuggestions": [{"PropertyName": each} for each in names]}


def _answer(found: Sequence[Mapping[str, Any]], hits: int) -> dict[str, Any]:
    return {"Results": list(found), "TotalHits": {"Value": hits, "Relation": "EqualTo"}}


def _satisfies(
    searched: Searched, expression: Mapping[str, Any] | None, conditions: Sequence[Mapping[str, str]]
) -> Condition:
    asked = [] if expression is None else [condition_of(expression, searched.shape)]
    needed = [*asked, *(_visible(searched, each) for each in conditions)]
    return lambda document: all(condition(document) for condition in needed)


def _visible(searched: Searched, condition: Mapping[str, str]) -> Condition:
    """What lacks the tag is visible too."""
    key, wanted = condition.get("Key", ""), condition.get("Value")
    if not key.startswith(_TAGS):
        raise Fault("ValidationException", f"A key of VisibilityConditions begins with {_TAGS}, not: {key}")
    tag = property_of(searched.shape, f"{searched.tags}.{key.removeprefix(_TAGS)}")
    return lambda document: tag is None or tag.values(document) in ([], [wanted])


def _orders(searched: Searched, sorted_by: Property) -> Orders[Document]:
    """What has no value for it is before all that have; among equals, the ARN decides."""
    is_text = sorted_by.type in (Type.TEXT, Type.HYPERPARAMETER)
    nothing: str | float = "" if is_text else 0.0

    def position(document: Document) -> tuple[Any, ...]:
        values = sorted_by.values(document)
        value = values[0] if values else nothing
        shown = str(value)[:_SORTED_CHARS] if is_text else float(value)
        return bool(values), shown, searched.identity(document)

    return {sorted_by.name: (position, (bool, str if is_text else float, str))}


_TAGS = "Tags."
