"""A job run of EMR Serverless whose server cannot reach its database begins when it can."""

import asyncio
from pathlib import Path

import pytest
from tests.store import chosen
from tests.worker.conftest import FakeDoor
from tests.worker.failing_writes import make_quick
from tests.worker.jobs.conftest import ACCOUNT, REGION, ROLE

from passrole.config import Config
from passrole.faults import Fault, Internal, Outage
from passrole.runtimes.jobs import Jobs
from passrole.runtimes.spark import Spark
from passrole.services.emr_serverless.records import JobRun
from passrole.worker.emr_serverless.program import JobRunPrograms, Outcome
from passrole.worker.outages import TRIES_MAX


@pytest.mark.parametrize(
    ("faults", "calls", "reason"),
    [
        ([Outage(), Outage(), Fault("AccessDenied", "not allowed")], 3, "not allowed"),
        ([Internal(), Fault("AccessDenied", "not allowed")], 2, "not allowed"),
        ([Internal()], TRIES_MAX, Internal().message),
    ],
    ids=["database", "passrole itself for a moment", "passrole itself"],
)
def test_its_role_is_assumed_once_the_database_is_back(
    faults: list[Fault], calls: int, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_quick(monkeypatch)
    monkeypatch.setattr(Spark, "unavailable_reason", lambda _self: None)
    door = FakeDoor()
    door.prepare("AssumeRole", *faults)
    assert asyncio.run(_outcome(door, tmp_path)) == Outcome(
        None, f"The role {ROLE} cannot be assumed: {reason}"
    )
    assert len(door.called("sts:AssumeRole")) == calls


async def _outcome(door: FakeDoor, folder: Path) -> Outcome:
    run = JobRun(
        f"{ACCOUNT}/{REGION}/00app",
        ACCOUNT,
        REGION,
        "00app",
        "00run",
        1000.0,
        1000.0,
        ROLE,
        ROLE,
        "emr-7.0.0",
        "token",
        {"jobDriver": {"sparkSubmit": {"entryPoint": "s3://b/k.py"}}},
    )
    store, jobs = chosen.opened(folder / "data"), Jobs()
    try:
        programs = JobRunPrograms(store, door, lambda: 1000.0, Config(data=folder / "data"), jobs)
        async with asyncio.timeout(30):
            return await programs.run(run)
    finally:
        await jobs.close()
        await store.close()
