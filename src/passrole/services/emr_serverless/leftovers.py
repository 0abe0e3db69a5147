"""What a server that was killed left of EMR Serverless: temporary files of attempts that are over, Spark's
among them, and folders of job runs that were not stored any more. Logs, scripts and configurations stay.

Of several servers each removes what is in its own folder, whichever deleted the rows.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from passrole import trees
from passrole.config import Config
from passrole.runtimes.jobs import serverless_folder
from passrole.runtimes.spark import TEMPORARY
from passrole.services.emr_serverless.records import APPLICATIONS, OVER, RUNS
from passrole.store import Store, Tx

Working = Mapping[tuple[str, str], str | None]
"""By application and job run, the attempt that may still run; None where none does."""


async def sweep(store: Store, config: Config) -> None:
    """Remove it, before the first job run. What cannot be removed stays."""
    working = await store.read(_working)
    await asyncio.to_thread(_remove, serverless_folder(config.data, ""), working)


async def forget(store: Store, config: Config) -> int:
    """Remove the folders of job runs and applications that are not stored any more, while others run; how
    many there were.
    """
    found = await asyncio.to_thread(_folders, serverless_folder(config.data, ""))
    if not found:
        return 0
    # Read after the folders: what has one is stored before.
    keys = await store.read(lambda tx: [*APPLICATIONS.keys(tx), *RUNS.keys(tx)])
    stored = {tuple(key.split("/")[2:]) for key in keys}
    forgotten = [folder for names, folder in found.items() if names not in stored]
    for folder in forgotten:
        await asyncio.to_thread(trees.discard, folder)
    return len(forgotten)


def _folders(root: Path) -> Mapping[tuple[str, ...], Path]:
    """Those of job runs and of applications, by the names of both or of one; job runs first."""
    applications = trees.entries(root)
    found: dict[tuple[str, ...], Path] = {
        (each.name, run.name): run for each in applications for run in trees.entries(each)
    }
    return found | {(each.name,): each for each in applications}


def _working(tx: Tx) -> Working:
    return {
        (run.application_id, run.id): None if run.state in OVER else str(run.attempt)
        for _, run in RUNS.all(tx)
    }


def _remove(root: Path, working: Working) -> None:
    applications = {application for application, _ in working}
    for application in trees.entries(root):
        if application.name not in applications:
            trees.discard(application)
            continue
        for run in trees.entries(application):
            if (application.name, run.name) not in working:
                trees.discard(run)
                continue
            for attempt in trees.entries(run):
                if attempt.name != working[application.name, run.name]:
                    trees.discard(attempt / TEMPORARY)
