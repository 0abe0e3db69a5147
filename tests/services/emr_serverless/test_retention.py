"""Job runs that ended long ago go with their folders, and then deleted applications; nothing else does.

At a start, folders of nothing and temporary files of attempts that are over go.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.store import chosen

from passrole.arns import Account, Region
from passrole.config import Config
from passrole.history import jobs
from passrole.runtimes.spark import TEMPORARY
from passrole.services.emr_serverless import leftovers, retention
from passrole.services.emr_serverless.records import (
    APPLICATIONS,
    RUN_TOKENS,
    RUNS,
    Application,
    JobRun,
    RunToken,
    put_run,
)
from passrole.store import SqliteStore, Tx

Run = Callable[[Callable[["Rows"], Awaitable[None]]], None]
ACCOUNT, REGION = Account("111122223333"), Region("us-east-1")


class Rows:
    """Rows of applications and job runs, and the folders of their attempts."""

    def __init__(self, store: SqliteStore, data: Path) -> None:
        self.store, self.data = store, data

    async def application(self, name: str, *, deleted: float | None = None) -> Application:
        application = Application(ACCOUNT, REGION, name, None, "emr-7.1.0", 1.0, 1.0, name)
        if deleted is not None:
            application = replace(application, state="TERMINATED", updated=deleted)
        await self.store.write(lambda tx: APPLICATIONS.put(tx, application.key, application))
        return application

    async def run(self, of: Application, name: str, ended: float | None, *, attempts: int = 1) -> None:
        run = JobRun(
            of.key, ACCOUNT, REGION, of.id, name, 1.0, 1.0, "arn:u", "arn:r", "emr-7.1.0", name, {},
            state="RUNNING" if ended is None else "FAILED", ended=ended, attempt=attempts,
        )  # fmt: skip

        def put(tx: Tx) -> None:
            put_run(tx, run)
            RUN_TOKENS.put(tx, RUN_TOKENS.child(of.key, name), RunToken(name))

        await self.store.write(put)
        for attempt in range(1, attempts + 1):
            self.folder(of.id, name, str(attempt))

    def folder(self, *names: str) -> None:
        folder = self.data.joinpath("emr-serverless", *names)
        (folder / TEMPORARY).mkdir(parents=True)
        (folder / "stdout").write_text("said")

    async def left(self) -> tuple[list[str], list[str], int, list[str]]:
        """Applications, job runs, how many tokens, and the folders of job runs."""
        applications = await self.store.read(lambda tx: [each.id for _, each in APPLICATIONS.all(tx)])
        runs = await self.store.read(lambda tx: [run.id for _, run in RUNS.all(tx)])
        tokens = await self.store.read(lambda tx: len(RUN_TOKENS.all(tx)))
        folders = sorted(path.name for path in (self.data / "emr-serverless").glob("*/*"))
        return sorted(applications), sorted(runs), tokens, folders

    async def sweep(self) -> int:
        """How many went; then the folders of what is not stored go."""
        deleted = await retention.sweep(self.store, self.data, before=10.0)
        await leftovers.forget(self.store, Config(data=self.data))
        return deleted


@pytest.fixture
def rows(tmp_path: Path) -> Run:
    def run(scenario: Callable[[Rows], Awaitable[None]]) -> None:
        async def opened() -> None:
            store = chosen.opened(tmp_path)
            try:
                await scenario(Rows(store, tmp_path))
            finally:
                await store.close()

        asyncio.run(opened())

    return run


def test_old_job_runs_go_and_then_applications_that_were_deleted(
    rows: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "RUNS_AT_ONCE_MAX", 1)

    async def scenario(here: Rows) -> None:
        lives, deleted = await here.application("lives"), await here.application("deleted", deleted=9.0)
        late = await here.application("late", deleted=11.0)
        for of, name, ended in ((lives, "r-old", 9.0), (lives, "r-young", 11.0), (lives, "r-runs", None)):
            await here.run(of, name, ended)
        await here.run(deleted, "d-old", 9.0)
        await here.run(late, "l-old", 9.0)
        assert await here.sweep() == 4
        assert await here.left() == (["late", "lives"], ["r-runs", "r-young"], 2, ["r-runs", "r-young"])
        assert await here.sweep() == 0

    rows(scenario)


def test_a_deleted_application_stays_as_long_as_a_job_run_of_it(rows: Run) -> None:
    async def scenario(here: Rows) -> None:
        await here.run(await here.application("deleted", deleted=9.0), "r-young", 11.0)
        assert await here.sweep() == 0

    rows(scenario)


def test_a_job_run_for_which_an_execution_waits_stays(rows: Run) -> None:
    async def scenario(here: Rows) -> None:
        await here.run(await here.application("lives"), "r-old", 9.0)
        handle = {"ApplicationId": "lives", "JobRunId": "r-old"}
        job = jobs.Job("EMRServerless", "arn:e/execution/x", "arn:r", "S", 1, handle)
        await here.store.write(lambda tx: jobs._ROWS.put(tx, job.key, job))
        assert await here.sweep() == 0
        await here.store.write(lambda tx: jobs.forget(tx, job.execution, job.step, job.attempt))
        assert await here.sweep() == 1

    rows(scenario)


def test_what_another_server_deleted_goes_here(rows: Run) -> None:
    async def scenario(here: Rows) -> None:
        lives, deleted = await here.application("lives"), await here.application("deleted", deleted=9.0)
        await here.run(lives, "r-runs", None)
        for of, name in ((lives, "r-old"), (deleted, "d-old")):
            await here.run(of, name, 9.0)
        assert await retention.sweep(here.store, here.data / "of another", before=10.0) == 3
        assert await leftovers.forget(here.store, Config(data=here.data)) == 3
        root = here.data / "emr-serverless"
        assert sorted(path.name for path in root.iterdir()) == ["lives"]
        assert (root / "lives" / "r-runs" / "1" / "stdout").read_text() == "said"
        assert await leftovers.forget(here.store, Config(data=here.data)) == 0

    rows(scenario)


def test_a_start_removes_temporary_files_of_what_is_over_and_folders_of_nothing(rows: Run) -> None:
    async def scenario(here: Rows) -> None:
        lives = await here.application("lives")
        await here.run(lives, "over", 9.0)
        await here.run(lives, "again", None, attempts=2)
        here.folder("lives", "gone", "1")
        here.folder("nowhere", "r", "1")
        root = here.data / "emr-serverless"
        await leftovers.sweep(here.store, Config(data=here.data))
        assert sorted(path.name for path in root.iterdir()) == ["lives"]
        assert sorted(path.name for path in (root / "lives").iterdir()) == ["again", "over"]
        temporary = {str(path.parent.relative_to(root / "lives")) for path in root.glob(f"*/*/*/{TEMPORARY}")}
        assert temporary == {"again/2"}
        assert (root / "lives" / "over" / "1" / "stdout").read_text() == "said"

    rows(scenario)
