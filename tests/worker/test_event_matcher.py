"""Events over a real store: each is matched once, whatever fails meanwhile, and becomes rows."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.store import chosen

from passrole import disk, event_outbox
from passrole.arns import Account, Region
from passrole.services.events import deliveries
from passrole.services.events.records import DISABLED, ENABLED, RULES, TARGETS, Rule, Target, changed
from passrole.store import SqliteStore, Tx, group_commit, sqlite, tasks
from passrole.worker import supervisor
from passrole.worker.event_matcher import EventMatcher
from passrole.worker.supervisor import Supervisor

ACCOUNT, REGION = Account("111122223333"), Region("us-east-1")
FULL = sqlite3.OperationalError("database or disk is full")
FULL.sqlite_errorcode = sqlite3.SQLITE_FULL


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "RESTART_SECONDS", 0.01)
    monkeypatch.setattr(supervisor, "RESTART_SECONDS_MAX", 0.02)
    monkeypatch.setattr(disk, "_reported_at", {})


class Scene:
    """A store with rules, and the matcher."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.now = 100.0
        self.supervisor = Supervisor()

    def start(self) -> None:
        EventMatcher(self.store, self.clock).start(self.supervisor)

    def clock(self) -> float:
        self.now += 0.001
        return self.now

    async def rule(self, name: str, pattern: object, *targets: str, state: str = ENABLED) -> None:
        rule = Rule(ACCOUNT, REGION, "default", name, 0.0, pattern=json.dumps(pattern), state=state)

        def put(tx: Tx) -> None:
            RULES.put(tx, rule.key, rule)
            changed(tx, rule.bus_key)
            for target in targets:
                arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{target}"
                TARGETS.put(tx, TARGETS.child(rule.key, target), Target({"Id": target, "Arn": arn}))

        await self.store.write(put)

    async def emit(self, *numbers: int, source: str = "team") -> None:
        def emit(tx: Tx) -> None:
            for number in numbers:
                event_outbox.emit(
                    tx,
                    account=ACCOUNT,
                    region=REGION,
                    at=float(number),
                    source=source,
                    detail_type="T",
                    detail={"n": number},
                )

        await self.store.write(emit)

    async def delivered(self) -> list[tuple[str, int]]:
        """Target and event of each delivery, in the order in which they are due."""
        found = await self.store.read(lambda tx: tasks.take(tx, deliveries.KIND, 1e12, 1_000))
        read = map(deliveries.read, found)
        return [(each.target["Id"], each.event["detail"]["n"]) for each in read]

    async def matched(self) -> None:
        async with asyncio.timeout(10):
            while await self.store.read(lambda tx: tasks.take(tx, event_outbox.KIND, 1e12, 1)):  # noqa: ASYNC110
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


def test_an_event_becomes_a_row_for_each_target_of_each_rule_that_wants_it(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.rule("wants", {"source": ["team"]}, "a", "b")
        await scene.rule("large", {"detail": {"n": [{"numeric": [">", 1]}]}}, "c")
        await scene.rule("off", {"source": ["team"]}, "d", state=DISABLED)
        scene.start()
        await scene.emit(1)
        await scene.emit(2, source="another")
        await scene.matched()
        assert sorted(await scene.delivered()) == [("a", 1), ("b", 1), ("c", 2)]

    play(tmp_path, scenario)


@chosen.of_a_file
def test_events_that_wait_are_matched_in_the_order_of_their_times(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.rule("all", {"source": ["team"]}, "a")
        await scene.emit(*reversed(range(1, 201)))
        scene.start()
        await scene.matched()
        assert [number for _, number in await scene.delivered()] == list(range(1, 201))

    play(tmp_path, scenario)


def test_a_rule_that_changes_is_heard_of(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.rule("one", {"source": ["nobody"]}, "a")
        scene.start()
        await scene.emit(1)
        await scene.matched()
        await scene.rule("one", {"source": ["team"]})
        await scene.emit(2)
        await scene.matched()
        await scene.rule("one", {"source": ["team"]}, state=DISABLED)
        await scene.emit(3)
        await scene.matched()
        assert await scene.delivered() == [("a", 2)]

    play(tmp_path, scenario)


@pytest.mark.parametrize("error", [FULL, ValueError("a bug"), asyncio.CancelledError()])
def test_an_event_whose_match_fails_is_matched_again_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    async def scenario(scene: Scene) -> None:
        failures = [error, error, error]

        def fails(*given: object) -> None:
            if failures:
                raise failures.pop()
            deliveries.deliver_to_targets(*given)  # type: ignore[arg-type]

        monkeypatch.setattr("passrole.worker.event_matcher.deliver_to_targets", fails)
        await scene.rule("all", {"source": ["team"]}, "a")
        scene.start()
        await scene.emit(1, 2)
        async with asyncio.timeout(10):
            while len(await scene.delivered()) < 2:
                scene.now += 1
                await scene.rule("another", {"source": ["x"]})  # a wake-up, for the clock that was moved
                await asyncio.sleep(0.01)
        assert sorted(await scene.delivered()) == [("a", 1), ("a", 2)]

    monkeypatch.setattr("passrole.worker.task_queue.WAIT_SECONDS_MAX", 0.005)
    play(tmp_path, scenario)


def test_an_event_that_cannot_be_matched_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.rule("all", {"source": ["team"]}, "a")
        await scene.store.write(lambda tx: tasks.add(tx, event_outbox.KIND, "bad", b"{", 0.0))
        scene.start()
        await scene.emit(1)
        async with asyncio.timeout(10):
            while not await scene.delivered():  # noqa: ASYNC110
                await asyncio.sleep(0.002)
        (bad,) = await scene.store.read(lambda tx: tasks.take(tx, event_outbox.KIND, 1e12, 10))
        assert (bad.key, bad.failures >= 1) == ("bad", True)

    play(tmp_path, scenario)


@chosen.of_a_file
def test_a_pattern_that_was_never_stored_is_never_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule's commit fails, and an event is in the same commit: neither may leave a trace."""

    async def scenario(scene: Scene) -> None:
        await scene.rule("all", {"source": ["team"]}, "a")
        scene.start()
        await scene.rule("all", {"source": ["team"]})  # forgets what is known of the bus
        commit, failures = sqlite._commit, [FULL]

        def fails(
            connection: sqlite3.Connection, writes: list[group_commit.Write]
        ) -> list[group_commit.Outcome]:
            if not failures:
                return commit(connection, writes)
            error = failures.pop()
            connection.execute("BEGIN IMMEDIATE")
            sqlite._outcomes(connection, writes)
            connection.execute("ROLLBACK")
            return [group_commit.Outcome(write.future, None, error, []) for write in writes]

        monkeypatch.setattr(sqlite, "_commit", fails)
        refused = await asyncio.gather(
            scene.rule("all", {"source": ["nobody"]}), scene.emit(1), return_exceptions=True
        )
        assert FULL in refused
        await scene.emit(2)
        await scene.matched()
        assert ("a", 2) in await scene.delivered()

    play(tmp_path, scenario)
