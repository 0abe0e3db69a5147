"""Scheduled rules over a real store, with a moved clock: each runs when it is due, and once."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.eventually import eventually_async
from tests.store import chosen

from passrole import disk
from passrole.arns import Account, Region
from passrole.services.events import deliveries, scheduled_runs
from passrole.services.events.records import DISABLED, RULES, TARGETS, Rule, Target
from passrole.store import SqliteStore, Tx, tasks
from passrole.store.share import Share
from passrole.worker import task_queue
from passrole.worker.schedules import Schedules
from passrole.worker.supervisor import Supervisor

ACCOUNT, REGION = Account("111122223333"), Region("us-east-1")
RATE = Rule(ACCOUNT, REGION, "default", "rate", 1_000.0, schedule="rate(5 minutes)")
CRON = Rule(ACCOUNT, REGION, "default", "cron", 1_000.0, schedule="cron(* * * * ? *)")
FULL = sqlite3.OperationalError("database or disk is full")
FULL.sqlite_errorcode = sqlite3.SQLITE_FULL


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_queue, "WAIT_SECONDS_MAX", 0.005)
    monkeypatch.setattr(disk, "_reported_at", {})


class Scene:
    """A store with scheduled rules of one target each."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.now = 1_000.0
        self.supervisor = Supervisor()

    async def start(self) -> None:
        await Schedules(self.store, lambda: self.now).start(self.supervisor)

    async def put(self, rule: Rule) -> None:
        def put(tx: Tx) -> None:
            RULES.put(tx, rule.key, rule)
            scheduled_runs.plan(tx, rule)
            target = {"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"}
            TARGETS.put(tx, TARGETS.child(rule.key, "1"), Target(target))

        await self.store.write(put)

    async def ran(self) -> list[tuple[str, str]]:
        """Rule and time of each run, in the order of the times."""
        found = await self.store.read(lambda tx: tasks.take(tx, deliveries.KIND, 1e12, 1_000))
        events = [deliveries.read(task).event for task in found]
        return sorted((event["time"][11:19], event["resources"][0].rpartition("/")[2]) for event in events)

    async def planned(self) -> dict[str, float]:
        found = await self.store.read(lambda tx: tasks.take(tx, scheduled_runs.KIND, 1e12, 1_000))
        return {task.key.rpartition("/")[2]: task.due for task in found}

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(await self.ran()) < count:  # noqa: ASYNC110 (a row has no event)
                await asyncio.sleep(0.002)


def play(folder: Path, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def whole() -> None:
        store = chosen.opened(folder)
        scene = Scene(store)
        try:
            await scenario(scene)
        finally:
            await scene.supervisor.close()
            await store.close()

    asyncio.run(whole())


def test_a_rule_runs_each_time_that_its_schedule_says(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.start()
        await scene.put(RATE)
        await scene.put(CRON)
        assert await scene.planned() == {"rate": 1_300.0, "cron": 1_020.0}
        for now, runs in ((1_019.9, 0), (1_020.0, 1), (1_081.0, 2), (1_300.0, 4)):
            scene.now = now
            await scene.until(runs)
            await asyncio.sleep(0.02)
            assert len(await scene.ran()) == runs
        times = [("00:17:00", "cron"), ("00:18:00", "cron"), ("00:19:00", "cron"), ("00:21:40", "rate")]
        assert await scene.ran() == times
        assert await scene.planned() == {"rate": 1_600.0, "cron": 1_320.0}

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    ("at", "runs", "planned"), [(1_302.0, 1, 1_600.0), (1_298.0, 0, 1_300.0), (2_000.0, 0, 2_200.0)]
)
def test_one_of_several_servers_that_starts_leaves_what_the_others_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: float, runs: int, planned: float
) -> None:
    """What one that was killed did not run any more, or what its clock says is due later than it is."""
    monkeypatch.setattr(Share, "is_whole", False)

    async def scenario(scene: Scene) -> None:
        await scene.put(RATE)
        scene.now = at
        await scene.start()
        await scene.until(runs)
        await eventually_async(lambda: _planned(scene, planned))
        assert len(await scene.ran()) == runs

    async def _planned(scene: Scene, due: float) -> bool:
        return await scene.planned() == {"rate": due}

    play(tmp_path, scenario)


def test_what_has_run_is_not_planned_again_by_a_server_whose_clock_is_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Share, "is_whole", False)

    async def scenario(scene: Scene) -> None:
        await scene.start()
        await scene.put(RATE)
        scene.now = 1_300.0
        await scene.until(1)
        await scene.supervisor.close()
        scene.now, scene.supervisor = 1_297.0, Supervisor()
        await scene.start()
        assert await scene.planned() == {"rate": 1_600.0}

    play(tmp_path, scenario)


def test_what_a_server_that_was_down_has_missed_is_not_made_up_for(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.put(RATE)
        scene.now = 2_000.0
        await scene.start()
        assert await scene.planned() == {"rate": 2_200.0}
        await asyncio.sleep(0.02)
        assert await scene.ran() == []

    play(tmp_path, scenario)


def test_rules_of_an_older_data_folder_have_no_rows_and_run(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.store.write(lambda tx: RULES.put(tx, RATE.key, RATE))
        await scene.start()
        assert await scene.planned() == {"rate": 1_300.0}

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    "change",
    [
        lambda tx: RULES.delete(tx, RATE.key),
        lambda tx: RULES.put(tx, RATE.key, replace(RATE, state=DISABLED)),
        lambda tx: RULES.put(tx, RATE.key, replace(RATE, schedule=None, pattern="{}")),
    ],
)
def test_a_rule_that_is_gone_or_disabled_when_it_is_due_does_not_run(
    tmp_path: Path, change: Callable[[Tx], object]
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.start()
        await scene.put(RATE)
        await scene.store.write(change)
        scene.now = 1_300.0
        async with asyncio.timeout(10):
            while await scene.planned():  # noqa: ASYNC110
                await asyncio.sleep(0.002)
        assert await scene.ran() == []

    play(tmp_path, scenario)


def test_a_rule_that_changes_is_planned_anew(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.put(RATE)
        await scene.put(replace(RATE, since=1_100.0, schedule="rate(1 hour)"))
        assert await scene.planned() == {"rate": 4_700.0}
        await scene.put(replace(RATE, state=DISABLED))
        assert await scene.planned() == {}
        await scene.put(replace(RATE, schedule="cron(0 0 1 1 ? 1999)"))
        assert await scene.planned() == {}

    play(tmp_path, scenario)


@pytest.mark.parametrize("error", [FULL, ValueError("a bug")])
def test_a_run_that_cannot_be_written_is_written_later_with_its_own_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("passrole.worker.supervisor.RESTART_SECONDS", 0.01)

    async def scenario(scene: Scene) -> None:
        failures = [error, error]

        def fails(*given: object) -> None:
            if failures:
                raise failures.pop()
            deliveries.deliver_to_targets(*given)  # type: ignore[arg-type]

        monkeypatch.setattr("passrole.services.events.scheduled_runs.deliver_to_targets", fails)
        await scene.start()
        await scene.put(RATE)
        async with asyncio.timeout(10):
            scene.now = 1_300.0
            while not await scene.ran():
                scene.now += 0.1
                await asyncio.sleep(0.005)
        assert await scene.ran() == [("00:21:40", "rate")]
        assert await scene.planned() == {"rate": 1_600.0}

    play(tmp_path, scenario)
