"""Deletes clusters that ended long ago; worker/housekeeping.py calls it where a setting asks for that.

A transaction deletes some steps of one cluster, and the last one the cluster. Killed between two: the cluster
is there with the other steps, and goes in the next sweep. Its folder goes then on the server that has it
(leftovers.py).
"""

from functools import partial
from pathlib import Path

from passrole.history import jobs
from passrole.runtimes.jobs import emr_folder
from passrole.services.emr.records import ACTIVE_STEPS, CLUSTERS, OVER, STEPS, Cluster, active_steps
from passrole.store import Store, Tx, shared_files

STEPS_AT_ONCE_MAX = 500


async def sweep(store: Store, data: Path, before: float) -> int:
    """Delete the clusters that ended before a moment, with their steps; how many there were.

    One for whose step an execution waits stays.
    """
    old = await store.read(partial(_old, before=before))
    for cluster in old:
        while not await store.write(partial(_delete_some, cluster=cluster, data=data)):
            pass
    return len(old)


def _old(tx: Tx, before: float) -> list[Cluster]:
    waited_for = {job.handle.get("ClusterId") for job in jobs.under_way(tx)}
    return [
        cluster
        for key, cluster in CLUSTERS.all(tx)
        if _ended_before(cluster, before) and cluster.id not in waited_for and not active_steps(tx, key)
    ]


def _ended_before(cluster: Cluster, before: float) -> bool:
    return cluster.state in OVER and cluster.ended is not None and cluster.ended < before


def _delete_some(tx: Tx, cluster: Cluster, data: Path) -> bool:
    """Delete the first steps of a cluster; whether it had no more, and was deleted."""
    steps = STEPS.children(tx, cluster.key, limit=STEPS_AT_ONCE_MAX)
    for step_key, step in steps:
        STEPS.delete(tx, step_key)
        ACTIVE_STEPS.delete(tx, step_key)
        shared_files.forget_below(tx, data, emr_folder(data, cluster.id, step.id))
    if len(steps) == STEPS_AT_ONCE_MAX:
        return False
    shared_files.forget_below(tx, data, emr_folder(data, cluster.id))  # of bootstrap actions
    CLUSTERS.delete(tx, cluster.key)
    return True
