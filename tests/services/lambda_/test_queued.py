"""Asynchronous invocations over a real store: stored first, run once, taken up again after a crash."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from passrole.arns import Account, Region
from passrole.config import Config
from passrole.faults import Internal
from passrole.policy.request import Principal
from passrole.runtimes.interface import (
    CredentialsSource,
    FunctionSpec,
    Invocation,
    InvocationResult,
    TooManyInvocations,
)
from passrole.services.lambda_ import queued
from passrole.services.lambda_.event_config_records import CONFIGS, EventConfig
from passrole.services.lambda_.qualified import place
from passrole.services.lambda_.queued import QUEUED, QueuedInvocations
from passrole.services.lambda_.records import FUNCTIONS, Function
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
        self.now = 1.0
        self.runtime = FakeRuntime()
        self.queue = self.fresh()

    def fresh(self) -> QueuedInvocations:
        return QueuedInvocations(self.store, self.runtime, door, lambda: self.now, Config())

    async def add(self, request_id: str, function: Function = FUNCTION) -> None:
        invocation = Invocation(request_id, b'{"n": 1}')
        await self.store.write(lambda tx: queued.add(tx, function.key, None, invocation, 1.0))

    async def waiting(self) -> list[str]:
        return [row.request_id for _, row in await self.store.read(QUEUED.all)]

    async def ran(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.runtime.ran) < count:  # noqa: ASYNC110 (a run has no event)
                await asyncio.sleep(0.005)

    async def due(self) -> float:
        """When the next attempt of the one event begins, once that is stored."""
        async with asyncio.timeout(5):
            while True:
                (row,) = [row for _, row in await self.store.read(QUEUED.all)]
                if row.attempts == len(self.runtime.ran):
                    return row.due
                await asyncio.sleep(0.005)

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


def test_a_failing_function_runs_again_after_one_minute_and_after_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queued, "WAIT_SECONDS_MAX", 0.005)

    async def scenario(scene: Scene) -> None:
        scene.runtime.error = "Unhandled"
        await scene.queue.start()
        await scene.add("r-1")
        for runs, later in ((1, 60.0), (2, 120.0)):
            await scene.ran(runs)
            assert (await scene.due()) == scene.now + later
            scene.now += later - 1
            await asyncio.sleep(0.03)
            assert len(scene.runtime.ran) == runs
            scene.now += 1
        await scene.settled()
        assert len(scene.runtime.ran) == 3

    _run(tmp_path, scenario)


def test_a_second_try_is_made_by_the_next_server_when_it_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queued, "WAIT_SECONDS_MAX", 0.005)

    async def scenario(scene: Scene) -> None:
        scene.runtime.error = "Unhandled"
        await scene.queue.start()
        await scene.add("r-1")
        await scene.ran(1)
        await scene.due()
        await scene.queue.close()
        scene.queue = scene.fresh()
        scene.runtime.error = None
        await scene.queue.start()
        scene.now += 60
        await scene.settled()
        assert len(scene.runtime.ran) == 2

    _run(tmp_path, scenario)


@pytest.mark.parametrize(
    "settings, runs", [({"retries": 0}, 1), ({"age_seconds": 59}, 1), ({"retries": 1}, 2)]
)
def test_retries_and_age_are_limited_by_the_event_invoke_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], runs: int
) -> None:
    monkeypatch.setattr(queued, "RETRY_SECONDS", (60.0, 120.0))
    monkeypatch.setattr(queued, "WAIT_SECONDS_MAX", 0.005)
    config = EventConfig(FUNCTION.account, FUNCTION.region, FUNCTION.name, "$LATEST", 0.0, **settings)

    async def scenario(scene: Scene) -> None:
        await scene.store.write(lambda tx: CONFIGS.put(tx, place(FUNCTION.key, "$LATEST"), config))
        scene.runtime.error = "Unhandled"
        await scene.queue.start()
        await scene.add("r-1")
        await scene.ran(1)
        if runs > 1:
            scene.now = await scene.due()
        await scene.settled()
        assert len(scene.runtime.ran) == runs

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


def test_a_failure_of_passrole_itself_is_no_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queued, "THROTTLED_SECONDS", 0.01)
    failures = [Internal(), Internal()]

    async def failing(*asked: Any) -> dict[str, Any]:
        if failures:
            raise failures.pop()
        return await door(*asked)

    async def scenario(scene: Scene) -> None:
        scene.queue = QueuedInvocations(scene.store, scene.runtime, failing, lambda: scene.now, Config())
        await scene.queue.start()
        await scene.add("r-1")
        await scene.settled()
        assert len(scene.runtime.ran) == 1
        assert not failures

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
