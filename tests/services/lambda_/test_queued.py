"""Asynchronous invocations over a real store: stored first, run once, taken up again after a crash."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from passrole.arns import Account, Region
from passrole.config import Config
from passrole.policy.request import Principal
from passrole.runtimes.interface import (
    CredentialsSource,
    FunctionSpec,
    Invocation,
    InvocationResult,
    TooManyInvocations,
)
from passrole.services.lambda_ import queued
from passrole.services.lambda_.queued import QUEUED, QueuedInvocations
from passrole.services.lambda_.registry import FUNCTIONS, Function
from passrole.store import SqliteStore

T = TypeVar("T")

FUNCTION = Function(
    account=Account("111122223333"),
    region=Region("us-east-1"),
    name="f",
    role="arn:aws:iam::111122223333:role/r",
    runtime="python3.11",
    handler="h.handler",
    description="",
    timeout=3,
    memory=128,
    folder="code",
    code_sha256="",
    code_size=0,
    modified=0,
    revision="1",
)


class FakeRuntime:
    """Writes down what it runs; fails, waits or refuses as it is told."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, bytes]] = []
        self.busy = 0
        self.open = asyncio.Event()
        self.open.set()
        self.error: str | None = None

    async def invoke(
        self, spec: FunctionSpec, credentials: CredentialsSource, invocation: Invocation
    ) -> InvocationResult:
        if self.busy:
            self.busy -= 1
            raise TooManyInvocations
        assert (await credentials()).access_key == f"key of {FUNCTION.role}"
        self.ran.append((invocation.request_id, invocation.payload))
        await self.open.wait()
        return InvocationResult(b"null", self.error, b"")

    def expecting(self, request_id: str) -> Any:
        raise NotImplementedError

    async def retire(self, arn: str) -> None:
        raise NotImplementedError

    async def discard(self, code: Path) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError


async def door(
    service: str, operation: str, parameters: Mapping[str, Any], principal: Principal, region: str
) -> dict[str, Any]:
    assert (service, operation, principal.name, region) == (
        "sts",
        "AssumeRole",
        "lambda.amazonaws.com",
        "us-east-1",
    )
    key = f"key of {parameters['RoleArn']}"
    return {
        "Credentials": {
            "AccessKeyId": key,
            "SecretAccessKey": "s",
            "SessionToken": "t",
            "Expiration": 2e9,
        }
    }


class Scene:
    """A store with one function, a fake runtime and the queue between them."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.runtime = FakeRuntime()
        self.queue = self.fresh()

    def fresh(self) -> QueuedInvocations:
        return QueuedInvocations(self.store, self.runtime, door, lambda: 1.0, Config())

    async def add(self, request_id: str, function: Function = FUNCTION) -> None:
        invocation = Invocation(request_id, b'{"n": 1}')
        await self.store.write(lambda tx: queued.add(tx, function.key, None, invocation, 1.0))

    async def waiting(self) -> list[str]:
        return [row.request_id for _, row in await self.store.read(QUEUED.all)]

    async def settled(self) -> None:
        async with asyncio.timeout(5):
            while await self.waiting():  # noqa: ASYNC110 (the end of a row has no event)
                await asyncio.sleep(0.005)


def test_what_is_queued_runs_once_and_leaves_no_row(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.queue.start()
        await scene.add("r-1")
        await scene.settled()
        assert scene.runtime.ran == [("r-1", b'{"n": 1}')]

    _run(tmp_path, scenario)


def test_what_an_earlier_process_left_is_taken_up_in_order(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.add("r-1")
        await scene.add("r-2")
        await scene.queue.start()
        await scene.settled()
        assert [request_id for request_id, _ in scene.runtime.ran] == ["r-1", "r-2"]

    _run(tmp_path, scenario)


def test_what_was_running_when_the_server_stopped_runs_again(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.runtime.open.clear()
        await scene.queue.start()
        await scene.add("r-1")
        while not scene.runtime.ran:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        await scene.queue.close()
        assert await scene.waiting() == ["r-1"]
        scene.runtime.open.set()
        scene.queue = scene.fresh()
        await scene.queue.start()
        await scene.settled()
        assert [request_id for request_id, _ in scene.runtime.ran] == ["r-1", "r-1"]

    _run(tmp_path, scenario)


def test_a_failing_function_is_not_run_again(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.runtime.error = "Unhandled"
        await scene.queue.start()
        await scene.add("r-1")
        await scene.settled()
        assert len(scene.runtime.ran) == 1

    _run(tmp_path, scenario)


def test_a_full_house_makes_it_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queued, "THROTTLED_SECONDS", 0.01)

    async def scenario(scene: Scene) -> None:
        scene.runtime.busy = 3
        await scene.queue.start()
        await scene.add("r-1")
        await scene.settled()
        assert len(scene.runtime.ran) == 1

    _run(tmp_path, scenario)


def test_an_event_for_a_deleted_function_is_dropped(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.queue.start()
        await scene.add("r-1", replace(FUNCTION, name="deleted"))
        await scene.settled()
        assert scene.runtime.ran == []

    _run(tmp_path, scenario)


def _run(place: Path, scenario: Callable[[Scene], Awaitable[T]]) -> T:
    async def opened() -> T:
        store = SqliteStore(place)
        await store.write(lambda tx: FUNCTIONS.put(tx, FUNCTION.key, FUNCTION))
        scene = Scene(store)
        try:
            return await scenario(scene)
        finally:
            await scene.queue.close()
            await store.close()

    return asyncio.run(opened())
