"""Clusters: described, listed, protected, terminated."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole import arns
from passrole.services.context import Context
from passrole.services.emr import refusals, shapes
from passrole.services.emr.lifecycle import terminate
from passrole.services.emr.paging import page
from passrole.services.emr.records import (
    CLUSTERS,
    Cluster,
    cluster_keys,
    existing,
    job_flow,
    the_cluster,
)
from passrole.services.operation import Parameters, Permission, operation
from passrole.store import Tx

JOB_FLOWS_MAX = 10


def _first(ctx: Context, parameters: Parameters) -> str:
    named = parameters["job_flow_ids"]
    return arns.cluster(ctx.region, ctx.account, named[0] if named else "*")


def _others(action: str) -> Any:
    """Each cluster after the first has a decision of its own."""

    async def others(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
        return [
            Permission(
                action,
                arns.cluster(ctx.region, ctx.account, each),
                await cluster_keys(ctx, {"cluster_id": each}),
            )
            for each in parameters["job_flow_ids"][1:]
        ]

    return others


async def _first_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Any]:
    named = parameters["job_flow_ids"]
    return await cluster_keys(ctx, {"cluster_id": named[0]}) if named else {}


@operation("elasticmapreduce:DescribeCluster", resource=the_cluster, keys=cluster_keys)
async def describe_cluster(ctx: Context, *, cluster_id: str) -> dict[str, Any]:
    """Everything about a cluster, also when it is over."""
    return {"Cluster": shapes.cluster(await ctx.store.read(lambda tx: existing(tx, ctx, cluster_id)))}


@operation("elasticmapreduce:ListClusters")
async def list_clusters(
    ctx: Context,
    *,
    created_after: float | None = None,
    created_before: float | None = None,
    cluster_states: Sequence[str] = (),
    marker: str | None = None,
) -> dict[str, Any]:
    """Clusters by the time they were made, newest first."""
    found = await ctx.store.read(lambda tx: [each for _, each in CLUSTERS.within(tx, *ctx.location)])
    wanted = [
        each
        for each in found
        if (not cluster_states or each.state in cluster_states)
        and (created_after is None or each.created >= created_after)
        and (created_before is None or each.created <= created_before)
    ]
    wanted.sort(key=lambda each: (each.created, each.id), reverse=True)
    return page("Clusters", wanted, lambda each: each.id, shapes.cluster_summary, marker)


@operation(
    "elasticmapreduce:TerminateJobFlows",
    resource=_first,
    keys=_first_keys,
    also=_others("elasticmapreduce:TerminateJobFlows"),
)
async def terminate_job_flows(ctx: Context, *, job_flow_ids: Sequence[str]) -> None:
    """Begin to end clusters. Those that are protected stay; the others end although the call then fails."""
    if len(job_flow_ids) > JOB_FLOWS_MAX:
        raise refusals.invalid(f"Job flow ids length must not exceed {JOB_FLOWS_MAX}.")

    def end(tx: Tx) -> bool:
        clusters = [job_flow(tx, ctx, each) for each in job_flow_ids]
        kept = [each for each in clusters if _is_protected(each)]
        for each in clusters:
            if each not in kept:
                terminate(tx, each, ctx.clock(), "USER_REQUEST", "Terminated by user request")
        return bool(kept)

    if await ctx.store.write(end):
        raise refusals.protected()


@operation(
    "elasticmapreduce:SetTerminationProtection",
    resource=_first,
    keys=_first_keys,
    also=_others("elasticmapreduce:SetTerminationProtection"),
)
async def set_termination_protection(
    ctx: Context, *, job_flow_ids: Sequence[str], termination_protected: bool
) -> None:
    """Keep clusters from being terminated by a call, or no longer."""

    def set_(tx: Tx) -> None:
        for each in job_flow_ids:
            cluster = job_flow(tx, ctx, each)
            if cluster.ended is not None:
                raise refusals.over()
            CLUSTERS.put(tx, cluster.key, replace(cluster, protected=termination_protected))

    await ctx.store.write(set_)


def _is_protected(cluster: Cluster) -> bool:
    """A cluster that ends after its last step is not protected, also where that was asked for.

    https://docs.aws.amazon.com/emr/latest/ManagementGuide/UsingEMR_TerminationProtection.html
    """
    return cluster.protected and cluster.keep_alive and cluster.ended is None
