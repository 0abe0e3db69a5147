"""No notice is heard, as where a connection is cut: the rows are looked at all the same, and all is done."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.store.without_notices import lose_notices
from tests.worker import (
    test_emr_clusters,
    test_event_matcher,
    test_job_monitor,
    test_queue_pollers,
    test_task_queue,
)
from tests.worker.conftest import Workshop
from tests.worker.failing_writes import fail_for_a_moment
from tests.worker.test_command_queue import wide
from tests.worker.test_job_monitor import COMPLETED, arn_of
from tests.worker.test_queue_pollers import MAPPING

from passrole import history
from passrole.engine.commands import InvokeFunction, SendCallback
from passrole.engine.facts import StopRequested
from passrole.services.emr import lifecycle
from passrole.services.emr.records import CLUSTERS, EmrStep, put_step, steps_of
from passrole.services.lambda_.mapping_records import MAPPINGS
from passrole.store import Tx, cache, tasks
from passrole.worker import due_keys, loop
from passrole.worker.due_keys import DueKeys

Run = Callable[[Callable[[Workshop], Awaitable[None]]], None]
LONG = 1_000.0


@pytest.fixture(autouse=True)
def notices_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    lose_notices(monkeypatch)


@pytest.fixture
def clocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look comes when the test moves the clock, and not before."""
    for module in (due_keys, loop):
        monkeypatch.setattr(module, "LOOK_SECONDS", LONG)


@pytest.mark.usefixtures("clocked")
def test_commands_are_performed(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        await shop.worker.start()
        await shop.start("l1 c2<l1>")
        shop.now += LONG
        shop.worker._woken.set()
        await eventually_async(lambda: shop.door.called("lambda:Invoke"))

        async def is_recorded() -> bool:
            return bool((await shop.steps())["l1"]["StepStatus"] == "Succeeded")

        await shop.until(is_recorded)
        assert shop.door.called("sqs:SendMessage") == []
        shop.now += LONG
        shop.worker._woken.set()
        await eventually_async(lambda: shop.door.called("sqs:SendMessage"))

    workshop(scenario)


def test_a_busy_loop_looks_too(workshop: Run) -> None:
    async def scenario(shop: Workshop) -> None:
        await shop.worker.start()
        await shop.start("l1")
        while not shop.door.called("lambda:Invoke"):
            shop.now += 0.01
            shop.worker._woken.set()  # as if there were notices of others all the time
            await asyncio.sleep(0)

    workshop(scenario)


def test_a_stop_withdraws_what_waits_in_memory(workshop: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "AT_ONCE_MAX", {InvokeFunction: 2, SendCallback: 2})

    async def scenario(shop: Workshop) -> None:
        go_on = asyncio.Event()

        async def held(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            await go_on.wait()
            return {"Payload": b'{"x": 1}'}

        shop.door.prepare("Invoke", held)
        shop.worker = shop.another_worker()
        arn = await shop.start(wide(20))
        await shop.worker.start()
        await eventually_async(lambda: len(shop.door.called("lambda:Invoke")) == 2)
        await shop.store.write(lambda tx: history.advance(tx, arn, StopRequested(at=2.0)))

        async def the_others_are_stopped() -> bool:
            shop.now += 1.0
            return len(await shop.store.read(history.pending)) == 2

        await shop.until(the_others_are_stopped)
        go_on.set()
        assert await shop.end() == "Stopped"
        assert len(shop.door.called("lambda:Invoke")) == 2

    workshop(scenario)


def test_tasks_are_taken(tmp_path: Path) -> None:
    async def scenario(scene: test_task_queue.Scene) -> None:
        scene.start()
        await asyncio.sleep(0)
        await scene.store.write(lambda tx: tasks.add(tx, "k", "a", b"", 0.0))
        await eventually_async(lambda: scene.handled == ["a"])

    test_task_queue.play(tmp_path, scenario)


def test_jobs_are_followed_and_their_ends_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(scene: test_job_monitor.Scene) -> None:
        now = [1.0]
        scene.monitor._clock = scene.monitor._due._clock = lambda: now[0]
        scene.monitor.start(scene.supervisor)
        await scene.supervisor._sleep(0)

        async def moved(condition: Callable[[], object]) -> bool:
            now[0] += 1.0
            return bool(condition())

        await scene.add("a")
        await eventually_async(lambda: moved(lambda: scene.door.called("emr:DescribeStep")))
        scene.door.prepare("DescribeStep", COMPLETED)
        await eventually_async(lambda: moved(lambda: scene.recorded == ["a"]))

        job = history.jobs.Job("Training", test_job_monitor.EXECUTION, "r", "t", 1, {"Arn": arn_of("t")})
        scene.door.prepare("DescribeTrainingJob", {"TrainingJobStatus": "Completed"})
        await scene.store.write(lambda tx: history.jobs._ROWS.put(tx, job.key, job))
        await eventually_async(lambda: moved(lambda: scene.recorded == ["a", "t"]))

    test_job_monitor.run(tmp_path, monkeypatch, scenario)


def test_a_mapping_is_worked_changed_and_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(scene: test_queue_pollers.Scene) -> None:
        now = [1.0]
        scene.pollers._changed._clock = lambda: now[0]
        scene.pollers.start(scene.supervisor)
        await scene.make_function()
        await scene.put(MAPPING)

        async def are_polled(count: int) -> bool:
            now[0] += 1.0
            return len(scene.pollers._loops) == count

        await eventually_async(lambda: are_polled(1))
        poller = scene.pollers._loops[MAPPING.key]
        await scene.handles("a")
        now[0] += 1.0
        await scene.handles("b")
        assert scene.pollers._loops[MAPPING.key] is poller, "what has not changed goes on"

        await scene.store.write(_remove)
        await eventually_async(lambda: are_polled(0))

    test_queue_pollers.run(tmp_path, monkeypatch, scenario)


def test_a_rule_that_changes_is_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "AGE_SECONDS_MAX", 0.0)
    test_event_matcher.test_a_rule_that_changes_is_heard_of(tmp_path)


def _remove(tx: Tx) -> None:
    MAPPINGS.delete(tx, MAPPING.key)


@pytest.mark.usefixtures("sandboxed")
def test_a_cluster_is_found_and_what_is_over_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: test_emr_clusters.Scene) -> None:
        scene.controller.start(scene.supervisor)
        await asyncio.sleep(0)
        await scene.add(f"echo ran > {scene.notes}")
        await scene.until_step("COMPLETED")
        await scene.store.write(_terminate)
        await scene.until_cluster("TERMINATED")
        await eventually_async(lambda: scene.controller._over == {test_emr_clusters.CLUSTER.key})

    test_emr_clusters.run(tmp_path / "data", monkeypatch, scenario)


@pytest.mark.usefixtures("sandboxed")
@pytest.mark.parametrize("runs", [False, True])
def test_a_step_is_found_after_a_write_of_its_cluster_failed_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, runs: bool
) -> None:
    cluster = replace(test_emr_clusters.CLUSTER, concurrency=2)

    async def scenario(scene: test_emr_clusters.Scene) -> None:
        await scene.add(scene.waiting_script(), cluster)
        scene.controller.start(scene.supervisor)
        await eventually_async(scene.notes.exists)
        if not runs:
            scene.gate.touch()
            await scene.until_cluster("WAITING")
        await fail_for_a_moment(scene.disk, scene.controller._due, cluster.key)
        if not runs:  # else it is forgotten when the program ends
            await eventually_async(lambda: not scene.controller._due._failures)
        await scene.store.write(_add_another_step)

        async def it_ran() -> bool:
            return [step.state for step in await scene.store.read(_steps)][1] == "COMPLETED"

        await eventually_async(it_ran)

    test_emr_clusters.run(tmp_path / "data", monkeypatch, scenario)


def _add_another_step(tx: Tx) -> None:
    (step,) = _steps(tx)
    put_step(tx, replace(step, number=2, id="s-2", state="PENDING", args=["true"]))


def _steps(tx: Tx) -> list[EmrStep]:
    return steps_of(tx, test_emr_clusters.CLUSTER.key)


def _terminate(tx: Tx) -> None:
    cluster = CLUSTERS.get(tx, test_emr_clusters.CLUSTER.key)
    assert cluster is not None
    lifecycle.terminate(tx, cluster, 1.0, "USER_REQUEST", "Terminated by user request")


def test_a_look_leaves_what_failed_to_its_back_off() -> None:
    now = [LONG]
    keys = DueKeys(lambda: now[0])

    async def rows() -> list[str]:
        return ["bad", "good"]

    keys.retry("bad", ValueError("no"))
    keys.add("good", LONG * 9)
    asyncio.run(keys.look(rows))
    assert keys.take(9) == ["good"], "whatever it was due for"
    asyncio.run(keys.look(rows))
    assert keys.take(9) == [], "the next look is later"
    now[0] += 1.0
    asyncio.run(keys.look(rows))
    assert keys.take(9) == ["bad", "good"]


def test_a_look_that_fails_is_made_again_and_a_clock_that_was_set_back_holds_none_up() -> None:
    now, fails = [LONG], [True]
    keys = DueKeys(lambda: now[0])

    async def rows() -> list[str]:
        if fails[0]:
            raise OSError("no connection")
        return ["a"]

    with pytest.raises(OSError, match="no connection"):
        asyncio.run(keys.look(rows))
    fails[0] = False
    asyncio.run(keys.look(rows))
    assert keys.take(9) == ["a"]
    now[0] = 1.0
    asyncio.run(keys.look(rows))
    assert keys.take(9) == ["a"]
