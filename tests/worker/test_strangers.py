"""What a server ends at its start: programs of its folder of which others have said that they are lost."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.eventually import eventually_async
from tests.store import chosen
from tests.worker.jobs.conftest import ACCOUNT, REGION, ROLE
from tests.worker.test_emr_clusters import CLUSTER
from tests.worker.test_lost_job_runs import APPLICATION, job_run

from passrole.config import Config
from passrole.runtimes.jobs import (
    JobLost,
    Jobs,
    JobSpec,
    emr_folder,
    is_running,
    job_folder,
    serverless_folder,
)
from passrole.services.emr import lifecycle as clusters
from passrole.services.emr.records import CLUSTERS, EmrStep, put_step
from passrole.services.emr_serverless import lifecycle as job_runs
from passrole.services.emr_serverless.records import ACTIVE_RUNS, APPLICATIONS, RUNS, put_run
from passrole.services.sagemaker.jobs import states
from passrole.services.sagemaker.jobs.kinds import TRAINING
from passrole.services.sagemaker.jobs.records import Job
from passrole.store import Tx, claims
from passrole.store.share import Share
from passrole.worker import strangers

REQUEST = {"OutputDataConfig": {"S3OutputPath": "s3://b/m"}, "AlgorithmSpecification": {"TrainingImage": "x"}}
JOB = Job("a", ACCOUNT, REGION, TRAINING.arn(REGION, ACCOUNT, "a"), ROLE, REQUEST, 1.0, 1.0)
STEP = EmrStep(CLUSTER.key, "s-1", 1, "s", "CONTINUE", 0.0, "command-runner.jar", state="RUNNING")
RUN = replace(job_run(), state="RUNNING")
CLAIMED = {"training-job": JOB.key, "emr-cluster": CLUSTER.key, "emr-serverless": RUN.key}
Meanwhile = Callable[[Tx], object]
ALL = {"job", "step", "action", "attempt"}
FOLDERS: dict[str, Callable[[Path], Path]] = {
    "job": lambda data: job_folder(data, "training-job", JOB.key) / "algo-1" / "run",
    "step": lambda data: emr_folder(data, CLUSTER.id, STEP.id),
    "action": lambda data: emr_folder(data, CLUSTER.id, "bootstrap-1"),
    "attempt": lambda data: serverless_folder(data, APPLICATION.id, RUN.id, 1),
}


class Machine:
    """A data folder with a program of each kind, as a server that was killed has left it."""

    def __init__(self, data: Path) -> None:
        self.store = chosen.opened(data)
        self.config = Config(data=data)
        self.folders = {name: folder(data) for name, folder in FOLDERS.items()}
        self._jobs = Jobs(0.0)
        self._running: list[asyncio.Task[int]] = []

    async def begin(self, state: str = "BOOTSTRAPPING") -> None:
        """The programs, and rows which say that they run here."""
        for folder in self.folders.values():
            spec = JobSpec(folder, folder, ["sleep", "600"], {})
            self._running.append(asyncio.create_task(self._jobs.run(spec)))
        await eventually_async(lambda: all(map(is_running, self.folders.values())))
        (self.folders["job"].parent / "ml").mkdir()
        self.store.share.node = await self.store.write(lambda tx: self._enter(tx, state))

    async def started_again(self, meanwhile: Meanwhile) -> set[str]:
        """Which programs go on once the next server of the folder has started."""

        def enter(tx: Tx) -> int:
            meanwhile(tx)
            return claims.enter(tx, "this")

        self.store.share.node = await self.store.write(enter)
        await strangers.end(self.store, self.config)
        return {name for name, folder in self.folders.items() if is_running(folder)}

    async def close(self) -> None:
        await self._jobs.close()
        for each in await asyncio.gather(*self._running, return_exceptions=True):
            assert isinstance(each, int | JobLost), each
        await self.store.close()

    def _enter(self, tx: Tx, state: str) -> int:
        node = claims.enter(tx, "this")
        states.created(tx, TRAINING, JOB)
        CLUSTERS.put(tx, CLUSTER.key, replace(CLUSTER, state=state))
        put_step(tx, STEP)
        APPLICATIONS.put(tx, APPLICATION.key, APPLICATION)
        put_run(tx, RUN)
        for kind, key in CLAIMED.items():
            assert claims.claim(tx, kind, key, node)
        return node


@pytest.fixture
def going_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., set[str]]:
    """Which programs go on after what happens while their server is away."""

    def run(meanwhile: Meanwhile, state: str = "BOOTSTRAPPING", *, is_whole: bool = False) -> set[str]:
        async def scenario() -> set[str]:
            machine = Machine(tmp_path / "data")
            try:
                await machine.begin(state)
                monkeypatch.setattr(Share, "is_whole", is_whole)
                found = await machine.started_again(meanwhile)
                assert (machine.folders["job"].parent / "ml").exists() == ("job" in found)
                return found
            finally:
                await machine.close()

        return asyncio.run(scenario())

    return run


def nothing(_tx: Tx) -> None:
    """Nobody does anything."""


def taken_over(tx: Tx) -> None:
    """Another server has marked it as gone."""
    (present,) = claims.present(tx)
    other = claims.enter(tx, "other")
    assert claims.mark_gone(tx, present)
    for kind in CLAIMED:
        assert claims.take_over(tx, kind, other, 10)


def lost(tx: Tx) -> None:
    """It has said, too, that all that ran is lost; the attempt is followed by another one."""
    taken_over(tx)
    job = TRAINING.collection.get(tx, JOB.key)
    assert job is not None
    states.update(tx, TRAINING, states.ended(TRAINING, job, "Failed", 2.0), 2.0)
    clusters.lose(tx, CLUSTER.key, 2.0)
    job_runs.lose(tx, RUN.key, 2.0)
    assert job_runs.settle(tx, RUN.key, 2.0).start


def next_attempt(tx: Tx) -> None:
    """The attempt was lost, and the next one is this server's own."""
    job_runs.lose(tx, RUN.key, 2.0)


def deleted(tx: Tx) -> None:
    """All rows, as by retention."""
    for collection, key in ((TRAINING.collection, JOB.key), (CLUSTERS, CLUSTER.key), (ACTIVE_RUNS, RUN.key)):
        assert collection.delete(tx, key)
    assert RUNS.delete(tx, RUN.key)


def unclaimed(tx: Tx) -> None:
    """As after `passrole migrate` from a server that was alone."""
    tx.run("DELETE FROM claims")


@pytest.mark.parametrize(
    ("meanwhile", "expected"),
    [
        (nothing, ALL),
        (unclaimed, ALL),
        (next_attempt, ALL - {"attempt"}),
        (taken_over, set()),
        (lost, set()),
        (deleted, set()),
    ],
)
def test_a_program_goes_on_only_where_its_work_is_still_its_servers(
    going_on: Callable[..., set[str]], meanwhile: Meanwhile, expected: set[str]
) -> None:
    assert going_on(meanwhile) == expected


def test_a_bootstrap_action_of_a_cluster_that_is_up_is_ended(going_on: Callable[..., set[str]]) -> None:
    assert going_on(nothing, "RUNNING") == ALL - {"action"}


def test_one_server_alone_ends_nothing(going_on: Callable[..., set[str]]) -> None:
    assert going_on(lost, is_whole=True) == ALL
