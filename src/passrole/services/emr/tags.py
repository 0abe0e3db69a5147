"""Tags of clusters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.emr.records import CLUSTERS, TAGS, cluster_keys, existing, the_cluster
from passrole.services.operation import Parameters, operation
from passrole.services.tags import Tags, removed_keys
from passrole.store import Tx


async def _adding(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**await cluster_keys(ctx, parameters), **TAGS.checked_request_keys(ctx, parameters)}


async def _removing(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**await cluster_keys(ctx, parameters), **removed_keys(ctx, parameters)}


@operation("elasticmapreduce:AddTags", resource=the_cluster, keys=_adding, ignores=("cluster_id",))
async def add_tags(ctx: Context, *, resource_id: str, tags: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Add tags, in place of those with the same keys."""
    return await _change(ctx, resource_id, lambda present: TAGS.added(present, tags))


@operation("elasticmapreduce:RemoveTags", resource=the_cluster, keys=_removing, ignores=("cluster_id",))
async def remove_tags(ctx: Context, *, resource_id: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags; unknown keys are ignored."""
    return await _change(ctx, resource_id, lambda present: TAGS.removed(present, tag_keys))


async def _change(ctx: Context, cluster_id: str, change: Callable[[Tags], dict[str, str]]) -> dict[str, Any]:
    def write(tx: Tx) -> None:
        cluster = existing(tx, ctx, cluster_id)
        CLUSTERS.put(tx, cluster.key, replace(cluster, tags=change(cluster.tags)))

    await ctx.store.write(write)
    return {}
