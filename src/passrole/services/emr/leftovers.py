"""What a server that was killed left of EMR: temporary files of steps that are over, Spark's among them, and
folders of clusters that were not stored any more. Logs, scripts and configurations stay.

Of several servers each removes what is in its own folder, whichever deleted the rows.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from passrole import trees
from passrole.config import Config
from passrole.runtimes.jobs import emr_folder
from passrole.runtimes.spark import TEMPORARY
from passrole.runtimes.step_program import HOME
from passrole.services.emr.lifecycle import COMING_UP
from passrole.services.emr.records import CLUSTERS, OVER, active_steps
from passrole.store import Store, Tx


async def sweep(store: Store, config: Config) -> None:
    """Remove it, before the first step. What cannot be removed stays."""
    working = await store.read(_working)
    await asyncio.to_thread(_remove, emr_folder(config.data, ""), working)


async def forget(store: Store, config: Config) -> int:
    """Remove the folders of clusters that are not stored any more, while others run; how many there were."""
    found = await asyncio.to_thread(trees.entries, emr_folder(config.data, ""))
    if not found:
        return 0
    # Read after the folders: a cluster is stored before it has one.
    stored = {key.rpartition("/")[2] for key in await store.read(CLUSTERS.keys)}
    forgotten = [folder for folder in found if folder.name not in stored]
    for folder in forgotten:
        await asyncio.to_thread(trees.discard, folder)
    return len(forgotten)


def _working(tx: Tx) -> dict[str, frozenset[str] | None]:
    """By cluster, the steps that may still run; None where its bootstrap actions may."""
    found: dict[str, frozenset[str] | None] = {}
    for key, cluster in CLUSTERS.all(tx):
        steps = frozenset(step.id for step in active_steps(tx, key))
        was_up = cluster.ready is not None and cluster.state not in COMING_UP
        found[cluster.id] = steps if was_up or cluster.state in OVER else None
    return found


def _remove(root: Path, working: Mapping[str, frozenset[str] | None]) -> None:
    for cluster in trees.entries(root):
        if cluster.name not in working:
            trees.discard(cluster)
            continue
        steps = working[cluster.name]
        for step in trees.entries(cluster) if steps is not None else ():
            if step.name not in (steps or ()) and step.name != HOME:
                trees.discard(step / TEMPORARY)
