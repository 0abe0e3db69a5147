"""What a server that was killed left of EMR Serverless: temporary files of attempts that are over, Spark's
among them, and folders of job runs that were not stored any more. Logs, scripts and configurations stay.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from passrole import trees
from passrole.config import Config
from passrole.runtimes.jobs import serverless_folder
from passrole.runtimes.spark import TEMPORARY
from passrole.services.emr_serverless.records import OVER, RUNS
from passrole.store import Store, Tx

Working = Mapping[tuple[str, str], str | None]
"""By application and job run, the attempt that may still run; None where none does."""


async def sweep(store: Store, config: Config) -> None:
    """Remove it, before the first job run. What cannot be removed stays."""
    working = await store.read(_working)
    await asyncio.to_thread(_remove, serverless_folder(config.data, ""), working)


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
