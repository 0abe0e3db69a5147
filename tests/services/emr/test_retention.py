"""Clusters that ended long ago go with their steps and folders; nothing else does."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.store import chosen

from passrole.arns import Account, Region
from passrole.config import Config
from passrole.history import jobs
from passrole.services.emr import leftovers, retention
from passrole.services.emr.records import CLUSTERS, STEPS, Cluster, EmrStep, put_step
from passrole.store import SqliteStore, Tx, shared_files

Run = Callable[[Callable[["Fleet"], Awaitable[None]]], None]


class Fleet:
    """Rows of clusters, and their folders."""

    def __init__(self, store: SqliteStore, data: Path) -> None:
        self.store, self.data = store, data

    async def add(self, name: str, ended: float | None, *, steps: int = 1) -> None:
        cluster = Cluster(
            account=Account("111122223333"),
            region=Region("us-east-1"),
            id=name,
            name=name,
            created=1.0,
            service_role="arn:s",
            instance_role="arn:i",
            instance="i-1",
            request="r",
            state="WAITING" if ended is None else "TERMINATED",
            ended=ended,
        )

        def put(tx: Tx) -> None:
            CLUSTERS.put(tx, cluster.key, cluster)
            for number in range(steps):
                put_step(
                    tx,
                    EmrStep(cluster.key, f"s-{number}", number, "s", "CONTINUE", 1.0, "j", state="COMPLETED"),
                )

        await self.store.write(put)
        folder = self.data / "emr" / name / "s-0"
        folder.mkdir(parents=True)
        (folder / "stdout").write_text("said")

    async def left(self) -> tuple[list[str], int, list[str]]:
        """Clusters, the number of steps, and folders."""
        clusters = await self.store.read(lambda tx: [cluster.id for _, cluster in CLUSTERS.all(tx)])
        steps = await self.store.read(lambda tx: len(STEPS.all(tx)))
        return clusters, steps, sorted(path.name for path in (self.data / "emr").iterdir())

    async def sweep(self) -> int:
        """How many clusters went; then the folders of those that are not stored go."""
        deleted = await retention.sweep(self.store, self.data, before=10.0)
        await leftovers.forget(self.store, Config(data=self.data))
        return deleted


@pytest.fixture
def rows(tmp_path: Path) -> Run:
    def run(scenario: Callable[[Fleet], Awaitable[None]]) -> None:
        async def opened() -> None:
            store = chosen.opened(tmp_path)
            try:
                await scenario(Fleet(store, tmp_path))
            finally:
                await store.close()

        asyncio.run(opened())

    return run


def test_old_clusters_go_and_young_and_running_ones_stay(rows: Run) -> None:
    async def scenario(fleet: Fleet) -> None:
        for name, ended in (("j-old", 9.0), ("j-young", 11.0), ("j-runs", None)):
            await fleet.add(name, ended)
        assert await fleet.sweep() == 1
        assert await fleet.left() == (["j-runs", "j-young"], 2, ["j-runs", "j-young"])

    rows(scenario)


def test_a_cluster_for_whose_step_an_execution_waits_stays(rows: Run) -> None:
    async def scenario(fleet: Fleet) -> None:
        await fleet.add("j-old", 9.0)
        job = jobs.Job("EMR", "arn:e/execution/x", "arn:r", "S", 1, {"ClusterId": "j-old", "StepId": "s-0"})
        await fleet.store.write(lambda tx: jobs._ROWS.put(tx, job.key, job))
        assert await fleet.sweep() == 0
        await fleet.store.write(lambda tx: jobs.forget(tx, job.execution, job.step, job.attempt))
        assert await fleet.sweep() == 1

    rows(scenario)


def test_batches_are_bounded_and_a_crash_between_them_is_harmless(
    rows: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEPS_AT_ONCE_MAX", 2)

    async def crashed(fleet: Fleet) -> None:
        await fleet.add("j-old", 9.0, steps=5)
        write, calls = fleet.store.write, list[Any]()

        async def once(fn: Callable[[Tx], Any]) -> Any:
            if calls:
                raise ConnectionAbortedError
            calls.append(await write(fn))
            return calls[-1]

        with monkeypatch.context() as patch:
            patch.setattr(fleet.store, "write", once)
            with pytest.raises(ConnectionAbortedError):
                await fleet.sweep()
        assert await fleet.left() == (["j-old"], 3, ["j-old"])

    async def went_on(fleet: Fleet) -> None:
        assert await fleet.sweep() == 1
        assert await fleet.left() == ([], 0, [])

    rows(crashed)
    rows(went_on)


def test_what_another_server_deleted_goes_here_and_a_cluster_that_is_new_stays(rows: Run) -> None:
    async def scenario(fleet: Fleet) -> None:
        for name in ("j-there", "j-here"):
            await fleet.add(name, 9.0)
        (fleet.data / "emr" / "j-there").rename(fleet.data / "there")
        assert await retention.sweep(fleet.store, fleet.data / "of another", before=10.0) == 2
        read, forget = fleet.store.read, leftovers.forget(fleet.store, Config(data=fleet.data))

        async def after_a_new_one(fn: Callable[[Tx], Any]) -> Any:
            fleet.store.read = read  # type: ignore[method-assign]
            await fleet.add("j-new", None)
            return await read(fn)

        fleet.store.read = after_a_new_one  # type: ignore[assignment,method-assign]
        assert await forget == 1
        assert await fleet.left() == (["j-new"], 1, ["j-new"])

    rows(scenario)


def test_rows_of_what_steps_printed_go_with_their_cluster(rows: Run) -> None:
    async def scenario(fleet: Fleet) -> None:
        for name, ended in (("j-old", 9.0), ("j-young", 11.0)):
            await fleet.add(name, ended)
        files = [f"emr/{name}/{of}/stdout" for name in ("j-old", "j-young") for of in ("s-0", "bootstrap-1")]

        def put(tx: Tx) -> None:
            for file in files:
                shared_files.put(tx, file, {0: b"said"})

        await fleet.store.write(put)
        assert await fleet.sweep() == 1
        left = await fleet.store.read(lambda tx: [shared_files.read(tx, file, 0, 9)[1] for file in files])
        assert left == [b"", b"", b"said", b"said"]

    rows(scenario)
