"""The driver: nothing is forgotten, nothing fails in silence, and closing leaves the rest for later."""

import asyncio
import errno
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from tests.worker.conftest import Workshop

from passrole import disk, history
from passrole.engine.commands import InvokeFunction, SendCallback
from passrole.engine.facts import CallbackAnswered, StopRequested
from passrole.store import Tx
from passrole.worker import invocations, loop

Run = Callable[[Callable[[Workshop], Awaitable[None]]], None]


def test_commands_of_an_earlier_process_are_performed_at_the_start(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        await shop.start("l1 l2<l1>")
        await shop.worker.start()
        assert await shop.end() == "Succeeded"
        assert len(shop.door.called("lambda:Invoke")) == 2

    workshop(scenario)


def test_a_command_that_is_both_read_and_announced_is_performed_once(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        starting = asyncio.ensure_future(shop.start("l1"))
        await asyncio.sleep(0)
        while not await shop.store.read(history.pending):
            pass  # committed, and the notice still waits for this very loop
        await shop.worker.start()
        await starting
        assert await shop.end() == "Succeeded"
        assert len(shop.door.called("lambda:Invoke")) == 1

    workshop(scenario)


def test_an_effect_that_breaks_is_a_failed_step_and_a_line_in_the_log(
    workshop: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(shop: Workshop) -> None:
        shop.door.prepare("Invoke", ZeroDivisionError("a bug"))
        await shop.worker.start()
        await shop.start("l1 l2<l1>")
        assert await shop.end() == "Failed"
        assert list(await shop.steps()) == ["l1"]
        assert (await shop.steps())["l1"]["FailureReason"].startswith("InternalError: ")
        assert await shop.store.read(history.pending) == ()

    workshop(scenario)
    assert "ZeroDivisionError: a bug" in caplog.text


class FullDisk:
    """A store that cannot write until the sleeps of a worker add up to so many seconds."""

    def __init__(self, shop: Workshop, seconds: float) -> None:
        self.store, self.shop, self.seconds = shop.store, shop, seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def write(self, fn: Callable[[Tx], Any]) -> Any:
        if sum(self.shop.slept) < self.seconds:
            raise OSError(errno.ENOSPC, "no space left on device")
        return await self.store.write(fn)


@pytest.mark.parametrize("seconds", [0.1, 5.0, 60.0, 3600.0])
@pytest.mark.parametrize("step", ["l1", "c1"])
def test_what_happened_is_recorded_as_it_was_however_long_that_takes(
    workshop: Run, seconds: float, step: str
) -> None:
    async def scenario(shop: Workshop) -> None:
        arn = await shop.start(f"{step} l2<{step}>")
        healthy = shop.store
        shop.store = FullDisk(shop, seconds)
        shop.worker = shop.another_worker()
        await shop.worker.start()

        async def is_recorded() -> bool:
            return all(task.key != f"{step}/1" for task in await healthy.read(history.pending))

        await shop.until(is_recorded)
        if step == "c1":
            answer = CallbackAnswered(at=2.0, step="c1", attempt=1, outcome="success")
            await healthy.write(lambda tx: history.advance(tx, arn, answer))
        assert await shop.end() == "Succeeded"
        assert sum(shop.slept) >= seconds
        assert len(shop.door.called("lambda:Invoke")) == (2 if step == "l1" else 1)
        assert len(shop.door.called("sqs:SendMessage")) == (1 if step == "c1" else 0)

    workshop(scenario)


def test_a_disk_that_stays_full_is_told_once(
    workshop: Run, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_reported_at", {})

    async def scenario(shop: Workshop) -> None:
        await shop.start("l1")
        shop.store = FullDisk(shop, 60.0)
        shop.worker = shop.another_worker()
        await shop.worker.start()
        assert await shop.end() == "Succeeded"

    workshop(scenario)
    assert caplog.text.count("the disk with the data folder is full") == 1


def test_what_comes_of_a_deleted_execution_is_let_go(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        invoked, go_on = asyncio.Event(), asyncio.Event()

        async def held(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            invoked.set()
            await go_on.wait()
            return {"Payload": b"null"}

        shop.door.prepare("Invoke", held, {"Payload": b'{"x": 1}'})
        await shop.worker.start()
        arn = await shop.start("l1", name="gone")
        await invoked.wait()
        pipeline = arn.partition("/execution/")[0]
        await shop.store.write(lambda tx: history.executions.delete_all(tx, pipeline))
        go_on.set()
        await shop.start("l1", name="next")
        assert await shop.end("next") == "Succeeded"
        assert shop.slept == []

    workshop(scenario)


def test_as_many_commands_of_a_kind_run_as_the_bound_says_and_kinds_do_not_wait_for_each_other(
    workshop: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "AT_ONCE_MAX", {InvokeFunction: 2, SendCallback: 1})

    async def scenario(shop: Workshop) -> None:
        go_on = asyncio.Event()
        at_once: list[int] = [0, 0]

        async def held(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            at_once[0] += 1
            at_once[1] = max(at_once)
            await go_on.wait()
            at_once[0] -= 1
            return {"Payload": b'{"x": 1}'}

        shop.door.prepare("Invoke", held)
        shop.worker = shop.another_worker()
        await shop.worker.start()
        for number in range(5):
            await shop.start("l1", name=f"e{number}")
        await shop.start("c1", name="c")

        async def message_is_out() -> bool:
            return bool(shop.door.called("sqs:SendMessage")) and at_once[0] == 2

        await shop.until(message_is_out)
        go_on.set()
        for number in range(5):
            assert await shop.end(f"e{number}") == "Succeeded"
        assert at_once[1] == 2

    workshop(scenario)


@pytest.mark.parametrize(("bound", "begin_before"), [(1, 2), (16, 14)])
def test_a_small_execution_does_not_wait_for_all_of_a_large_one(
    workshop: Run, monkeypatch: pytest.MonkeyPatch, bound: int, begin_before: int
) -> None:
    monkeypatch.setattr(loop, "AT_ONCE_MAX", {InvokeFunction: bound, SendCallback: 1})
    monkeypatch.setattr(loop, "GRACE_SECONDS", 0.0)

    async def scenario(shop: Workshop) -> None:
        one_more = asyncio.Semaphore(0)

        async def held(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            await one_more.acquire()
            return {"Payload": b'{"x": 1}'}

        async def small_has_begun() -> bool:
            return any(each["FunctionName"].endswith(":lsmall") for each in shop.door.called("lambda:Invoke"))

        shop.door.prepare("Invoke", held)
        shop.worker = shop.another_worker()
        await shop.worker.start()
        await shop.start(" ".join(f"l{number}" for number in range(40)), name="large")
        await shop.until(lambda: _invoked(shop))
        await shop.start("lsmall", name="small")
        for _ in range(10):
            await asyncio.sleep(0.05)
            if await small_has_begun():
                break
            one_more.release()
        assert await small_has_begun()
        assert len(shop.door.called("lambda:Invoke")) <= begin_before + 1

    workshop(scenario)


def test_closing_leaves_what_is_not_done_for_the_next_start(
    workshop: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "GRACE_SECONDS", 0.01)

    async def for_ever(_parameters: Mapping[str, Any]) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def scenario(shop: Workshop) -> None:
        shop.door.prepare("Invoke", for_ever, {"Payload": b'{"x": 1}'})
        await shop.worker.start()
        await shop.start("l1")
        await shop.until(lambda: _invoked(shop))
        await shop.worker.close()
        assert [task.key for task in await shop.store.read(history.pending)] == ["l1/1"]
        assert await shop.status() == "Executing"
        shop.worker = shop.another_worker()
        await shop.worker.start()
        assert await shop.end() == "Succeeded"

    workshop(scenario)


def test_a_worker_that_never_started_closes(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        await shop.worker.close()

    workshop(scenario)


async def _invoked(shop: Workshop, times: int = 1) -> bool:
    return bool(shop.door.called("lambda:Invoke"))


def test_functions_that_wait_for_a_slot_are_withdrawn_by_a_stop(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        shop.slots.are_free = False
        never = asyncio.Event()

        async def waits(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            await never.wait()
            raise AssertionError("it is cancelled")

        shop.door.prepare("Invoke", waits)
        await shop.worker.start()
        arn = await shop.start("l1 l2")
        await shop.until(lambda: _invoked(shop, 2))
        await shop.store.write(lambda tx: history.advance(tx, arn, StopRequested(at=2.0)))
        assert await shop.end() == "Stopped"
        assert {step["StepStatus"] for step in (await shop.steps()).values()} == {"Stopped"}
        assert await shop.store.read(history.pending) == ()

    workshop(scenario)


def test_a_function_that_has_a_slot_is_waited_for(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        go_on = shop.door.hold("Invoke", {"Payload": b"null"})
        await shop.worker.start()
        arn = await shop.start("l1")
        await shop.until(lambda: _invoked(shop, 1))
        await shop.store.write(lambda tx: history.advance(tx, arn, StopRequested(at=2.0)))
        go_on.set()
        assert await shop.end() == "Stopped"
        assert (await shop.steps())["l1"]["StepStatus"] == "Succeeded"

    workshop(scenario)


def test_functions_beyond_the_bound_are_withdrawn_by_a_stop(
    workshop: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(loop.AT_ONCE_MAX, InvokeFunction, 1)

    async def scenario(shop: Workshop) -> None:
        go_on = shop.door.hold("Invoke", {"Payload": b"null"})
        await shop.worker.start()
        arn = await shop.start("l1 l2 l3")
        await shop.until(lambda: _invoked(shop, 1))
        await shop.store.write(lambda tx: history.advance(tx, arn, StopRequested(at=2.0)))
        go_on.set()
        assert await shop.end() == "Stopped"
        statuses = sorted(step["StepStatus"] for step in (await shop.steps()).values())
        assert statuses == ["Stopped", "Stopped", "Succeeded"]
        assert len(shop.door.called("lambda:Invoke")) == 1

    workshop(scenario)


def test_the_limit_of_a_step_runs_from_the_slot(workshop: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(shop: Workshop) -> None:
        shop.slots.are_free = False
        loop, skipped = asyncio.get_running_loop(), [0]
        real = loop.time
        monkeypatch.setattr(loop, "time", lambda: real() + skipped[0])

        async def queued(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            skipped[0] = 4 * invocations.STEP_LIMIT_SECONDS  # in the queue
            for _ in range(10):
                await asyncio.sleep(0)  # a limit that ran meanwhile would be over now
            for begun in shop.slots.waiting.values():
                begun.set_result(None)
            return {"Payload": b"null"}

        shop.door.prepare("Invoke", queued)
        await shop.worker.start()
        await shop.start("l1")
        assert await shop.end() == "Succeeded"

    workshop(scenario)


def test_what_an_earlier_process_left_of_a_stopped_execution_is_not_begun(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        arn = await shop.start("l1 l2")
        await shop.store.write(lambda tx: history.advance(tx, arn, StopRequested(at=2.0)))
        await shop.worker.start()
        assert await shop.end() == "Stopped"
        assert shop.door.called("lambda:Invoke") == []

    workshop(scenario)


def test_a_message_whose_callback_was_answered_is_not_sent_after_a_restart(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        arn = await shop.start("c1")
        answered = CallbackAnswered(at=2.0, step="c1", attempt=1, outcome="success")
        await shop.store.write(lambda tx: history.advance(tx, arn, answered))
        await shop.worker.start()
        assert await shop.end() == "Succeeded"

        async def forgotten() -> bool:
            return not await shop.store.read(history.pending)

        await shop.until(forgotten)
        assert shop.door.called("sqs:SendMessage") == []

    workshop(scenario)
