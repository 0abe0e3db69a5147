"""The job monitor over a real store: no failed poll and no failed write leaves a step waiting for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.store import chosen
from tests.worker.conftest import PIPELINE, ROLE, FakeDoor
from tests.worker.failing_writes import FullDisk, make_quick

from passrole import history
from passrole.engine.facts import JobEnded
from passrole.history import jobs
from passrole.history.jobs import Job
from passrole.services.events.destinations import NOTICES
from passrole.services.sagemaker.jobs.states import ENDS
from passrole.store import SqliteStore, Tx
from passrole.worker import job_monitor
from passrole.worker.calls import Calls
from passrole.worker.job_monitor import JobMonitor
from passrole.worker.job_steps.table import job_steps
from passrole.worker.supervisor import Supervisor

EXECUTION = f"{PIPELINE}/execution/e"
RUNNING, COMPLETED = ({"Step": {"Status": {"State": state}}} for state in ("RUNNING", "COMPLETED"))


def arn_of(step: str) -> str:
    return f"arn:aws:sagemaker:us-east-1:111122223333:some-job/{step}"


class Scene:
    """Jobs of an execution, a monitor, and the facts that it recorded."""

    def __init__(self, store: SqliteStore, patch: pytest.MonkeyPatch) -> None:
        self.store = store
        self.disk = FullDisk(store, patch)
        self.door = FakeDoor()
        self.door.prepare("DescribeStep", RUNNING)
        self.supervisor = Supervisor()
        self.recorded: list[str] = []
        calls = Calls(self.door, lambda: 1.0)
        self.monitor = JobMonitor(store, job_steps(calls, lambda: 1.0), lambda: 1.0)
        patch.setattr(history, "advance", self._advance)

    def _advance(self, tx: Tx, execution: str, fact: Any) -> None:
        assert execution == EXECUTION and isinstance(fact, JobEnded)
        if jobs.find(tx, Job("", execution, "", fact.step, fact.attempt, {}).key) is None:
            raise AssertionError(f"the end of {fact.step} was recorded twice")
        jobs.forget(tx, execution, fact.step, fact.attempt)
        if fact.step not in self.recorded:  # the transaction may run again
            self.recorded.append(fact.step)

    async def add(self, *steps: str) -> None:
        def write(tx: Tx) -> None:
            handle: dict[str, Any] = {"ClusterId": "j-1", "OwnsCluster": False}
            for step in steps:
                job = Job("EMR", EXECUTION, ROLE, step, 1, handle | {"StepId": f"s-{step}"})
                jobs._ROWS.put(tx, job.key, job)
                tx.notify(jobs.JOBS, job.key)

        await self.store.write(write)

    async def add_job(self, step: str, word: str) -> None:
        """A SageMaker job that runs, and was looked at once."""
        job = Job(word, EXECUTION, ROLE, step, 1, {"Arn": arn_of(step)})
        self.door.prepare(f"Describe{word}Job", {f"{word}JobStatus": "InProgress"})

        def write(tx: Tx) -> None:
            jobs._ROWS.put(tx, job.key, job)
            tx.notify(jobs.JOBS, job.key)

        await self.store.write(write)
        await eventually_async(lambda: self.door.called(f"sagemaker:Describe{word}Job"))

    async def emit(self) -> None:
        """An event of EMR that concerns every step of the cluster."""
        await self.store.write(lambda tx: tx.notify(NOTICES, "j-1 "))

    async def polls(self, count: int) -> None:
        await eventually_async(lambda: len(self.door.called("emr:DescribeStep")) >= count)


def run(folder: Path, patch: pytest.MonkeyPatch, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    make_quick(patch)

    async def opened() -> None:
        store = chosen.opened(folder)
        scene = Scene(store, patch)
        try:
            await scenario(scene)
        finally:
            await scene.supervisor.close()
            await store.close()

    asyncio.run(opened())


def test_an_end_that_cannot_be_written_is_written_once_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.add("a")
        scene.door.prepare("DescribeStep", COMPLETED)
        scene.disk.is_full = True
        now = [1.0]
        scene.monitor._due._clock = lambda: now[0]
        scene.monitor.start(scene.supervisor)
        await eventually_async(lambda: scene.disk.refused == 1)
        scene.disk.is_full = False
        now[0] += 1.0  # a back-off, and far less than RECONCILE_SECONDS
        await eventually_async(lambda: scene.recorded == ["a"])

    run(tmp_path, monkeypatch, scenario)


def test_an_event_has_a_job_polled_again_and_one_during_a_poll_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()

    async def slow(_parameters: Any) -> dict[str, Any]:
        await gate.wait()
        return RUNNING

    async def scenario(scene: Scene) -> None:
        await scene.add("a")
        scene.monitor.start(scene.supervisor)
        await scene.polls(1)
        scene.door.prepare("DescribeStep", slow, COMPLETED)
        await scene.emit()
        await scene.polls(2)
        await scene.emit()
        await scene.emit()
        gate.set()
        await eventually_async(lambda: scene.recorded == ["a"])
        assert len(scene.door.called("emr:DescribeStep")) == 3

    run(tmp_path, monkeypatch, scenario)


def test_more_jobs_than_are_polled_at_once_take_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Scene) -> None:
        monkeypatch.setattr(job_monitor, "LOOKS_MAX", 2)
        scene.door.prepare("DescribeStep", COMPLETED)
        await scene.add(*"abcdefg")
        scene.monitor.start(scene.supervisor)
        await eventually_async(lambda: sorted(scene.recorded) == list("abcdefg"))

    run(tmp_path, monkeypatch, scenario)


def test_every_kind_hears_of_its_jobs_beside_those_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Scene) -> None:
        scene.monitor.start(scene.supervisor)
        await scene.add_job("t", "Training")
        await scene.add("a")
        await scene.add_job("p", "Processing")
        await scene.polls(1)
        scene.door.prepare("DescribeProcessingJob", {"ProcessingJobStatus": "Completed"})
        await scene.store.write(lambda tx: tx.notify(ENDS, arn_of("p")))
        await eventually_async(lambda: scene.recorded == ["p"])
        scene.door.prepare("DescribeStep", COMPLETED)
        await scene.emit()
        await eventually_async(lambda: scene.recorded == ["p", "a"])
        scene.door.prepare("DescribeTrainingJob", {"TrainingJobStatus": "Completed"})
        await scene.store.write(lambda tx: tx.notify(ENDS, arn_of("t")))
        await eventually_async(lambda: scene.recorded == ["p", "a", "t"])

    run(tmp_path, monkeypatch, scenario)
