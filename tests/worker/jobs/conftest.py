"""Jobs in the test's own process, behind a door that does what it is told: for what a server hides."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.store import chosen
from tests.worker.conftest import FakeDoor

from passrole.arns import Account, Region
from passrole.config import Config
from passrole.runtimes.jobs import Jobs
from passrole.services.sagemaker.jobs import lookup, states
from passrole.services.sagemaker.jobs.kinds import TRAINING
from passrole.services.sagemaker.jobs.records import Job
from passrole.store import SqliteStore, Tx
from passrole.worker.jobs import JobRunner, Means
from passrole.worker.supervisor import Supervisor

ACCOUNT, REGION = Account("111122223333"), Region("eu-west-1")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
NOTHING_LISTED: dict[str, Any] = {"Contents": [], "IsTruncated": False}


class Bench:
    """A runner of jobs over a real store, real programs in real sandboxes, and a fake S3."""

    def __init__(self, store: SqliteStore, data: Path) -> None:
        self.store, self.door, self.data = store, FakeDoor(), data
        for operation in ("CreateLogGroup", "CreateLogStream", "PutLogEvents", "PutObject"):
            self.door.prepare(operation, {})
        self.door.prepare("AssumeRole", session())
        self.door.prepare("ListObjectsV2", NOTHING_LISTED)
        self.supervisor, self.jobs = Supervisor(), Jobs()
        means = Means(self.door, lambda: 1000.0, Config(data=data), self.jobs)
        self.runner = JobRunner(store, means)
        self.runner.start(self.supervisor)

    async def start(
        self,
        script: str,
        name: str = "a",
        metric: dict[str, str] | None = None,
        also: Callable[[Tx], object] = lambda _: None,
        **request: Any,
    ) -> None:
        """Create a training job that runs a shell script, and do `also` something in the transaction."""
        specification = {
            "TrainingImage": "x/sagemaker-scikit-learn:1",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/sh", "-c", script],
            "MetricDefinitions": [metric] if metric else [],
        }
        whole = {
            "AlgorithmSpecification": specification,
            "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
            **request,
        }
        arn = TRAINING.arn(REGION, ACCOUNT, name)
        job = Job(name, ACCOUNT, REGION, arn, ROLE, whole, 1000.0, 1000.0)
        await self.store.write(lambda tx: (states.created(tx, TRAINING, job), also(tx)))

    async def job(self, name: str = "a") -> Job:
        found = await self.store.read(lambda tx: TRAINING.collection.get(tx, f"{ACCOUNT}/{REGION}/{name}"))
        assert found is not None
        return found

    async def stop(self, name: str = "a") -> None:
        """As StopTrainingJob does."""
        job = await self.job(name)

        def write(tx: Any) -> None:
            states.update(tx, TRAINING, states.stopping(TRAINING, job, 1001.0), 1001.0)
            tx.notify(lookup.STOPS, job.arn)

        await self.store.write(write)

    async def until(self, phase: str, name: str = "a") -> None:
        async def reached() -> bool:
            return (await self.job(name)).secondary == phase

        await eventually_async(reached)

    async def printed(self, text: str, name: str = "a") -> Path:
        """Wait until its program has printed it; the folder of its output."""
        run = self.data.resolve() / "jobs" / "training-job" / ACCOUNT / REGION / name / "algo-1" / "run"

        async def has() -> bool:
            return (run / "stdout").exists() and text in (run / "stdout").read_text()

        await eventually_async(has)
        return run

    async def ended(self, name: str = "a") -> Job:
        async def is_over() -> bool:
            return (await self.job(name)).has_ended

        await eventually_async(is_over)
        return await self.job(name)

    async def close(self) -> None:
        await self.jobs.close()
        self.runner.close()
        await self.supervisor.close()
        await self.store.close()


Scenario = Callable[[Bench], Awaitable[None]]


@pytest.fixture
def run_bench(tmp_path: Path, sandboxed: None) -> Callable[[Scenario], None]:
    """Runs a scenario with a bench of its own. Skips where programs cannot be confined."""

    def run(scenario: Scenario) -> None:
        async def opened() -> None:
            bench = Bench(chosen.opened(tmp_path / "data"), tmp_path / "data")
            try:
                await scenario(bench)
            finally:
                await bench.close()

        asyncio.run(opened())

    return run


def session() -> dict[str, Any]:
    """AssumeRole's answer."""
    return {
        "AssumedRoleUser": {"Arn": "arn:session", "AssumedRoleId": "AROA:SageMaker"},
        "Credentials": {
            "AccessKeyId": "ASIA",
            "SecretAccessKey": "s",
            "SessionToken": "t",
            "Expiration": 4600.0,
        },
    }
