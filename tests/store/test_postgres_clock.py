"""Servers of one database go by its clock, whatever their own say."""

import asyncio
import itertools
import time
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import Cluster

from passrole.config import Config
from passrole.store import opening
from passrole.store.postgres_clock import ANSWER_SECONDS_MAX, DatabaseClock

_numbers = itertools.count(1)


class Answers:
    """A transaction in which the database says its time, so much later than it was asked."""

    def __init__(self, now: float, pace: list[float], seconds: float) -> None:
        self._now, self._pace, self._seconds = now, pace, seconds

    def one(self, _sql: str, *_parameters: Any) -> tuple[float]:
        self._pace[0] += self._seconds
        return (self._now,)


def test_it_is_the_databases_from_the_first_look_on_and_goes_on_by_itself() -> None:
    pace = [100.0]
    clock = DatabaseClock(lambda: 5_000.0, lambda: pace[0])
    assert clock() == 5_000.0
    clock.look(Answers(1_000.0, pace, 0.2))  # type: ignore[arg-type]
    assert clock() == pytest.approx(1_000.1)
    pace[0] += 7
    assert clock() == pytest.approx(1_007.1)


def test_an_answer_that_was_late_says_nothing() -> None:
    pace = [100.0]
    clock = DatabaseClock(lambda: 5_000.0, lambda: pace[0])
    clock.look(Answers(1_000.0, pace, ANSWER_SECONDS_MAX + 0.1))  # type: ignore[arg-type]
    assert clock() == pytest.approx(5_000.0 + ANSWER_SECONDS_MAX + 0.1)


def test_a_store_that_is_shared_has_it(postgres: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg

    from passrole.store import postgres as module

    url = postgres.create(f"clock_{next(_numbers)}")
    monkeypatch.setattr(module, "DatabaseClock", lambda: DatabaseClock(lambda: time.time() + 200))

    async def scenario() -> float:
        store = module.PostgresStore(url, is_shared=True)
        try:
            return store.clock()
        finally:
            await store.close()

    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
        assert row is not None and asyncio.run(scenario()) - row[0] < 100


@pytest.mark.parametrize(
    "ahead, told", [(200.0, "behind this one's"), (-200.0, "ahead of this one's"), (5.0, "")]
)
def test_clocks_that_differ_much_are_told_at_the_start(
    postgres: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    ahead: float,
    told: str,
) -> None:
    config = Config(data=tmp_path / "data", store=postgres.create(f"clock_{next(_numbers)}"))
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + ahead)

    async def scenario() -> None:
        await opening.opened(config, is_shared=True).close()

    asyncio.run(scenario())
    warned = [record.getMessage() for record in caplog.records if "clock" in record.getMessage()]
    assert [told in each for each in warned] == [True] * bool(told)
