"""A command that another server performed meanwhile is not performed again by the one that had it first."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import pytest
from tests.worker.conftest import ACCOUNT, Workshop

from passrole import disk, history
from passrole.engine.commands import InvokeFunction
from passrole.engine.facts import InputFact, JobSubmitted, LambdaReturned, StopRequested
from passrole.faults import Fault, Outage, Unwritable
from passrole.history import Task, outbox
from passrole.store import shards
from passrole.store.share import Share, shard_of

Run = Callable[[Callable[[Workshop], Awaitable[None]]], None]

INVOKED = "lambda:Invoke"


async def _return(shop: Workshop, arn: str) -> None:
    """As the server records it that took the command over."""
    fact = LambdaReturned(at=2.0, step="l1", attempt=1, payload='{"x": 1}')
    await shop.store.write(lambda tx: history.advance(tx, arn, fact, finished="l1/1"))


def _ready_late(shop: Workshop, seconds: float) -> list[bool]:
    """A worker is ready so long after another server performed the command; whether its function began."""
    begun = list[bool]()

    async def started(_parameters: Mapping[str, Any]) -> dict[str, Any]:
        await _return(shop, shop.arn())
        shop.now += seconds
        assert shop.slots.is_due is not None
        begun.append(await shop.slots.is_due())
        if not begun[0]:
            raise asyncio.CancelledError  # as the runtime does
        return {"Payload": b"null"}

    shop.door.prepare("Invoke", started)
    return begun


@pytest.mark.parametrize("fault", [Outage(), Fault("ThrottlingException", "slow down")], ids=lambda f: f.code)
def test_a_function_is_not_invoked_again_for_a_step_that_is_over(workshop: Run, fault: Fault) -> None:
    async def scenario(shop: Workshop) -> None:
        async def lost(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            await _return(shop, shop.arn())
            raise fault

        shop.door.prepare("Invoke", lost)
        await shop.worker.start()
        await shop.start("l1")
        assert await shop.end() == "Succeeded"
        await shop.worker.close()
        assert len(shop.door.called(INVOKED)) == 1

    workshop(scenario)


@pytest.mark.parametrize(("seconds", "invocations"), [(0.5, 1), (1.5, 0)])
def test_a_function_is_not_invoked_late_for_a_step_that_is_over(
    workshop: Run, seconds: float, invocations: int
) -> None:
    """Half a second is too short for another server to have taken the command over."""

    async def scenario(shop: Workshop) -> None:
        async def frozen(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            await _return(shop, shop.arn())
            shop.now += seconds
            return {"Configuration": {"State": "Active"}}

        shop.door.prepare("GetFunction", frozen)
        await shop.worker.start()
        await shop.start("l1")
        assert await shop.end() == "Succeeded"
        await shop.worker.close()
        assert len(shop.door.called(INVOKED)) == invocations

    workshop(scenario)


def test_a_job_is_not_asked_for_again_for_a_step_that_has_one(workshop: Run) -> None:
    arn = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:processing-job/other"

    async def scenario(shop: Workshop) -> None:
        async def lost(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            handle = {"ProcessingJob": {"Arn": arn}}
            fact = JobSubmitted(at=2.0, step="p1", attempt=1, handle=handle)
            await shop.store.write(lambda tx: history.advance(tx, shop.arn(), fact, finished="p1/1"))
            raise Outage

        shop.door.prepare("CreateProcessingJob", lost)
        await shop.worker.start()
        await shop.start("p1")

        async def is_over() -> bool:
            return bool(shop.slept) and not await shop.store.read(history.pending)

        await shop.until(is_over)
        await shop.worker.close()
        assert len(shop.door.called("sagemaker:CreateProcessingJob")) == 1
        assert (await shop.steps())["p1"]["Metadata"]["ProcessingJob"]["Arn"] == arn

    workshop(scenario)


@pytest.mark.parametrize(("seconds", "creations"), [(0.5, 1), (1.5, 0)])
def test_a_job_is_not_asked_for_after_a_session_that_was_waited_for(
    workshop: Run, seconds: float, creations: int
) -> None:
    """As while this server's disk was full, and another one had its shards."""
    arn = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:processing-job/other"

    async def scenario(shop: Workshop) -> None:
        (session,) = shop.door.answers["AssumeRole"]

        async def waited_for(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            fact = JobSubmitted(at=2.0, step="p1", attempt=1, handle={"ProcessingJob": {"Arn": arn}})
            await shop.store.write(lambda tx: history.advance(tx, shop.arn(), fact, finished="p1/1"))
            shop.now += seconds
            assert isinstance(session, dict)
            return session

        shop.door.prepare("AssumeRole", waited_for)
        shop.door.prepare("CreateProcessingJob", {"ProcessingJobArn": arn})
        await shop.worker.start()
        await shop.start("p1")

        async def is_over() -> bool:
            return not await shop.store.read(history.pending)

        await shop.until(is_over)
        await shop.worker.close()
        assert len(shop.door.called("sagemaker:CreateProcessingJob")) == creations

    workshop(scenario)


@pytest.mark.parametrize(("seconds", "is_begun"), [(0.5, True), (1.5, False)])
def test_a_function_whose_worker_was_ready_late_is_not_begun_for_a_step_that_is_over(
    workshop: Run, seconds: float, is_begun: bool
) -> None:
    async def scenario(shop: Workshop) -> None:
        begun = _ready_late(shop, seconds)
        await shop.worker.start()
        await shop.start("l1")
        assert await shop.end() == "Succeeded"
        await shop.worker.close()
        assert begun == [is_begun]
        assert await shop.store.read(history.pending) == ()

    workshop(scenario)


@pytest.mark.parametrize(("seconds", "invocations"), [(0.5, 1), (1.5, 0)])
def test_a_notice_that_is_heard_late_says_nothing_of_what_is_due(
    workshop: Run, monkeypatch: pytest.MonkeyPatch, seconds: float, invocations: int
) -> None:
    """This server was stopped between its commit and the notice; another one performed the command."""
    monkeypatch.setattr(Share, "is_whole", False)

    async def scenario(shop: Workshop) -> None:
        take = outbox._ANNOUNCED.take

        def late(hint: str) -> Any:
            told, _ = outbox._ANNOUNCED._tasks[hint]
            at = told + seconds
            with monkeypatch.context() as held:
                held.setattr(time, "monotonic", lambda: at)
                return take(hint)

        async def overtaken(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            await _return(shop, shop.arn())
            return {"Configuration": {"State": "Active"}}

        await shop.worker.start()
        await shop.until(lambda: _is_caught_up(shop))
        monkeypatch.setattr(outbox._ANNOUNCED, "take", late)
        shop.door.prepare("GetFunction", overtaken)
        await shop.start("l1")
        assert await shop.end() == "Succeeded"
        await shop.worker.close()
        assert len(shop.door.called(INVOKED)) == invocations

    workshop(scenario)


@pytest.mark.parametrize(("is_whole", "invocations"), [(True, 1), (False, 0)])
def test_a_row_that_another_server_may_have_taken_over_is_looked_up_at_once(
    workshop: Run, monkeypatch: pytest.MonkeyPatch, is_whole: bool, invocations: int
) -> None:
    monkeypatch.setattr(Share, "is_whole", is_whole)

    async def scenario(shop: Workshop) -> None:
        async def overtaken(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            await _return(shop, shop.arn())
            return {"Configuration": {"State": "Active"}}

        shop.door.prepare("GetFunction", overtaken)
        await shop.start("l1")
        await shop.worker.start()
        assert await shop.end() == "Succeeded"
        await shop.worker.close()
        assert len(shop.door.called(INVOKED)) == invocations

    workshop(scenario)


def test_a_step_that_is_still_due_is_invoked_as_soon_as_the_database_says_so(
    workshop: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(shop: Workshop) -> None:
        is_still_due, asked = history.is_still_due, 0

        def away(tx: Any, task: history.Task) -> bool:
            nonlocal asked
            asked += 1
            if asked < 3:
                raise disk.StoreUnreachable("the database is away")
            return is_still_due(tx, task)

        shop.door.prepare("Invoke", Outage(), {"Payload": b'{"x": 1}'})
        await shop.worker.start()
        await shop.until(lambda: _is_caught_up(shop))
        monkeypatch.setattr(history, "is_still_due", away)
        await shop.start("l1")
        assert await shop.end() == "Succeeded"
        assert (asked, len(shop.door.called(INVOKED))) == (3, 2)

    workshop(scenario)


def test_a_function_that_another_server_runs_comes_to_its_end_when_the_execution_is_stopped(
    workshop: Run,
) -> None:
    async def scenario(shop: Workshop) -> None:
        share, elsewhere = shop.store.share, shop.arn("elsewhere")
        shard = shard_of(elsewhere)
        share.close(shard)
        await shop.store.write(partial(shards.borrow, shard=shard, node=7))
        assert share.has(shop.arn("here"))
        shop.slots.are_free = False
        shop.door.hold("Invoke", {})
        await shop.worker.start()
        for name in ("elsewhere", "here"):
            await shop.start("l1", name)
            await shop.store.write(
                partial(history.advance, execution=shop.arn(name), fact=StopRequested(at=2.0))
            )
        assert await shop.end("here") == "Stopped"
        assert await shop.status("elsewhere") == "Stopping"
        await _return(shop, elsewhere)
        assert await shop.end("elsewhere") == "Stopped"
        found = {name: (await shop.steps(name))["l1"]["StepStatus"] for name in ("elsewhere", "here")}
        assert found == {"elsewhere": "Succeeded", "here": "Stopped"}

    workshop(scenario)


async def _is_caught_up(shop: Workshop) -> bool:
    """What an earlier process left has been looked at, and notices are believed from now on."""
    return all(queue.is_caught_up for queue in shop.worker._queues.values())


@pytest.mark.parametrize(
    "fault", [Outage(), Unwritable(), Fault("AccessDeniedException", "not allowed")], ids=lambda f: f.code
)
def test_what_fails_of_a_command_that_another_server_has_is_not_told(
    workshop: Run, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    """That one may have begun, and records nothing until it is done; then it counts, whoever tells it."""
    monkeypatch.setattr(Share, "is_whole", False)

    async def scenario(shop: Workshop) -> None:
        async def overtaken(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            await shop.store.write(partial(shards.borrow, shard=shard_of(shop.arn()), node=7))
            raise fault

        shop.door.prepare("Invoke", overtaken)
        await shop.worker.start()
        await shop.start("l1")

        async def is_let_go() -> bool:
            return bool(shop.door.called(INVOKED)) and not shop.worker._queues[InvokeFunction]._held

        await shop.until(is_let_go)
        await shop.worker.close()
        assert len(shop.door.called(INVOKED)) == 1
        rows = await shop.worker._queues[InvokeFunction].rows(shop.arn(), 9)
        assert [task.key for task in rows] == ["l1/1"]
        assert await shop.status() == "Executing"
        await _return(shop, shop.arn())
        assert await shop.end() == "Succeeded"

    workshop(scenario)


def test_a_shard_that_was_anothers_for_a_moment_has_nothing_withdrawn(
    workshop: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was so when a command was asked for, and not any more when that was to be told."""
    monkeypatch.setattr(Share, "is_whole", False)

    async def scenario(shop: Workshop) -> None:
        async def overtaken(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            await shop.store.write(partial(shards.borrow, shard=shard_of(shop.arn()), node=7))
            raise Outage

        effects = shop.worker._effects
        perform = effects.perform

        async def returned(task: Task) -> InputFact:
            fact = await perform(task)
            await shop.store.write(
                partial(shards.borrow, shard=shard_of(shop.arn()), node=shop.store.share.node)
            )
            return fact

        monkeypatch.setattr(effects, "perform", returned)
        shop.door.prepare("Invoke", overtaken, {"Payload": b'{"x": 1}'})
        await shop.worker.start()
        await shop.start("l1")
        assert await shop.end() == "Succeeded"
        assert len(shop.door.called(INVOKED)) == 2
        assert (await shop.steps())["l1"]["StepStatus"] == "Succeeded"

    workshop(scenario)


@pytest.mark.parametrize(("is_whole", "is_begun"), [(True, True), (False, False)])
def test_what_another_server_may_have_in_hand_is_asked_for_when_its_function_begins(
    workshop: Run, monkeypatch: pytest.MonkeyPatch, is_whole: bool, is_begun: bool
) -> None:
    """Its result may be told within the second for which one's own command is taken to be due."""
    monkeypatch.setattr(Share, "is_whole", is_whole)

    async def scenario(shop: Workshop) -> None:
        begun = _ready_late(shop, 0.1)
        await shop.start("l1")  # a row before the worker is there
        await shop.worker.start()
        assert await shop.end() == "Succeeded"
        await shop.worker.close()
        assert begun == [is_begun]

    workshop(scenario)
