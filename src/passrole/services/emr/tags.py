"""Tags of clusters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.emr import refusals, shapes
from passrole.services.emr.passing import request_tags
from passrole.services.emr.records import CLUSTERS, cluster_keys, existing, the_cluster
from passrole.services.operation import Parameters, operation
from passrole.store import Tx

TAGS_MAX = 50


async def _adding(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**await cluster_keys(ctx, parameters), **request_tags(ctx, parameters)}


async def _removing(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**await cluster_keys(ctx, parameters), "aws:TagKeys": tuple(parameters["tag_keys"])}


@operation("elasticmapreduce:AddTags", resource=the_cluster, keys=_adding, ignores=("cluster_id",))
async def add_tags(ctx: Context, *, resource_id: str, tags: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Add tags, or give those that are there another value."""
    return await _change(ctx, resource_id, lambda present: {**present, **shapes.tags_from(tags)})


@operation("elasticmapreduce:RemoveTags", resource=the_cluster, keys=_removing, ignores=("cluster_id",))
async def remove_tags(ctx: Context, *, resource_id: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Take tags away; those that are not there are passed over."""
    return await _change(
        ctx, resource_id, lambda present: {key: present[key] for key in present if key not in tag_keys}
    )


async def _change(
    ctx: Context, cluster_id: str, change: Callable[[Mapping[str, str]], dict[str, str]]
) -> dict[str, Any]:
    def write(tx: Tx) -> None:
        cluster = existing(tx, ctx, cluster_id)
        tags = change(cluster.tags)
        if len(tags) > TAGS_MAX:
            raise refusals.invalid_request(f"A resource can have {TAGS_MAX} tags at most.")
        CLUSTERS.put(tx, cluster.key, replace(cluster, tags=tags))

    await ctx.store.write(write)
    return {}
