"""Deletes job runs that ended long ago, and applications that were deleted long ago and have none left;
worker/housekeeping.py calls it where a setting asks for that.

A transaction deletes some job runs with their tokens. Killed between two: the others go in the next sweep.
Folders go then on the server that has them (leftovers.py).
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from passrole.history import jobs
from passrole.runtimes.jobs import serverless_folder
from passrole.services.emr_serverless.records import (
    APPLICATIONS,
    OVER,
    RUN_TOKENS,
    RUNS,
    TERMINATED,
    JobRun,
)
from passrole.store import Store, Tx, shared_files

RUNS_AT_ONCE_MAX = 500


async def sweep(store: Store, data: Path, before: float) -> int:
    """Delete what ended before a moment; how many job runs and applications there were.

    A job run for which an execution waits stays.
    """
    old = await store.read(partial(_old, before=before))
    for start in range(0, len(old), RUNS_AT_ONCE_MAX):
        some = old[start : start + RUNS_AT_ONCE_MAX]
        await store.write(partial(_delete_runs, runs=some, data=data))
    applications = await store.write(partial(_delete_applications, before=before))
    return len(old) + len(applications)


def _old(tx: Tx, before: float) -> list[JobRun]:
    waited_for = {job.handle.get("JobRunId") for job in jobs.under_way(tx)}
    return [
        run
        for _, run in RUNS.all(tx)
        if run.state in OVER and run.ended is not None and run.ended < before and run.id not in waited_for
    ]


def _delete_runs(tx: Tx, runs: Sequence[JobRun], data: Path) -> None:
    for run in runs:
        RUNS.delete(tx, run.key)
        RUN_TOKENS.delete(tx, RUN_TOKENS.child(run.application, run.token))
        shared_files.forget_below(tx, data, serverless_folder(data, run.application_id, run.id))


def _delete_applications(tx: Tx, before: float) -> list[str]:
    old = [
        application
        for key, application in APPLICATIONS.all(tx)
        if application.state == TERMINATED
        and application.updated < before
        and not RUNS.children(tx, key, limit=1)
    ]
    for application in old:
        APPLICATIONS.delete(tx, application.key)
    return [application.id for application in old]
