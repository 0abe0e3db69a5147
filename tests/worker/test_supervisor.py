"""Loops under supervision, as scripts: what a loop does, and which back-off follows; no real time passes."""

import asyncio
import errno
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from passrole import disk
from passrole.worker.supervisor import Supervisor

Script = list[BaseException | float | None]


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_reported_at", {})


class Scene:
    """A supervisor whose sleeps take no time but are noted, and a monotonic clock that loops may move."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.supervisor = Supervisor(sleep=self._sleep, now=lambda: self.now)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def loop(self, script: Script) -> Callable[[], Awaitable[None]]:
        """Each run does one step: raise, take so many seconds and raise, or return."""
        steps = iter(script)

        async def run() -> None:
            step = next(steps)
            if isinstance(step, float):
                self.now += step
                raise ValueError("after a while")
            if step is not None:
                raise step

        return run


def play(scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def whole() -> None:
        scene = Scene()
        try:
            async with asyncio.timeout(10):
                await scenario(scene)
        finally:
            await scene.supervisor.close()

    asyncio.run(whole())


async def ended(*tasks: "asyncio.Task[None] | None") -> None:
    await asyncio.wait([task for task in tasks if task is not None])


E = ValueError("no")
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
AWAY = disk.StoreUnreachable("the database is away")


@pytest.mark.parametrize(
    "script, slept",
    [
        ([None], []),
        ([E, None], [1.0]),
        ([E, E, E, None], [1.0, 2.0, 4.0]),
        ([E] * 9 + [None], [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]),
        ([FULL, E, None], [1.0, 2.0]),
        ([FULL] * 5 + [None], [1.0, 2.0, 4.0, 5.0, 5.0]),
        ([AWAY] * 5 + [E, None], [1.0, 2.0, 4.0, 5.0, 5.0, 32.0]),
        ([asyncio.CancelledError(), None], [1.0]),
        ([asyncio.CancelledError(), E, TimeoutError(), None], [1.0, 2.0, 4.0]),
        ([E, E, 61.0, E, None], [1.0, 2.0, 1.0, 2.0]),
        ([E, E, 59.0, E, None], [1.0, 2.0, 4.0, 8.0]),
    ],
)
def test_a_loop_that_raises_begins_again_with_back_off(script: Script, slept: list[float]) -> None:
    async def scenario(scene: Scene) -> None:
        await ended(scene.supervisor.start("loop", scene.loop(script))._task)
        assert scene.slept == slept

    play(scenario)


def test_a_loop_that_raises_is_logged_by_its_name_and_a_full_disk_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario(scene: Scene) -> None:
        await ended(scene.supervisor.start("deliveries", scene.loop([E, FULL, FULL, None]))._task)

    play(scenario)
    told = [(record.getMessage(), record.exc_info is not None) for record in caplog.records]
    assert told[0] == ("the loop `deliveries` failed in passrole itself", True)
    assert [("disk" in text, has_traceback) for text, has_traceback in told[1:]] == [(True, False)]


def test_a_cancelled_future_that_is_awaited_ends_no_loop() -> None:
    async def scenario(scene: Scene) -> None:
        runs: list[int] = []

        async def run() -> None:
            runs.append(1)
            if len(runs) == 1:
                future = asyncio.get_running_loop().create_future()
                future.cancel()
                await future

        await ended(scene.supervisor.start("loop", run)._task)
        assert (len(runs), scene.slept) == (2, [1.0])

    play(scenario)


def test_loops_are_closed_the_last_started_first() -> None:
    async def scenario(scene: Scene) -> None:
        closed: list[str] = []

        def forever(name: str) -> Callable[[], Awaitable[None]]:
            async def run() -> None:
                try:
                    await asyncio.Event().wait()
                finally:
                    closed.append(name)

            return run

        for name in "abc":
            scene.supervisor.start(name, forever(name))
        await asyncio.sleep(0)
        await scene.supervisor.close()
        assert closed == ["c", "b", "a"]

    play(scenario)


def test_one_loop_can_be_stopped_also_while_it_backs_off() -> None:
    async def scenario(scene: Scene) -> None:
        slept = asyncio.Event()

        async def sleep(_seconds: float) -> None:
            slept.set()
            await asyncio.Event().wait()

        supervisor = Supervisor(sleep=sleep)
        loop = supervisor.start("loop", scene.loop([E]))
        await slept.wait()
        await loop.stop()
        assert loop._task is not None and loop._task.cancelled()

    play(scenario)


def test_work_is_bounded_and_what_it_raises_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(scene: Scene) -> None:
        async def run() -> None:
            await asyncio.Event().wait()

        async def fails() -> None:
            raise E

        loop = scene.supervisor.start("loop", run, at_once_max=2)
        work = [loop.spawn(fails()), loop.spawn(asyncio.sleep(60))]
        assert loop.free == 0
        with pytest.raises(RuntimeError, match="no more than 2"):
            loop.spawn(fails())
        await asyncio.wait(work[:1])
        assert loop.free == 1
        assert loop._task is not None and not loop._task.done()

    play(scenario)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == [
        "work of `loop` failed in passrole itself"
    ]


def test_work_has_a_grace_when_its_loop_is_stopped() -> None:
    async def scenario(scene: Scene) -> None:
        done: list[str] = []

        async def run() -> None:
            await asyncio.Event().wait()

        async def work(name: str, event: asyncio.Event) -> None:
            await event.wait()
            done.append(name)

        soon, never = asyncio.Event(), asyncio.Event()
        loop = scene.supervisor.start("loop", run, at_once_max=2, grace_seconds=0.2)
        tasks: list[asyncio.Task[Any]] = [loop.spawn(work("soon", soon)), loop.spawn(work("never", never))]
        asyncio.get_running_loop().call_later(0.01, soon.set)
        await scene.supervisor.close()
        assert done == ["soon"]
        assert [task.cancelled() for task in tasks] == [False, True]
        assert loop.free == 0

    play(scenario)


def test_a_loop_that_is_stopped_ends_whatever_becomes_of_its_cancellation() -> None:
    """A client of a database that goes away in that moment raises its own error instead."""

    async def scenario(scene: Scene) -> None:
        async def run() -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                raise ConnectionError("the database went away") from None

        loop = scene.supervisor.start("stubborn", run)
        await asyncio.sleep(0)
        await loop.stop()
        assert scene.slept == []

    play(scenario)
