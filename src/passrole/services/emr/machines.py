"""Instance groups and bootstrap actions, shown as RunJobFlow gave them: no machine is started for them."""

from collections.abc import Mapping
from typing import Any

from passrole.services.context import Context
from passrole.services.emr import refusals
from passrole.services.emr.paging import page
from passrole.services.emr.records import OVER, Cluster, cluster_keys, existing, the_cluster
from passrole.services.operation import operation

_SHOWN_AGAIN = ("Name", "Market", "BidPrice", "InstanceType", "Configurations", "CustomAmiId")


@operation("elasticmapreduce:ListInstanceGroups", resource=the_cluster, keys=cluster_keys)
async def list_instance_groups(ctx: Context, *, cluster_id: str, marker: str | None = None) -> dict[str, Any]:
    """The instance groups, each with the requested number of instances."""
    cluster = await ctx.store.read(lambda tx: existing(tx, ctx, cluster_id))
    if "InstanceFleets" in cluster.asked["Instances"]:
        raise refusals.has_fleets()
    groups = [_group(cluster, index, each) for index, each in enumerate(_groups(cluster.asked["Instances"]))]
    return page("InstanceGroups", groups, lambda group: str(group["Id"]), lambda group: group, marker)


@operation("elasticmapreduce:ListBootstrapActions", resource=the_cluster, keys=cluster_keys)
async def list_bootstrap_actions(
    ctx: Context, *, cluster_id: str, marker: str | None = None
) -> dict[str, Any]:
    """The bootstrap actions, in their order."""
    cluster = await ctx.store.read(lambda tx: existing(tx, ctx, cluster_id))
    numbered = list(enumerate(cluster.bootstrap))
    return page("BootstrapActions", numbered, lambda one: str(one[0]), lambda one: _command(one[1]), marker)


def _groups(instances: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Those that were named, or the two that the older members of Instances stand for."""
    if "InstanceGroups" in instances:
        return list(instances["InstanceGroups"])
    count = int(instances.get("InstanceCount", 1))
    master = instances.get("MasterInstanceType", "m5.xlarge")
    worker = instances.get("SlaveInstanceType", master)
    groups: list[Mapping[str, Any]] = [{"InstanceRole": "MASTER", "InstanceType": master, "InstanceCount": 1}]
    if count > 1:
        groups.append({"InstanceRole": "CORE", "InstanceType": worker, "InstanceCount": count - 1})
    return groups


def _group(cluster: Cluster, index: int, given: Mapping[str, Any]) -> dict[str, Any]:
    count = given["InstanceCount"]
    state = "TERMINATED" if cluster.state in OVER else "RUNNING"
    return {
        **{name: given[name] for name in _SHOWN_AGAIN if name in given},
        "Id": f"ig-{cluster.id.removeprefix('j-')[:-2]}{index:02d}",
        "Market": given.get("Market", "ON_DEMAND"),
        "InstanceGroupType": given["InstanceRole"],
        "RequestedInstanceCount": count,
        "RunningInstanceCount": 0 if state == "TERMINATED" else count,
        "Status": {"State": state, "Timeline": {"CreationDateTime": cluster.created}},
    }


def _command(action: Mapping[str, Any]) -> dict[str, Any]:
    script = action["ScriptBootstrapAction"]
    return {"Name": action["Name"], "ScriptPath": script["Path"], "Args": list(script.get("Args", ()))}
