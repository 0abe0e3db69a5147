"""Pages of entities: by source, type and time of creation."""

from collections.abc import Mapping
from typing import Any, TypedDict

from passrole.services.context import Context
from passrole.services.sagemaker.lineage.records import COLLECTIONS, Entity
from passrole.services.sagemaker.paging import Orders, SortOrder, is_between, sorted_page
from passrole.store import Tx

PAGE_DEFAULT = 10
_SHOWN = ("CreationTime", "LastModifiedTime", "Source", "Status")


class EntityListing(TypedDict, total=False):
    """The members of a List request besides the type; times are inclusive."""

    source_uri: str
    created_after: float
    created_before: float
    sort_by: str
    sort_order: SortOrder
    next_token: str
    max_results: int


async def page(ctx: Context, kind: str, type_: str | None, asked: EntityListing) -> dict[str, Any]:
    """The answer of a List operation. Raises ValidationException for an invalid token."""
    source_uri = asked.get("source_uri")
    created = asked.get("created_after"), asked.get("created_before")

    def found(tx: Tx) -> dict[str, Any]:
        entities = [
            each
            for _, each in COLLECTIONS[kind].within(tx, *ctx.location)
            if source_uri in (None, each.source.get("SourceUri"))
            and type_ in (None, each.type_)
            and is_between(each.created, *created)
        ]
        shown, more = sorted_page(
            entities,
            _ORDERS,
            asked.get("sort_by", "CreationTime"),
            asked.get("sort_order", "Descending"),
            asked.get("next_token"),
            asked.get("max_results", PAGE_DEFAULT),
        )
        return {f"{kind.title()}Summaries": [_summary(each) for each in shown], **more}

    return await ctx.store.read(found)


def _summary(entity: Entity) -> Mapping[str, Any]:
    word = entity.kind.title()
    wanted = (*_SHOWN, *(f"{word}{each}" for each in ("Arn", "Name", "Type")))
    return {name: value for name, value in entity.description().items() if name in wanted}


_ORDERS: Orders[Entity] = {
    "CreationTime": (lambda entity: (entity.created, entity.id), (float, str)),
    "Name": (lambda entity: (entity.name or "", entity.id), (str, str)),
}
