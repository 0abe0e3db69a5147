"""A job whose server cannot reach its database goes on when it can."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.worker.failing_writes import make_quick
from tests.worker.jobs.conftest import ACCOUNT, REGION, Bench, Scenario

from passrole import disk
from passrole.faults import Internal, Outage
from passrole.services.sagemaker.jobs import states
from passrole.services.sagemaker.jobs.kinds import TRAINING
from passrole.worker.jobs import run, runner
from passrole.worker.jobs.failures import LOST


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    make_quick(monkeypatch)


def test_its_calls_wait_for_the_database(run_bench: Callable[[Scenario], None]) -> None:
    async def scenario(bench: Bench) -> None:
        (session,) = bench.door.answers["AssumeRole"]
        bench.door.prepare("AssumeRole", Outage(), Outage(), session)
        bench.door.prepare("PutObject", Outage(), {})
        await bench.start("echo x > /opt/ml/model/m")
        assert (await bench.ended()).status == "Completed"
        assert len(bench.door.called("s3:PutObject")) == 2

    run_bench(scenario)


def test_another_failure_of_passrole_itself_ends_it(run_bench: Callable[[Scenario], None]) -> None:
    async def scenario(bench: Bench) -> None:
        bench.door.prepare("AssumeRole", Internal())
        await bench.start("true")
        job = await bench.ended()
        assert (job.status, job.failure_reason) == ("Failed", LOST)

    run_bench(scenario)


@pytest.mark.parametrize("phase", ["Downloading", "Uploading", "Completed"])
def test_its_next_phase_is_written_once_the_database_is_back(
    run_bench: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    for module in (run, runner):
        monkeypatch.setattr(module, "WRITE_SECONDS_MAX", 0.0)

    async def scenario(bench: Bench) -> None:
        refused = away_before(bench, phase)
        await bench.start("echo x > /opt/ml/model/m")
        assert (await bench.ended()).status == "Completed"
        assert len(refused) == 3

    run_bench(scenario)


def test_what_another_server_has_failed_uploads_nothing_and_stays_as_it_is(
    run_bench: Callable[[Scenario], None],
) -> None:
    """Its next attempt may have written to the same place already."""

    async def scenario(bench: Bench) -> None:
        await bench.start("echo up; until [ -e /opt/ml/model/go ]; do sleep 0.05; done")
        folder = await bench.printed("up")
        job = await bench.job()
        lost = states.ended(TRAINING, job, "Failed", 1002.0, failure_reason=LOST)
        await bench.store.write(lambda tx: states.update(tx, TRAINING, lost, 1002.0))
        before = await bench.job()
        (folder.parent / "ml" / "model" / "go").touch()
        await eventually_async(lambda: not (folder.parent / "ml").exists())
        assert await bench.job() == before
        assert bench.door.called("s3:PutObject") == []

    run_bench(scenario)


def away_before(bench: Bench, phase: str) -> list[str]:
    """Three times, the write that brings the job into this phase finds no database; what was refused."""
    refused: list[str] = []
    write = bench.store.write

    async def refusing(fn: Callable[[Any], Any]) -> Any:
        def undone(tx: Any) -> Any:
            result = fn(tx)
            job = TRAINING.collection.get(tx, f"{ACCOUNT}/{REGION}/a")
            if job is not None and job.secondary == phase and len(refused) < 3:
                raise disk.StoreUnreachable("the database is away")
            return result

        try:
            return await write(undone)
        except disk.StoreUnreachable:
            refused.append(phase)
            raise

    bench.store.write = refusing  # type: ignore[method-assign]
    return refused
