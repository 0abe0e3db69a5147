"""Pages of entities: by source, type and time of creation."""

from collections.abc import Mapping
from typing import Any

from passrole.services.context import Context
from passrole.services.sagemaker.lineage.records import COLLECTIONS, Entity
from passrole.services.sagemaker.paging import Orders, SortOrder, is_between, sorted_page
from passrole.store import Tx

PAGE_DEFAULT = 10
_SHOWN = ("CreationTime", "LastModifiedTime", "Source", "Status")


async def page(
    ctx: Context,
    kind: str,
    *,
    source_uri: str | None,
    type_: str | None,
    created: tuple[float | None, float | None],
    order: tuple[str, SortOrder],
    next_token: str | None,
    max_results: int,
) -> dict[str, Any]:
    """The answer of a List operation."""

    def found(tx: Tx) -> dict[str, Any]:
        entities = [
            each
            for _, each in COLLECTIONS[kind].within(tx, *ctx.location)
            if source_uri in (None, each.source.get("SourceUri"))
            and type_ in (None, each.type_)
            and is_between(each.created, *created)
        ]
        shown, more = sorted_page(entities, _ORDERS, *order, next_token, max_results)
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
