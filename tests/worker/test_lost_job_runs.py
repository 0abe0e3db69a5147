"""A job run of EMR Serverless that another server has lost runs here no longer."""

import asyncio
import time
from pathlib import Path

import pytest
from tests.eventually import eventually_async
from tests.store import chosen
from tests.store.without_notices import lose_notices
from tests.worker.conftest import FakeDoor
from tests.worker.failing_writes import FullDisk, fail_for_a_moment, make_quick
from tests.worker.jobs.conftest import ACCOUNT, NOTHING_LISTED, REGION, ROLE, session

from passrole.config import Config, Paths
from passrole.runtimes.jobs import Jobs
from passrole.runtimes.spark import Spark
from passrole.services.emr_serverless import lifecycle
from passrole.services.emr_serverless.records import APPLICATIONS, RUNS, STARTED, Application, JobRun, put_run
from passrole.store import Tx, claims
from passrole.store.share import Share
from passrole.worker.emr_serverless.controller import JobRunController
from passrole.worker.supervisor import Supervisor

RELEASE = "emr-7.1.0"
APPLICATION = Application(ACCOUNT, REGION, "00a", None, RELEASE, 0.0, 0.0, "t", state=STARTED)
ASKED = {"retryPolicy": {"maxAttempts": 2}, "jobDriver": {"sparkSubmit": {"entryPoint": "s3://b/k.py"}}}


def job_run() -> JobRun:
    return JobRun(APPLICATION.key, ACCOUNT, REGION, "00a", "00r", 0.0, 0.0, ROLE, ROLE, RELEASE, "t", ASKED)


def _spark(folder: Path, notes: Path) -> str:
    """A SPARK_HOME whose spark-submit notes the attempt that it is of, and lasts."""
    submit = folder / "bin" / "spark-submit"
    submit.parent.mkdir(parents=True)
    submit.write_text(f"#!/bin/sh\necho $$ >> {notes}\nwhile :; do sleep 0.05; done\n")
    submit.chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("was_cut_off", [False, True])
def test_its_program_is_ended_while_the_next_attempt_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, was_cut_off: bool
) -> None:
    make_quick(monkeypatch)
    if was_cut_off:  # one write failed, and what the other server says is not heard
        lose_notices(monkeypatch)
    monkeypatch.setattr(Share, "is_whole", False)
    monkeypatch.setattr(Spark, "unavailable_reason", lambda _self: None)
    asyncio.run(_scenario(tmp_path, monkeypatch, was_cut_off=was_cut_off))


async def _scenario(folder: Path, patch: pytest.MonkeyPatch, *, was_cut_off: bool) -> None:
    notes, run = folder / "notes", job_run()
    config = Config(
        data=folder / "data", shared_paths=Paths(str(folder)), spark_home=_spark(folder / "s", notes)
    )
    store, supervisor, door = chosen.opened(config.data), Supervisor(), FakeDoor()
    door.prepare("AssumeRole", session())
    door.prepare("ListObjectsV2", NOTHING_LISTED)
    jobs = Jobs(processes_max=config.processes_max)

    def begin(tx: Tx) -> int:
        APPLICATIONS.put(tx, APPLICATION.key, APPLICATION)
        put_run(tx, run)
        return claims.enter(tx, "this")

    def take_over(tx: Tx) -> int:
        other = claims.enter(tx, "other")
        assert claims.mark_gone(tx, store.share.node)
        assert claims.take_over(tx, "emr-serverless", other, 10) == [run.key]
        lifecycle.lose(tx, run.key, time.time())
        assert lifecycle.settle(tx, run.key, time.time()).start  # the next attempt, at the other one
        return claims.enter(tx, "this")

    try:
        store.share.node = await store.write(begin)
        controller = JobRunController(store, door, time.time, config, jobs)
        controller.start(supervisor)
        await eventually_async(notes.exists)
        if was_cut_off:
            await fail_for_a_moment(FullDisk(store, patch), controller._due, run.key)
            await eventually_async(lambda: APPLICATION.key not in controller._due._failures)
        store.share.node = await store.write(take_over)
        await eventually_async(lambda: not jobs.running)
        now = await store.read(lambda tx: RUNS.get(tx, run.key))
        assert now is not None and (now.state, now.attempt) == ("RUNNING", 2)
        assert len(notes.read_text().split()) == 1
    finally:
        await supervisor.close()
        await store.close()
