"""Delivery of functions' logs: what passrole itself fails to store is delivered later, once and in order."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.store import chosen
from tests.worker.failing_writes import make_quick
from tests.worker.test_async_invocations import FUNCTION, door

from passrole.faults import AccessDenied, Internal
from passrole.policy.request import Principal
from passrole.runtimes.interface import CredentialsSource, FunctionSpec, Invocation, InvocationResult
from passrole.services.lambda_.records import FUNCTIONS
from passrole.store import SqliteStore
from passrole.worker import log_delivery
from passrole.worker.log_delivery import LoggedFunctions
from passrole.worker.supervisor import Supervisor

SPEC = FunctionSpec(FUNCTION.arn, "f", "1", "python3.11", "h", Path("code"), 3, 128)


class Runtime:
    """Answers with a log that has the event in it."""

    async def invoke(
        self, spec: FunctionSpec, credentials: CredentialsSource, invocation: Invocation
    ) -> InvocationResult:
        return InvocationResult(b"null", None, invocation.payload, log_stream="stream")

    def expecting(self, request_id: str, _party: str = "", _is_due: Any = None) -> Any:
        raise NotImplementedError

    async def retire(self, arn: str) -> None:
        raise NotImplementedError

    async def discard(self, code: Path) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing runs."""


class Logs:
    """Behind the door: what was stored; calls fail as they are told to."""

    def __init__(self) -> None:
        self.stored: list[str] = []
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
        if operation == "PutLogEvents":
            if self.raises:
                raise self.raises.pop()
            self.stored += [event["message"] for event in parameters["logEvents"]]
        return {}


class Scene:
    """A function whose invocations write what they are given."""

    def __init__(self, store: SqliteStore) -> None:
        self.logs = Logs()
        self.supervisor = Supervisor()
        self.functions = LoggedFunctions(Runtime(), store, lambda: 1.0)
        self.functions.start(self.supervisor, self.logs)

    async def invoke(self, text: str) -> None:
        async def credentials() -> Any:
            raise NotImplementedError

        await self.functions.invoke(SPEC, credentials, Invocation("r", text.encode()))


def run(folder: Path, patch: pytest.MonkeyPatch, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    make_quick(patch)
    patch.setattr(log_delivery, "GATHER_SECONDS", 0.01)

    async def opened() -> None:
        store = chosen.opened(folder)
        await store.write(lambda tx: FUNCTIONS.put(tx, FUNCTION.key, FUNCTION))
        scene = Scene(store)
        try:
            await scenario(scene)
        finally:
            await scene.supervisor.close()
            await scene.functions.close()
            await store.close()

    asyncio.run(opened())


@pytest.mark.parametrize(
    "error", [Internal(), OSError(28, "no space left"), asyncio.CancelledError()], ids=lambda each: repr(each)
)
def test_a_failure_of_passrole_itself_loses_no_log_and_does_not_end_delivery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    async def scenario(scene: Scene) -> None:
        scene.logs.raises = [error, Internal()]
        await scene.invoke("a")
        await eventually_async(lambda: not scene.logs.raises)
        await scene.invoke("b")
        await eventually_async(lambda: len(scene.logs.stored) == 2)
        assert scene.logs.stored == ["a", "b"]

    run(tmp_path, monkeypatch, scenario)


def test_the_log_of_a_role_that_may_not_write_is_dropped_and_asked_for_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Scene) -> None:
        scene.logs.raises = [AccessDenied("AccessDeniedException", "no", status=400)]
        await scene.invoke("a")
        await eventually_async(lambda: not scene.logs.raises)
        await scene.invoke("b")
        await scene.supervisor.close()
        await scene.functions.close()
        assert scene.logs.stored == []

    run(tmp_path, monkeypatch, scenario)


def test_what_waits_when_the_server_stops_is_delivered_before_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.invoke("a")
        await scene.supervisor.close()
        await scene.functions.close()
        assert scene.logs.stored == ["a"]

    run(tmp_path, monkeypatch, scenario)
