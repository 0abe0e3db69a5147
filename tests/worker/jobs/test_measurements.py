"""The metrics of a job whose server cannot reach its database, or loses an answer of it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.store import chosen
from tests.worker.failing_writes import make_quick
from tests.worker.jobs.conftest import ACCOUNT, REGION, ROLE

from passrole import disk
from passrole.services.sagemaker.jobs import states
from passrole.services.sagemaker.jobs.kinds import TRAINING
from passrole.services.sagemaker.jobs.metric_definitions import metrics
from passrole.services.sagemaker.jobs.records import Job
from passrole.store import SqliteStore
from passrole.worker.jobs import measurements
from passrole.worker.jobs.measurements import Measurements
from passrole.worker.jobs.programs import Instance

SPECIFICATION = {
    "TrainingImage": "x/sagemaker-scikit-learn:1",
    "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
}
REQUEST = {"AlgorithmSpecification": SPECIFICATION, "OutputDataConfig": {"S3OutputPath": "s3://b/models"}}
JOB = Job(
    "a", ACCOUNT, REGION, TRAINING.arn(REGION, ACCOUNT, "a"), ROLE, REQUEST, 1000.0, 1000.0, watched="loss"
)


class Trial:
    """A job that is watched for its loss, on two instances whose output the test writes."""

    def __init__(self, store: SqliteStore, home: Path) -> None:
        self.store = store
        whole = Measurements(TRAINING, JOB, metrics(SPECIFICATION), store, lambda: 1000.0)
        self._instances = [Instance(f"algo-{number}", number, home / f"{number}") for number in range(2)]
        for each in self._instances:
            each.run.mkdir(parents=True)
        self.measured = [whole.of(each) for each in self._instances]

    def print(self, *losses: float, number: int = 0) -> None:
        with (self._instances[number].run / "stdout").open("a") as file:
            file.writelines(f"loss={each}\n" for each in losses)

    def before_writing(self, act: Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]) -> None:
        """Have `act` called in place of the store's write, which is its argument."""
        write = self.store.write

        async def acted(fn: Callable[[Any], Any]) -> Any:
            return await act(lambda: write(fn))

        self.store.write = acted  # type: ignore[method-assign]

    async def row(self) -> Job:
        found = await self.store.read(lambda tx: TRAINING.collection.get(tx, JOB.key))
        assert found is not None
        return found


def _run(scenario: Callable[[Trial], Awaitable[None]], folder: Path) -> None:
    async def opened() -> None:
        store = chosen.opened(folder / "data")
        try:
            await store.write(lambda tx: states.created(tx, TRAINING, JOB))
            await scenario(Trial(store, folder / "job"))
        finally:
            await store.close()

    asyncio.run(opened())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    make_quick(monkeypatch)


def _lasts(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets more time pass on the loop's clock than finding may take."""
    loop = asyncio.get_running_loop()
    time, passed = loop.time, [0.0]
    monkeypatch.setattr(loop, "time", lambda: time() + passed[0])

    def pass_by() -> None:
        passed[0] += measurements.SECONDS_MAX + 1.0

    return pass_by


def test_the_last_values_are_written_once_the_database_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(trial: Trial) -> None:
        refused: list[int] = []
        pass_by = _lasts(monkeypatch)

        async def away(write: Callable[[], Awaitable[Any]]) -> Any:
            if len(refused) < 3:
                refused.append(1)
                pass_by()
                raise disk.StoreUnreachable("the database is away")
            return await write()

        trial.before_writing(away)
        trial.print(3.0, 2.0)
        await trial.measured[0].bring(is_last=True)
        job = await trial.row()
        assert [each["Value"] for each in job.results[states.METRICS]] == [2.0]
        assert (job.course, len(refused)) == ([3.0, 2.0], 3)

    _run(scenario, tmp_path)


def test_a_full_disk_holds_up_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the end of the job frees it. What was not written is found again where it goes on."""

    async def scenario(trial: Trial) -> None:
        refused: list[int] = []
        pass_by = _lasts(monkeypatch)

        async def full(write: Callable[[], Awaitable[Any]]) -> Any:
            if not refused:
                refused.append(1)
                pass_by()
                raise OSError("no space left")
            return await write()

        trial.before_writing(full)
        trial.print(3.0)
        await trial.measured[0].bring()
        assert list((await trial.row()).course) == []
        await trial.measured[0].bring(is_last=True)
        assert (await trial.row()).course == [3.0]

    _run(scenario, tmp_path)


def test_a_value_is_there_once_where_the_answer_of_its_write_was_lost(tmp_path: Path) -> None:
    async def scenario(trial: Trial) -> None:
        lost: list[int] = []

        async def loses_two(write: Callable[[], Awaitable[Any]]) -> Any:
            answer = await write()
            if len(lost) < 2:
                lost.append(1)
                raise disk.StoreUnreachable("the connection is gone")
            return answer

        trial.before_writing(loses_two)
        trial.print(5.0, 4.0)
        await trial.measured[0].bring()
        trial.print(3.0)
        trial.print(9.0, 8.0, number=1)
        await asyncio.gather(*(each.bring(is_last=True) for each in trial.measured))
        course = list((await trial.row()).course)
        assert (course[:2], sorted(course[2:]), len(lost)) == ([5.0, 4.0], [3.0, 8.0, 9.0], 2)

    _run(scenario, tmp_path)


def test_the_course_goes_on_after_a_restart(tmp_path: Path) -> None:
    async def scenario(trial: Trial) -> None:
        trial.print(5.0, 4.0)
        await trial.measured[0].bring()
        known = await trial.row()
        again = Measurements(TRAINING, known, metrics(SPECIFICATION), trial.store, lambda: 1001.0)
        trial.print(3.0)
        await again.of(Instance("algo-0", 0, tmp_path / "job" / "0")).bring(is_last=True)
        assert await trial.row() == replace(
            known, course=[5.0, 4.0, 3.0], results=(await trial.row()).results, modified=1001.0
        )

    _run(scenario, tmp_path)
