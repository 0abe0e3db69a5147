"""Pollers of event source mappings over a real store: no failure ends one whose mapping says Enabled."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.store import chosen
from tests.worker.failing_writes import FullDisk, make_quick
from tests.worker.test_async_invocations import FUNCTION, FakeRuntime, door, with_code

from passrole.policy.request import Principal
from passrole.services.lambda_.mapping_records import CHANNEL, MAPPINGS, RESULTS, EventSourceMapping
from passrole.services.lambda_.records import FUNCTIONS
from passrole.store import SqliteStore, Tx
from passrole.worker import queue_pollers
from passrole.worker.queue_pollers import QueuePollers
from passrole.worker.supervisor import Supervisor

MAPPING = EventSourceMapping(
    uuid="m",
    account=FUNCTION.account,
    region=FUNCTION.region,
    queue_arn=f"arn:aws:sqs:us-east-1:{FUNCTION.account}:q",
    function=FUNCTION.name,
    batch_size=1,
    window_seconds=0,
    enabled=True,
    partial=False,
    modified=0.0,
)


class Queue:
    """Behind the door: messages that are received once, and those that were deleted."""

    def __init__(self) -> None:
        self.waiting: list[str] = []
        self.deleted: list[str] = []
        self.raises: list[BaseException] = []

    async def __call__(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        principal: Principal,
        region: str,
        request_id: str | None = None,
    ) -> dict[str, Any]:
        if operation == "AssumeRole":
            return await door(service, operation, parameters, principal, region)
        if operation == "ReceiveMessage":
            if self.raises:
                raise self.raises.pop()
            await asyncio.sleep(0.01)
            return {"Messages": [_message(self.waiting.pop(0))]} if self.waiting else {}
        self.deleted += [each["ReceiptHandle"] for each in parameters["Entries"]]
        return {}


class Scene:
    """A mapping, its queue, and the pollers."""

    def __init__(self, store: SqliteStore, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self.store = store
        self.disk = FullDisk(store, patch)
        self.queue = Queue()
        self.supervisor = Supervisor()
        runtime = FakeRuntime()
        self.pollers = QueuePollers(store, runtime, self.queue, lambda: 1.0, with_code(folder))

    async def put(self, mapping: EventSourceMapping) -> None:
        def write(tx: Tx) -> None:
            MAPPINGS.put(tx, mapping.key, mapping)
            tx.notify(CHANNEL, mapping.key)

        await self.store.write(write)

    async def make_function(self) -> None:
        await self.store.write(lambda tx: FUNCTIONS.put(tx, FUNCTION.key, FUNCTION))

    async def handles(self, message: str) -> None:
        """A message that comes now is received, handled and deleted."""
        self.queue.waiting.append(message)
        await eventually_async(lambda: message in self.queue.deleted)

    async def until_result(self, text: str) -> None:
        async def stored() -> bool:
            result = await self.store.read(lambda tx: RESULTS.get(tx, MAPPING.key))
            return result is not None and result.text.startswith(text)

        await eventually_async(stored)


def _message(text: str) -> dict[str, Any]:
    return {"MessageId": text, "ReceiptHandle": text, "Body": text, "MD5OfBody": "", "Attributes": {}}


def run(folder: Path, patch: pytest.MonkeyPatch, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    make_quick(patch)
    patch.setattr(queue_pollers, "PROBLEM_SECONDS_MIN", 0.01)

    async def opened() -> None:
        store = chosen.opened(folder)
        scene = Scene(store, patch, folder)
        try:
            await scenario(scene)
        finally:
            await scene.supervisor.close()
            await store.close()

    asyncio.run(opened())


def test_a_result_that_cannot_be_written_ends_no_poller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.put(MAPPING)
        scene.disk.is_full = True
        scene.pollers.start(scene.supervisor)
        await eventually_async(lambda: scene.disk.refused > 2)
        scene.disk.is_full = False
        await scene.until_result("PROBLEM: Function not found")
        await scene.make_function()
        await scene.handles("a")
        await scene.until_result("OK")

    run(tmp_path, monkeypatch, scenario)


def test_a_result_that_was_not_written_is_written_with_the_next_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.put(MAPPING)
        await scene.make_function()
        scene.pollers.start(scene.supervisor)
        scene.disk.is_full = True
        await scene.handles("a")
        await eventually_async(lambda: scene.disk.refused > 0)
        scene.disk.is_full = False
        await scene.handles("b")
        await scene.until_result("OK")

    run(tmp_path, monkeypatch, scenario)


@pytest.mark.parametrize("error", [OSError(24, "too many open files"), asyncio.CancelledError()], ids=repr)
def test_what_nobody_foresaw_ends_no_poller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.put(MAPPING)
        await scene.make_function()
        scene.queue.raises = [error]
        scene.pollers.start(scene.supervisor)
        await scene.handles("a")

    run(tmp_path, monkeypatch, scenario)


def test_a_disabled_mapping_is_not_polled_until_it_is_enabled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.put(MAPPING)
        await scene.make_function()
        scene.pollers.start(scene.supervisor)
        await scene.handles("a")
        await scene.put(replace(MAPPING, enabled=False))
        await eventually_async(lambda: not _is_polled())
        scene.queue.waiting.append("b")
        await scene.put(MAPPING)
        await eventually_async(lambda: "b" in scene.queue.deleted)

    run(tmp_path, monkeypatch, scenario)


def _is_polled() -> bool:
    return any(task.get_name().startswith("event source mapping ") for task in asyncio.all_tasks())
