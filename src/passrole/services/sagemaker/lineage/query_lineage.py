"""QueryLineage: what an entity came from, and what came from it.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_QueryLineage.html
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.sagemaker.lineage import records
from passrole.services.sagemaker.lineage.records import ASSOCIATIONS, Association, Entity
from passrole.services.sagemaker.paging import PAGES, is_between
from passrole.store import Tx

Direction = Literal["Both", "Ascendants", "Descendants"]
DEPTH_MAX = VERTICES_DEFAULT = 10


@operation("sagemaker:QueryLineage")
async def query_lineage(
    ctx: Context,
    *,
    start_arns: Sequence[str] = (),
    direction: Direction = "Descendants",
    include_edges: bool = True,
    filters: Mapping[str, Any] | None = None,
    max_depth: int = DEPTH_MAX,
    max_results: int = VERTICES_DEFAULT,
    next_token: str | None = None,
) -> dict[str, Any]:
    """The entities that the start leads to, nearest first, without the start itself, and what joins them.

    Raises ResourceNotFound.
    """

    def found(tx: Tx) -> dict[str, Any]:
        joined = [each for _, each in ASSOCIATIONS.within(tx, *ctx.location)]
        starts = [records.require(tx, ctx, arn).arn for arn in start_arns]
        edges = list(_reached(starts, joined, direction, max_depth))
        reached = dict.fromkeys(arn for edge in edges for arn in (edge.source, edge.destination))
        vertices = [records.require(tx, ctx, arn) for arn in reached if arn not in starts]
        wanted = [each for each in vertices if _is_wanted(each, filters or {})]
        shown, more = PAGES.page(PAGES.following(wanted, next_token, _arn), max_results, _arn)
        answer = {"Vertices": [_vertex(each) for each in shown], **more}
        return {**answer, "Edges": [_edge(each) for each in edges]} if include_edges else answer

    return await ctx.store.read(found)


def _reached(
    starts: Sequence[str], joined: Sequence[Association], direction: Direction, depth: int
) -> Iterator[Association]:
    """The associations on the ways from the start, each once, level by level."""
    ways = ("Descendants", "Ascendants") if direction == "Both" else (direction,)
    for way in ways:
        seen, level = set(starts), set(starts)
        for _ in range(depth):
            found = [each for each in joined if _from(each, way) in level]
            yield from found
            level = {_to(each, way) for each in found} - seen
            seen |= level
            if not level:
                break


def _from(edge: Association, way: str) -> str:
    return edge.source if way == "Descendants" else edge.destination


def _to(edge: Association, way: str) -> str:
    return edge.destination if way == "Descendants" else edge.source


def _is_wanted(entity: Entity, filters: Mapping[str, Any]) -> bool:
    types, kinds = filters.get("Types"), filters.get("LineageTypes")
    properties: Mapping[str, str] = entity.request.get("Properties", {})
    times = (
        is_between(entity.created, filters.get(f"{each}After"), filters.get(f"{each}Before"))
        for each in ("Created", "Modified")
    )
    return (
        (not types or entity.type_ in types)
        and (not kinds or entity.kind.title() in kinds)
        and all(times)
        and all(properties.get(name) == value for name, value in filters.get("Properties", {}).items())
    )


def _arn(entity: Entity) -> str:
    return entity.arn


def _vertex(entity: Entity) -> dict[str, str]:
    return {"Arn": entity.arn, "Type": entity.type_, "LineageType": entity.kind.title()}


def _edge(joined: Association) -> dict[str, Any]:
    return without_none(
        SourceArn=joined.source, DestinationArn=joined.destination, AssociationType=joined.type_
    )
