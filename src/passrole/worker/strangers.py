"""Ends programs that go on though their work is no longer this server's: at its start, before any begins.

Programs outlive their server (runtimes/jobs.py). One that is started again soon has its claims, and goes on
with them. One that comes after it was marked as gone finds that others have said that they are lost; a retry
may run, and write to the same place. docs/decisions/0021-claims.md

A program stays where its row is not over, is at its attempt, and nobody else has claimed it. Folders are
looked at first and rows after: whatever runs was claimed before it began. Endpoints look after their own
(hosting). A server that is alone ends none.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from passrole import disk, trees
from passrole.config import Config
from passrole.runtimes import containers, step_program
from passrole.runtimes.jobs import emr_folder, is_running, job_folder, kill_found, serverless_folder
from passrole.runtimes.step_program import HOME
from passrole.services.emr.lifecycle import COMING_UP
from passrole.services.emr.records import CLUSTERS, OVER, active_steps
from passrole.services.emr_serverless import lifecycle as job_runs
from passrole.services.emr_serverless.records import ACTIVE_RUNS
from passrole.services.sagemaker.jobs.kinds import KINDS
from passrole.store import Store, Tx
from passrole.worker import emr_clusters, emr_serverless
from passrole.worker.claimed import Claimed
from passrole.worker.jobs.contracts import CONTRACTS
from passrole.worker.jobs.programs import Instance
from passrole.worker.jobs.run import clean

log = logging.getLogger(__name__)

KILLED_AT_ONCE_MAX = 16


class _Found(NamedTuple):
    """The folder in which a program runs, whether that is still ours, and its job's instance."""

    folder: Path
    is_ours: Callable[[Tx], bool]
    instance: Instance | None = None


async def end(store: Store, config: Config) -> None:
    """Kill them, and free what a job's end frees."""
    if store.share.is_whole:
        return
    found = await asyncio.to_thread(lambda: list(_found(store, config.data)))
    if not found:
        return
    strangers = await store.read(lambda tx: [each for each in found if not each.is_ours(tx)])
    room = asyncio.Semaphore(KILLED_AT_ONCE_MAX)
    await asyncio.gather(*(_ended(room, each) for each in strangers))


async def _ended(room: asyncio.Semaphore, found: _Found) -> None:
    async with room:
        if is_running(found.folder):
            log.warning("the program in %s is ended: others have said that it is lost", found.folder)
        await kill_found(found.folder)
        try:
            if found.instance is None:
                step_program.forget(found.folder)
            else:
                await clean([found.instance])
        except OSError as error:
            disk.report(log, error, f"what is left in {found.folder}")


def _found(store: Store, data: Path) -> Iterator[_Found]:
    """What runs below the data folder, and jobs that have left files which their end removes."""
    for resource in CONTRACTS:
        yield from _of_jobs(resource, Claimed(store, resource), data)
    clusters = Claimed(store, emr_clusters.CLAIMS)
    for folder in emr_folder(data, "").glob("*/*"):
        if folder.name != HOME and is_running(folder):
            yield _Found(folder, partial(_is_our_step, clusters, folder))
    runs = Claimed(store, emr_serverless.CLAIMS)
    for folder in serverless_folder(data, "").glob("*/*/*"):
        if folder.name.isdecimal() and is_running(folder):
            yield _Found(folder, partial(_is_our_attempt, runs, folder))


def _of_jobs(resource: str, claimed: Claimed, data: Path) -> Iterator[_Found]:
    root = job_folder(data, resource, "")
    for folder in root.glob("*/*/*"):  # a key is an account, a region and a name
        is_ours = partial(_is_our_job, claimed, resource, folder.relative_to(root).as_posix())
        for home in trees.entries(folder):
            instance = Instance(home.name, 0, home)
            if instance.ml.exists() or is_running(instance.run) or containers.exists(home):
                yield _Found(instance.run, is_ours, instance)


def _is_our_job(claimed: Claimed, resource: str, key: str, tx: Tx) -> bool:
    job = KINDS[resource].collection.get(tx, key)
    return job is not None and not job.has_ended and not claimed.is_anothers(tx, key)


def _is_our_step(claimed: Claimed, folder: Path, tx: Tx) -> bool:
    """Of a cluster that is not over: a step that is not, or a bootstrap action while it comes up."""
    key = next((key for key in CLUSTERS.keys(tx) if key.endswith(f"/{folder.parent.name}")), "")
    cluster = CLUSTERS.get(tx, key)
    if cluster is None or cluster.state in OVER or claimed.is_anothers(tx, key):
        return False
    steps = {step.id for step in active_steps(tx, key)}
    return folder.name in steps or (folder.name.startswith("bootstrap-") and cluster.state in COMING_UP)


def _is_our_attempt(claimed: Claimed, folder: Path, tx: Tx) -> bool:
    ending = f"/{folder.parent.parent.name}/{folder.parent.name}"
    key = next((key for key in ACTIVE_RUNS.keys(tx) if key.endswith(ending)), "")
    return job_runs.is_under_way(tx, key, int(folder.name)) and not claimed.is_anothers(tx, key)
