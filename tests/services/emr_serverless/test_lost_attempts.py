"""What becomes of the end of an attempt that another server has said to be lost."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.store import chosen

from passrole.arns import Account, Region
from passrole.services.emr_serverless import lifecycle
from passrole.services.emr_serverless.records import APPLICATIONS, RUNS, STARTED, Application, JobRun, put_run
from passrole.store import Tx

ACCOUNT, REGION = Account("111122223333"), Region("us-east-1")
APPLICATION = Application(ACCOUNT, REGION, "00a", None, "emr-7.1.0", 0.0, 0.0, "t", state=STARTED)


def in_a_store(folder: Path, scenario: Callable[[Tx], None]) -> None:
    async def run() -> None:
        store = chosen.opened(folder)
        try:
            await store.write(scenario)
        finally:
            await store.close()

    asyncio.run(run())


def begun(tx: Tx, attempts_max: int) -> str:
    """The key of a job run whose first attempt runs."""
    asked = {"retryPolicy": {"maxAttempts": attempts_max}}
    run = JobRun(APPLICATION.key, ACCOUNT, REGION, "00a", "00r", 0.0, 0.0, "u", "r", "emr-7.1.0", "t", asked)
    APPLICATIONS.put(tx, APPLICATION.key, APPLICATION)
    put_run(tx, run)
    assert lifecycle.settle(tx, run.key, 1.0).start
    return run.key


def now(tx: Tx, key: str) -> tuple[str, int]:
    run = RUNS.get(tx, key)
    assert run is not None
    return run.state, run.attempt


@pytest.mark.parametrize("exit_code", [0, 1, None])
def test_it_ends_no_later_attempt(tmp_path: Path, exit_code: int | None) -> None:
    def scenario(tx: Tx) -> None:
        key = begun(tx, 2)
        lifecycle.lose(tx, key, 2.0)
        assert now(tx, key) == ("SUBMITTED", 2)
        lifecycle.end(tx, key, 1, 3.0, exit_code, "late")
        lifecycle.lose(tx, key, 3.0)
        assert now(tx, key) == ("SUBMITTED", 2), "what waits is not lost"
        assert lifecycle.settle(tx, key, 4.0).start
        lifecycle.end(tx, key, 1, 5.0, exit_code, "late")
        assert now(tx, key) == ("RUNNING", 2)
        assert [lifecycle.is_under_way(tx, key, attempt) for attempt in (1, 2)] == [False, True]
        lifecycle.end(tx, key, 2, 6.0, 0, "")
        assert now(tx, key) == ("SUCCESS", 2)

    in_a_store(tmp_path, scenario)


def test_it_ends_no_job_run_that_is_over(tmp_path: Path) -> None:
    def scenario(tx: Tx) -> None:
        key = begun(tx, 1)
        lifecycle.lose(tx, key, 2.0)
        lifecycle.end(tx, key, 1, 3.0, 0, "")
        assert now(tx, key) == ("FAILED", 1)

    in_a_store(tmp_path, scenario)
