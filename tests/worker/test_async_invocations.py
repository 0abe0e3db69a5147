"""Asynchronous invocations over a real store: stored first, run once, taken up again after a crash."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.eventually import eventually_async
from tests.store import chosen

from passrole import disk
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
from passrole.services.lambda_ import async_invocations as rows
from passrole.services.lambda_.event_config_records import CONFIGS, EventConfig
from passrole.services.lambda_.qualifiers import version_key
from passrole.services.lambda_.records import FUNCTIONS, Function, code_folder
from passrole.store import SqliteStore, tasks
from passrole.store.tasks import Task
from passrole.worker import async_invocations, task_queue
from passrole.worker.async_invocations import AsyncInvocations
from passrole.worker.supervisor import Supervisor

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
        self.raises: list[BaseException] = []

    async def invoke(
        self, spec: FunctionSpec, credentials: CredentialsSource, invocation: Invocation
    ) -> InvocationResult:
        if self.busy:
            self.busy -= 1
            raise TooManyInvocations
        if self.raises:
            raise self.raises.pop()
        assert (await credentials()).access_key == f"key of {FUNCTION.role}"
        self.ran.append((invocation.request_id, invocation.payload))
        await self.open.wait()
        return InvocationResult(b"null", self.error, b"")

    def expecting(self, request_id: str, _party: str = "", _is_due: Any = None) -> Any:
        raise NotImplementedError

    async def retire(self, arn: str) -> None:
        raise NotImplementedError

    async def discard(self, code: Path) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError


async def door(
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    principal: Principal,
    region: str,
    request_id: str | None = None,
) -> dict[str, Any]:
    assert (service, operation, principal.name, region) == (
        "sts",
        "AssumeRole",
        "lambda.amazonaws.com",
        "us-east-1",
    )
    key = f"key of {parameters['RoleArn']}"
    return {
        "AssumedRoleUser": {"Arn": "arn:session", "AssumedRoleId": "AROA:f"},
        "Credentials": {
            "AccessKeyId": key,
            "SecretAccessKey": "s",
            "SessionToken": "t",
            "Expiration": 2e9,
        },
    }


def with_code(folder: Path) -> Config:
    """Of a server that has unpacked FUNCTION's code already."""
    config = Config(data=folder)
    code_folder(config, FUNCTION).mkdir(parents=True, exist_ok=True)
    return config


class Scene:
    """A store with one function, a fake runtime and the queue between them."""

    def __init__(self, store: SqliteStore, folder: Path) -> None:
        self.store = store
        self.config = with_code(folder)
        self.now = 1.0
        self.runtime = FakeRuntime()
        self.supervisor = Supervisor()

    def start(self, call: Any = None) -> None:
        invocations = AsyncInvocations(self.store, self.runtime, call or door, lambda: self.now, self.config)
        invocations.start(self.supervisor)

    async def stop(self) -> None:
        await self.supervisor.close()

    async def add(self, request_id: str, function: Function = FUNCTION) -> None:
        invocation = Invocation(request_id, b'{"n": 1}')
        await self.store.write(lambda tx: rows.enqueue(tx, function.key, None, invocation, 1.0))

    async def tasks(self) -> list[Task]:
        return await self.store.read(lambda tx: tasks.take(tx, rows.KIND, 1e12, 1_000))

    async def waiting(self) -> list[str]:
        return [rows.read(task).request_id for task in await self.tasks()]

    async def ran(self, count: int) -> None:
        await eventually_async(lambda: len(self.runtime.ran) >= count)

    async def due(self) -> float:
        """When the next attempt of the one event begins, once that is stored."""

        async def stored() -> Task | None:
            (task,) = await self.tasks()
            return task if rows.read(task).attempts == len(self.runtime.ran) else None

        return (await eventually_async(stored)).due

    async def settled(self) -> None:

        async def empty() -> bool:
            return not await self.waiting()

        await eventually_async(empty)


def test_what_is_queued_runs_once_and_leaves_no_row(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.start()
        await scene.add("r-1")
        await scene.settled()
        assert scene.runtime.ran == [("r-1", b'{"n": 1}')]

    _run(tmp_path, scenario)


@chosen.of_a_file
def test_what_an_earlier_process_left_is_taken_up_in_order(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.add("r-1")
        await scene.add("r-2")
        scene.start()
        await scene.settled()
        assert [request_id for request_id, _ in scene.runtime.ran] == ["r-1", "r-2"]

    _run(tmp_path, scenario)


def test_what_was_running_when_the_server_stopped_runs_again(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.runtime.open.clear()
        scene.start()
        await scene.add("r-1")
        await scene.ran(1)
        await scene.stop()
        assert await scene.waiting() == ["r-1"]
        scene.runtime.open.set()
        scene.start()
        await scene.settled()
        assert [request_id for request_id, _ in scene.runtime.ran] == ["r-1", "r-1"]

    _run(tmp_path, scenario)


def test_a_failing_function_runs_again_after_one_minute_and_after_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_queue, "WAIT_SECONDS_MAX", 0.005)

    async def scenario(scene: Scene) -> None:
        scene.runtime.error = "Unhandled"
        scene.start()
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
    monkeypatch.setattr(task_queue, "WAIT_SECONDS_MAX", 0.005)

    async def scenario(scene: Scene) -> None:
        scene.runtime.error = "Unhandled"
        scene.start()
        await scene.add("r-1")
        await scene.ran(1)
        await scene.due()
        await scene.stop()
        scene.runtime.error = None
        scene.start()
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
    monkeypatch.setattr(async_invocations, "RETRY_SECONDS", (60.0, 120.0))
    monkeypatch.setattr(task_queue, "WAIT_SECONDS_MAX", 0.005)
    config = EventConfig(FUNCTION.account, FUNCTION.region, FUNCTION.name, "$LATEST", 0.0, **settings)

    async def scenario(scene: Scene) -> None:
        await scene.store.write(lambda tx: CONFIGS.put(tx, version_key(FUNCTION.key, "$LATEST"), config))
        scene.runtime.error = "Unhandled"
        scene.start()
        await scene.add("r-1")
        await scene.ran(1)
        if runs > 1:
            scene.now = await scene.due()
        await scene.settled()
        assert len(scene.runtime.ran) == runs

    _run(tmp_path, scenario)


def test_a_full_house_makes_it_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_invocations, "THROTTLED_SECONDS", 0.01)

    async def scenario(scene: Scene) -> None:
        scene.runtime.busy = 3
        scene.start()
        await scene.add("r-1")
        await scene.settled()
        assert len(scene.runtime.ran) == 1

    _run(tmp_path, scenario)


def test_a_failure_of_passrole_itself_is_no_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_invocations, "THROTTLED_SECONDS", 0.01)
    failures = [Internal(), Internal()]

    async def failing(*asked: Any) -> dict[str, Any]:
        if failures:
            raise failures.pop()
        return await door(*asked)

    async def scenario(scene: Scene) -> None:
        scene.start(failing)
        await scene.add("r-1")
        await scene.settled()
        assert len(scene.runtime.ran) == 1
        assert not failures

    _run(tmp_path, scenario)


@pytest.mark.parametrize(
    "error", [OSError(24, "too many files"), ValueError("a bug"), asyncio.CancelledError()]
)
def test_what_is_no_fault_strands_no_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    """It is tried again with back-off, is logged, and counts as no attempt."""
    monkeypatch.setattr(task_queue, "WAIT_SECONDS_MAX", 0.005)
    monkeypatch.setattr(disk, "_reported_at", {})

    async def scenario(scene: Scene) -> None:
        scene.runtime.raises = [error, error]
        scene.start()
        await scene.add("r-1")
        for failures in (1, 2):

            async def failed(failures: int = failures) -> Task | None:
                (task,) = await scene.tasks()
                return task if task.failures == failures else None

            task = await eventually_async(failed)
            assert rows.read(task).attempts == 0
            scene.now = task.due
        await scene.settled()
        assert [request_id for request_id, _ in scene.runtime.ran] == ["r-1"]

    _run(tmp_path, scenario)
    assert any(record.levelname == "ERROR" for record in caplog.records)


@chosen.of_a_file
def test_many_that_wait_are_rows_and_eight_are_in_memory(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.runtime.open.clear()
        for number in range(100):
            await scene.add(f"r-{number:02}")
        scene.start()
        await scene.ran(8)
        await asyncio.sleep(0.05)
        assert len(scene.runtime.ran) == async_invocations.AT_ONCE_MAX == 8
        names = [task.get_name() for task in asyncio.all_tasks()]
        assert names.count(rows.KIND) == 8 + 1, "those that run, and the queue"
        scene.runtime.open.set()
        await scene.settled()
        assert [request_id for request_id, _ in scene.runtime.ran] == [f"r-{n:02}" for n in range(100)]

    _run(tmp_path, scenario)


def test_an_event_for_a_deleted_function_is_dropped(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.start()
        await scene.add("r-1", replace(FUNCTION, name="deleted"))
        await scene.settled()
        assert scene.runtime.ran == []

    _run(tmp_path, scenario)


def _run(place: Path, scenario: Callable[[Scene], Awaitable[T]]) -> T:
    async def opened() -> T:
        store = chosen.opened(place)
        await store.write(lambda tx: FUNCTIONS.put(tx, FUNCTION.key, FUNCTION))
        scene = Scene(store, place)
        try:
            return await scenario(scene)
        finally:
            await scene.stop()
            await store.close()

    return asyncio.run(opened())
