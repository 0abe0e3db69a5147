"""The one consumer of tasks over a real store: order, bounds, retries, and what fails in passrole itself."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from tests.store import chosen

from passrole import disk
from passrole.store import SqliteStore, Tx, shards, tasks
from passrole.store.share import shard_of
from passrole.store.sqlite import SqliteTx
from passrole.store.tasks import Task
from passrole.worker import task_queue
from passrole.worker.supervisor import Loop, Supervisor
from passrole.worker.task_queue import Finish, TaskQueue

FULL = sqlite3.OperationalError("database or disk is full")
FULL.sqlite_errorcode = sqlite3.SQLITE_FULL


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test moves the clock and the queue sees it soon."""
    monkeypatch.setattr(disk, "_reported_at", {})
    monkeypatch.setattr(task_queue, "WAIT_SECONDS_MAX", 0.005)


class Scene:
    """A store, a clock, a supervisor, and a handler that notes keys and does what is prepared for them."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.now = 100.0
        self.slept: list[float] = []
        self.handled: list[str] = []
        self.raises: dict[str, list[BaseException]] = {}
        self.finishes: dict[str, Finish] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.supervisor = Supervisor()

    def start(self, at_once_max: int = 4, **options: Any) -> Loop:
        queue = TaskQueue(
            self.store,
            "k",
            self.handle,
            at_once_max=at_once_max,
            clock=lambda: self.now,
            sleep=self.sleep,
            **options,
        )
        return queue.start(self.supervisor)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    async def handle(self, task: Task) -> Finish | None:
        self.handled.append(task.key)
        if self.raises.get(task.key):
            raise self.raises[task.key].pop(0)
        if task.key in self.gates:
            await self.gates[task.key].wait()
        return self.finishes.get(task.key)

    async def add(self, *added: tuple[str, float]) -> None:
        def add(tx: Tx) -> None:
            for key, due in added:
                tasks.add(tx, "k", key, b"", due)

        await self.store.write(add)

    async def rows(self) -> list[Task]:
        return await self.store.read(lambda tx: tasks.take(tx, "k", 1e12, 100))

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        while not await holds():  # noqa: ASYNC110 (a row has no event)
            await asyncio.sleep(0.002)

    async def emptied(self) -> None:
        async def is_empty() -> bool:
            return not await self.rows()

        await self.until(is_empty)

    async def was_handled(self, count: int) -> None:
        async def enough() -> bool:
            return len(self.handled) >= count

        await self.until(enough)

    async def was_postponed(self, failures: int) -> Task:
        async def is_postponed() -> bool:
            return (await self.rows())[0].failures == failures

        await self.until(is_postponed)
        return (await self.rows())[0]


def play(folder: Path, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def whole() -> None:
        store = chosen.opened(folder)
        scene = Scene(store)
        try:
            async with asyncio.timeout(20):
                await scenario(scene)
        finally:
            await scene.supervisor.close()
            await store.close()

    asyncio.run(whole())


def test_what_is_due_is_handled_in_its_order_and_gone(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.add(("b", 2.0), ("a", 3.0), ("c", 1.0))
        scene.start(at_once_max=1)
        await scene.emptied()
        await scene.add(("d", 100.0))
        await scene.emptied()
        assert scene.handled == ["c", "b", "a", "d"]

    play(tmp_path, scenario)


def test_no_more_than_the_bound_are_taken_whatever_waits(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.gates = {f"{number:03}": asyncio.Event() for number in range(100)}
        await scene.add(*((key, 0.0) for key in scene.gates))
        scene.start(at_once_max=3)
        await scene.was_handled(3)
        await asyncio.sleep(0.03)
        assert scene.handled == ["000", "001", "002"]
        scene.gates["001"].set()
        await scene.was_handled(4)
        assert scene.handled[3:] == ["003"]
        for gate in scene.gates.values():
            gate.set()
        await scene.emptied()
        assert scene.handled == sorted(scene.gates)

    play(tmp_path, scenario)


def test_a_task_waits_until_it_is_due(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.start()
        await scene.add(("a", 150.0), ("b", 120.0))
        for now, handled in ((119.9, []), (120.0, ["b"]), (149.0, ["b"]), (151.0, ["b", "a"])):
            scene.now = now
            await scene.was_handled(len(handled))
            await asyncio.sleep(0.02)
            assert scene.handled == handled

    play(tmp_path, scenario)


def test_a_handler_keeps_a_task_for_later_in_the_transaction_that_ends_it(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.finishes["a"] = lambda tx: tasks.add(tx, "k", "a", b"again", 160.0)
        scene.start()
        await scene.add(("a", 0.0))
        await scene.was_handled(1)
        await scene.until(lambda: _is_at(scene, 160.0))
        assert await scene.rows() == [Task("a", b"again", 160.0)]
        scene.finishes.clear()
        scene.now = 160.0
        await scene.emptied()
        assert scene.handled == ["a", "a"]

    play(tmp_path, scenario)


@pytest.mark.parametrize("error", [ValueError("no"), OSError(24, "files"), asyncio.CancelledError(), FULL])
def test_a_task_whose_handler_raises_is_done_later_with_back_off_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    async def scenario(scene: Scene) -> None:
        scene.raises["a"] = [error, error, error]
        scene.start()
        await scene.add(("a", 0.0), ("b", 0.0))
        for failures, due in ((1, 101.0), (2, 103.0), (3, 107.0)):
            task = await scene.was_postponed(failures)
            assert task.due == due
            scene.now = due
        await scene.emptied()
        assert sorted(scene.handled) == ["a", "a", "a", "a", "b"]

    play(tmp_path, scenario)
    assert caplog.records


def test_a_write_that_the_disk_refuses_is_made_again_and_the_work_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Scene) -> None:
        failures = [FULL, FULL, FULL]
        write = scene.store.write

        async def full(fn: Callable[[Tx], object]) -> object:
            if failures and scene.handled:
                raise failures.pop()
            return await write(fn)

        await scene.add(("a", 0.0))
        monkeypatch.setattr(scene.store, "write", full)
        scene.start()
        await scene.emptied()
        assert (scene.handled, scene.slept) == (["a"], [1.0, 2.0, 4.0])

    play(tmp_path, scenario)


def test_a_result_that_cannot_be_written_at_all_has_its_task_done_later(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        def fails(tx: Tx) -> None:
            raise KeyError("a bug")

        scene.finishes["a"] = fails
        scene.start()
        await scene.add(("a", 0.0))
        assert (await scene.was_postponed(1)).due == 101.0
        scene.finishes.clear()
        scene.now = 101.0
        await scene.emptied()
        assert scene.handled == ["a", "a"]

    play(tmp_path, scenario)


def test_a_read_that_fails_ends_no_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(scene: Scene) -> None:
        failures = [FULL, ValueError("no")]
        read = scene.store.read

        async def fails(fn: Callable[[Tx], object]) -> object:
            task = asyncio.current_task()
            if failures and task is not None and task.get_name() == "k":  # the queue's, not the test's
                raise failures.pop()
            return await read(fn)

        scene.supervisor = Supervisor(sleep=scene.sleep)
        await scene.add(("a", 0.0))
        monkeypatch.setattr(scene.store, "read", fails)
        scene.start()
        await scene.emptied()
        assert (scene.handled, scene.slept) == (["a"], [1.0, 2.0])

    play(tmp_path, scenario)


def test_what_was_under_way_at_a_stop_is_done_at_the_next_start(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.gates["a"] = asyncio.Event()
        scene.start()
        await scene.add(("a", 0.0))
        await scene.was_handled(1)
        await scene.supervisor.close()
        assert await scene.rows() == [Task("a", b"", 0.0)]
        scene.gates["a"].set()
        scene.start()
        await scene.emptied()
        assert scene.handled == ["a", "a"]

    play(tmp_path, scenario)


def test_a_clock_that_was_set_back_strands_no_task(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.add(("a", 90_000.0), ("b", 110.0))
        scene.start(due_seconds_max=600.0)
        await scene.until(lambda: _is_at(scene, 110.0, 700.0))
        scene.now = 700.0
        await scene.emptied()
        assert scene.handled == ["b", "a"]

    play(tmp_path, scenario)


async def _is_at(scene: Scene, *due: float) -> bool:
    return [task.due for task in await scene.rows()] == list(due)


def test_a_node_does_the_tasks_of_its_own_shards(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.store.write(lambda tx: shards.borrow(tx, shard_of("b"), 2))
        await scene.add(("a", 0.0), ("b", 0.0), ("c", 0.0))
        scene.start()
        await scene.was_handled(2)
        await scene.store.write(lambda tx: shards.borrow(tx, shard_of("b"), scene.store.share.node))
        await scene.add(("d", 0.0))
        await scene.emptied()
        assert (scene.handled[:2], sorted(scene.handled[2:])) == (["a", "c"], ["b", "d"])

    play(tmp_path, scenario)


def test_what_comes_of_a_task_whose_shard_was_lost_is_not_written(tmp_path: Path) -> None:
    written = list[str]()

    async def scenario(scene: Scene) -> None:
        scene.gates, scene.finishes = {"a": asyncio.Event()}, {"a": lambda _: written.append("a")}
        await scene.add(("a", 0.0))
        loop = scene.start()
        await scene.was_handled(1)
        await scene.store.write(lambda tx: shards.borrow(tx, shard_of("a"), 2))
        scene.gates["a"].set()

        async def has_ended() -> bool:
            return loop.free == 4

        await scene.until(has_ended)
        (left,) = await scene.store.read(lambda tx: tasks.take(tx, "k", 1e12, 9, node=2))
        assert (left.key, left.failures, written) == ("a", 0, [])

    play(tmp_path, scenario)


def test_what_comes_of_a_task_that_was_removed_is_not_written(tmp_path: Path) -> None:
    written = list[str]()

    async def scenario(scene: Scene) -> None:
        scene.gates, scene.finishes = {"a": asyncio.Event()}, {"a": lambda _: written.append("a")}
        await scene.add(("a", 0.0), ("b", 1.0))
        scene.start(at_once_max=1)
        await scene.was_handled(1)
        await scene.store.write(lambda tx: tasks.done(tx, "k", "a"))
        scene.gates["a"].set()
        await scene.emptied()
        assert (scene.handled, written) == (["a", "b"], [])

    play(tmp_path, scenario)


class OldSnapshot:
    """A store of which one read, once `meanwhile` is there, sees what was so before that happened."""

    def __init__(self, store: SqliteStore, folder: Path) -> None:
        self.store, self.path = store, folder / "passrole.db"
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def read(self, fn: Callable[[Tx], Any]) -> Any:
        if self.meanwhile is None:
            return await self.store.read(fn)
        meanwhile, self.meanwhile = self.meanwhile, None
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM tasks").fetchone()  # from here on nothing newer is seen
            await meanwhile()
            return fn(SqliteTx(connection))


@chosen.of_a_file
def test_a_task_that_ends_while_rows_are_read_is_not_taken_again(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        real = scene.store
        store = OldSnapshot(real, tmp_path)
        scene.store = cast(SqliteStore, store)
        scene.gates = {"a": asyncio.Event()}
        await scene.add(("a", 0.0))
        loop = scene.start()
        await scene.was_handled(1)

        async def is_out_of_hand() -> bool:
            return loop.free == 4 and await real.read(lambda tx: tasks.find(tx, "k", "a")) is None

        async def it_ends() -> None:
            scene.gates["a"].set()
            await scene.until(is_out_of_hand)

        store.meanwhile = it_ends
        await scene.add(("b", 0.0))
        await scene.was_handled(2)
        await scene.emptied()
        assert scene.handled == ["a", "b"]

    play(tmp_path, scenario)
