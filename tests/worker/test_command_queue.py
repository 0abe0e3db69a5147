"""Few commands are in memory, the others are rows, and all are performed in the end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any, cast

import pytest
from tests.worker.conftest import Workshop
from tests.worker.failing_writes import make_quick

from passrole import disk, history
from passrole.engine.commands import InvokeFunction, SendCallback
from passrole.engine.facts import StopRequested
from passrole.history import Task
from passrole.store import Store, Tx
from passrole.store.share import shard_of
from passrole.worker import command_queue, loop
from passrole.worker.command_queue import CommandQueue

Run = Callable[[Callable[[Workshop], Awaitable[None]]], None]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that little is much."""
    monkeypatch.setattr(command_queue, "WAITING_MAX", 8)
    monkeypatch.setattr(command_queue, "EACH_WAITING_MAX", 4)
    monkeypatch.setattr(loop, "AT_ONCE_MAX", {InvokeFunction: 2, SendCallback: 2})
    monkeypatch.setattr(loop, "GRACE_SECONDS", 0.0)


def wide(steps: int) -> str:
    return " ".join(f"l{number}" for number in range(steps))


def in_memory(queue: CommandQueue) -> list[str]:
    return [key for keys in queue._held.values() for key in keys]


def test_of_many_rows_few_are_in_memory(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        queue = CommandQueue(shop.store, InvokeFunction, 2, lambda: shop.now)
        for name in "abcd":
            await shop.start(wide(50), name=name)
        queue.add(await queue.look())
        assert len(in_memory(queue)) == 8
        begun = [queue.begin(), queue.begin(), queue.begin()]
        assert [task.execution for task in begun if task] == [shop.arn("a"), shop.arn("b")]
        queue.should_look = True
        queue.add(await queue.look())
        assert len(in_memory(queue)) == 10
        assert {shop.arn(name) for name in "abc"} <= set(queue._held)

    workshop(scenario)


def test_what_waits_of_a_shard_that_is_given_back_is_let_go(workshop: Run) -> None:
    """What is under way is ended first; what has not begun is the next server's."""

    async def scenario(shop: Workshop) -> None:
        queue, share = CommandQueue(shop.store, InvokeFunction, 2, lambda: shop.now), shop.store.share
        for name in "ab":
            await shop.start(wide(3), name=name)
        queue.add(await queue.look())
        begun = queue.begin()
        assert begun is not None and begun.execution == shop.arn("a")
        share.close(shard_of(shop.arn("a")))
        queue.begin_anew()
        assert {name: len(queue._held[shop.arn(name)]) for name in "ab"} == {"a": 1, "b": 3}
        queue.end(begun)
        async with asyncio.timeout(5):
            await share.emptied(shard_of(shop.arn("a")))

    workshop(scenario)


def test_a_notice_is_not_preferred_to_rows_that_wait(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        queue = CommandQueue(shop.store, InvokeFunction, 2, lambda: shop.now)
        (task,) = await started(shop, "l1", "a")
        assert not queue.accept([task])  # rows of an earlier process may wait
        queue.add(await queue.look())
        assert queue.accept([task])
        assert in_memory(queue) == [history.outbox.row_key(task)]  # once
        await started(shop, wide(20), "b")
        queue.should_look = True
        queue.add(await queue.look())
        (late,) = await started(shop, "l1", "c")
        assert not queue.accept([late])

    workshop(scenario)


class Slow:
    """A store of which a read ends after something else has happened."""

    def __init__(self, store: Store, meanwhile: Callable[[], object]) -> None:
        self.store, self.meanwhile = store, meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def read(self, fn: Callable[[Tx], Any]) -> Any:
        found = await self.store.read(fn)
        self.meanwhile()
        return found


def test_a_notice_that_comes_while_rows_are_read_begins_nothing_twice(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        queue = CommandQueue(shop.store, InvokeFunction, 2, lambda: shop.now)
        queue.add(await queue.look())
        (task,) = await started(shop, "l1", "a")
        queue._store = cast(Store, Slow(shop.store, lambda: queue.accept([task])))
        queue.add(await queue.look())
        assert [queue.begin(), queue.begin()] == [task, None]

    workshop(scenario)


def test_what_is_performed_while_rows_are_read_is_not_taken_again(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        queue = CommandQueue(shop.store, InvokeFunction, 2, lambda: shop.now)
        queue.add(await queue.look())
        (task,) = await started(shop, "l1", "a")

        def perform() -> None:
            assert queue.accept([task])
            assert queue.begin() == task
            queue.end(task)

        queue.should_look = False
        queue._store = cast(Store, Slow(shop.store, perform))
        queue.add(await queue.look())
        assert queue.begin() is None

    workshop(scenario)


def test_what_a_server_has_inherited_is_begun_before_the_library_lends_it(workshop: Run) -> None:
    """Its rows are the server's, which was killed and is started again in its folder."""

    async def scenario(shop: Workshop) -> None:
        queue, share = CommandQueue(shop.store, InvokeFunction, 2, lambda: shop.now), shop.store.share
        for name in "ab":
            await shop.start("l1", name=name)
        share.close(shard_of(shop.arn("a")))
        queue._store = cast(Store, Slow(shop.store, lambda: share.close(shard_of(shop.arn("b")))))
        queue.add(await queue.look())
        begun = [queue.begin(), queue.begin()]
        assert [task and task.execution for task in begun] == [shop.arn("a"), None]

    workshop(scenario)


def test_what_was_read_before_a_shard_was_borrowed_is_not_all_there_is(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        queue = CommandQueue(shop.store, InvokeFunction, 2, lambda: shop.now)
        queue._store = cast(Store, Slow(shop.store, queue.begin_anew))
        queue.add(await queue.look())
        assert queue.should_look
        assert not queue.is_caught_up
        queue._store = shop.store
        queue.add(await queue.look())
        assert queue.is_caught_up

    workshop(scenario)


def test_everything_is_performed_whatever_was_in_memory(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        await shop.start(wide(40), name="before")
        await shop.worker.start()
        await asyncio.gather(*(shop.start(wide(15), name=f"e{number}") for number in range(5)))
        for name in ("before", *(f"e{number}" for number in range(5))):
            assert await shop.end(name) == "Succeeded"
        assert len(shop.door.called("lambda:Invoke")) == 40 + 5 * 15
        assert await shop.store.read(history.pending) == ()
        await shop.until(lambda: nothing_in_memory(shop))

    workshop(scenario)


@pytest.mark.parametrize("failing", range(12))
def test_a_read_that_fails_strands_nothing(
    workshop: Run, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """The database was away for a moment, at each moment of a start and of a stop."""
    make_quick(monkeypatch)

    async def scenario(shop: Workshop) -> None:
        await shop.start(wide(6), name="before")
        stopped = await shop.start(wide(6), name="stopped")
        await shop.store.write(lambda tx: history.advance(tx, stopped, StopRequested(at=2.0)))
        reads = count()
        read = shop.store.read

        async def away_once(fn: Callable[[Tx], Any]) -> Any:
            task = asyncio.current_task()
            if task is not None and task.get_name() == loop.LOOP and next(reads) == failing:
                raise disk.StoreUnreachable("the database is away")
            return await read(fn)

        monkeypatch.setattr(shop.store, "read", away_once)
        await shop.worker.start()
        assert [await shop.end("before"), await shop.end("stopped")] == ["Succeeded", "Stopped"]
        late = await shop.start("c1 l1 l2 l3 l4", name="late")
        await shop.store.write(lambda tx: history.advance(tx, late, StopRequested(at=2.0)))
        await shop.until(lambda: nothing_in_memory(shop))
        assert next(reads) > failing
        async with asyncio.timeout(5):
            for name in ("before", "stopped", "late"):
                await shop.store.share.emptied(shard_of(shop.arn(name)))

    workshop(scenario)


def test_a_stop_withdraws_what_is_in_memory_and_what_is_a_row(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        go_on = asyncio.Event()

        async def held(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            await go_on.wait()
            return {"Payload": b'{"x": 1}'}

        async def two_are_invoked() -> bool:
            return len(shop.door.called("lambda:Invoke")) == 2

        shop.door.prepare("Invoke", held)
        await shop.worker.start()
        arn = await shop.start(wide(40))
        await shop.until(two_are_invoked)
        await shop.store.write(lambda tx: history.advance(tx, arn, StopRequested(at=2.0)))

        async def the_others_are_stopped() -> bool:
            return len(await shop.store.read(history.pending)) == 2

        await shop.until(the_others_are_stopped)
        go_on.set()
        assert await shop.end() == "Stopped"
        assert len(shop.door.called("lambda:Invoke")) == 2
        await shop.until(lambda: nothing_in_memory(shop))

    workshop(scenario)


def test_a_stop_that_an_earlier_process_saw_withdraws_every_row(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        arn = await shop.start(wide(40))
        await shop.store.write(lambda tx: history.advance(tx, arn, StopRequested(at=2.0)))
        await shop.worker.start()
        assert await shop.end() == "Stopped"
        assert shop.door.called("lambda:Invoke") == []

    workshop(scenario)


async def nothing_in_memory(shop: Workshop) -> bool:
    return not in_memory(shop.worker._queues[InvokeFunction])


async def started(shop: Workshop, steps: str, name: str) -> list[Task]:
    """What the notice of its commands brings."""
    heard: list[Task] = []
    stop = shop.store.listen(
        "tasks/engine/InvokeFunction", lambda hint: heard.extend(history.outbox.announced(hint) or ())
    )
    await shop.start(steps, name=name)
    stop()
    return heard
