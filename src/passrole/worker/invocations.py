"""A Lambda step's calls: the function is waited for until it is ready, then invoked.

An invocation waits for a slot of the runtime as long as it takes, and the step's limit runs from the moment
that it has one. What has none when its execution is stopped is withdrawn: it is never invoked. A function
that outlives its step goes on, and nobody hears of its end.

Another server may take the command over and perform it, where this one was stopped or has lost its database
for a while. So it is looked up before a function is invoked again, or later than it was known to be due; also
when a worker is ready for it at last.
"""

import asyncio
import logging
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import orjson

from passrole import exact_json, ids
from passrole.clock import Clock
from passrole.engine.commands import InvokeFunction
from passrole.engine.facts import CommandWithdrawn, InputFact, LambdaReturned, LambdaTimedOut
from passrole.history import Task
from passrole.runtimes.interface import IsDue
from passrole.worker.calls import Action, Caller, CallFailed, Calls, NoLongerDue, Sleep

log = logging.getLogger(__name__)

STEP_LIMIT_SECONDS = 600
"""A Lambda step runs for ten minutes at most, although Lambda allows fifteen.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-lambda
"""

PENDING_SECONDS_MAX = 60
SURE_SECONDS = 1.0
"""So long what was due is taken to be due: to ask each time would be a read for each invocation. It is asked
each time where another server may have begun: that one's result may be told in any of its moments.
"""

_PENDING_DELAYS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

_GET_FUNCTION = Action("lambda", "GetFunction", "lambda:GetFunction")
_INVOKE = Action("lambda", "Invoke", "lambda:InvokeFunction")
_LEFT_TO_INVOKE = ("AccessDenied", "AccessDeniedException", "ResourceNotFoundException")


class Slots(Protocol):
    """The runtime's slots; see runtimes.interface.FunctionRuntime."""

    def expecting(
        self, request_id: str, party: str, is_due: IsDue, /
    ) -> AbstractContextManager["asyncio.Future[None]"]:
        """Done when the invocation of this request id has a slot; parties take turns."""


class Due(NamedTuple):
    """That a command was due `at` seconds of the clock; `still` asks whether it is."""

    at: float
    still: IsDue


@dataclass(frozen=True, slots=True, eq=False)
class _Invocation:
    answer: "asyncio.Task[dict[str, Any]]"
    begun: "asyncio.Future[None]"


class Invocations:
    """Invokes functions for steps."""

    def __init__(
        self,
        calls: Calls,
        slots: Slots,
        due_of: Callable[[Task], Due],
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._calls = calls
        self._due_of = due_of
        self._slots = slots
        self._clock = clock
        self._sleep = sleep
        self._queued: defaultdict[str, set[_Invocation]] = defaultdict(set)
        self._left_alone: set[asyncio.Task[Any]] = set()

    async def invoke(self, task: Task, command: InvokeFunction) -> InputFact:
        """What came of the invocation. Raises CallFailed."""
        request_id = ids.invocation_id(task.execution, command.step, command.attempt)
        withdrawn = CommandWithdrawn(at=self._clock(), step=command.step, attempt=command.attempt)
        known = _Known(self._due_of(task), self._clock)
        with self._slots.expecting(request_id, task.execution, known.is_due) as begun:
            answer = asyncio.ensure_future(self._answer(task, command, request_id, known))
            await self._until_begun(task.execution, _Invocation(answer, begun))
            if answer.cancelled():
                return withdrawn
            try:
                return await self._outcome(command, answer, known)
            except NoLongerDue:
                log.info("`%s` was performed by another server, or is wanted no more", task.key)
                return withdrawn

    @property
    def waiting(self) -> list[str]:
        """The executions (ARNs) of invocations that may have no slot yet."""
        return list(self._queued)

    def withdraw(self, execution: str) -> None:
        """The execution (its ARN) starts nothing any more: what has no slot yet is not invoked."""
        for invocation in self._queued.get(execution, ()):
            if not invocation.begun.done():
                invocation.answer.cancel()

    async def close(self) -> None:
        """Let go of the functions that outlived their steps."""
        for task in self._left_alone:
            task.cancel()
        await asyncio.gather(*self._left_alone, return_exceptions=True)

    async def _answer(
        self, task: Task, command: InvokeFunction, request_id: str, known: "_Known"
    ) -> dict[str, Any]:
        caller = Caller(task.role, task.execution, command.step)
        await self._until_ready(caller, command)
        if not await known.is_due():
            raise NoLongerDue
        parameters = {
            "FunctionName": command.function_arn,
            "InvocationType": "RequestResponse",
            "Payload": exact_json.dumps(command.payload),
        }
        return await self._calls.as_role(caller, _INVOKE, parameters, request_id, is_due=known.is_due_now)

    async def _until_ready(self, caller: Caller, command: InvokeFunction) -> None:
        """Wait while the function is made or changed, as far as the role may see that.

        A role with version 1 of the managed policy may not ask (GetFunction came with version 2) and
        invokes all the same. A function that stays pending, or is not there, is invoked too: the step's
        failure then names the call that the step is for.
        """
        waited, asked = 0.0, {"FunctionName": command.function_arn}
        for delay in _delays():
            try:
                answer = await self._calls.as_role(caller, _GET_FUNCTION, asked)
            except CallFailed as failure:
                if failure.action == _GET_FUNCTION.name and failure.code in _LEFT_TO_INVOKE:
                    return
                raise
            if waited >= PENDING_SECONDS_MAX or not _is_changing(answer["Configuration"]):
                return
            await self._sleep(delay)
            waited += delay

    async def _until_begun(self, execution: str, invocation: _Invocation) -> None:
        queued = self._queued[execution]
        queued.add(invocation)
        waited: set[asyncio.Future[Any]] = {invocation.answer, invocation.begun}
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            invocation.answer.cancel()
            raise
        finally:
            queued.discard(invocation)
            if not queued:
                self._queued.pop(execution, None)

    async def _outcome(
        self, command: InvokeFunction, invocation: "asyncio.Task[dict[str, Any]]", known: "_Known"
    ) -> InputFact:
        limit_seconds, step, attempt = float(STEP_LIMIT_SECONDS), command.step, command.attempt
        answer, now = await self._within(limit_seconds, invocation), self._clock()
        if answer is None:
            known.end()
            return LambdaTimedOut(at=now, step=step, attempt=attempt, limit_seconds=limit_seconds)
        payload: bytes = answer.get("Payload") or b"null"
        if answer.get("FunctionError"):
            raise CallFailed(_INVOKE.name, _error_of(payload))
        return LambdaReturned(at=now, step=step, attempt=attempt, payload=payload.decode("utf-8", "replace"))

    async def _within(
        self, limit_seconds: float, invocation: "asyncio.Task[dict[str, Any]]"
    ) -> dict[str, Any] | None:
        """The answer, or None where the limit passed; the function is not interrupted (developer guide).

        Raises NoLongerDue where a worker was ready too late.
        """
        try:
            done, _ = await asyncio.wait({invocation}, timeout=limit_seconds)
        except asyncio.CancelledError:
            invocation.cancel()
            raise
        if done and invocation.cancelled():
            raise NoLongerDue
        if done:
            return invocation.result()
        self._left_alone.add(invocation)
        invocation.add_done_callback(self._ended_alone)
        return None

    def _ended_alone(self, invocation: "asyncio.Task[Any]") -> None:
        self._left_alone.discard(invocation)
        if not invocation.cancelled() and invocation.exception() is not None:
            log.info("a function that outlived its step failed: %s", invocation.exception())


class _Known:
    """When a command was last known to be due."""

    def __init__(self, due: Due, clock: Clock) -> None:
        self._at, self._still, self._clock = due.at, due.still, clock
        self._sure_seconds = SURE_SECONDS if due.at > -math.inf else 0.0
        self._is_over = False

    def end(self) -> None:
        """Its step's time has passed: a worker that is ready from now on begins nothing for it."""
        self._is_over = True

    async def is_due(self) -> bool:
        """Whether it is, as far as is known for sure."""
        is_known = not self._is_over and self._clock() - self._at < self._sure_seconds
        return is_known or await self.is_due_now()

    async def is_due_now(self) -> bool:
        """Whether it is."""
        at = self._clock()
        if not await self._still() or self._is_over:
            return False
        self._at = at
        return True


def _delays() -> Iterator[float]:
    yield from _PENDING_DELAYS
    while True:
        yield _PENDING_DELAYS[-1]


def _is_changing(about: dict[str, Any]) -> bool:
    return about.get("State") == "Pending" or about.get("LastUpdateStatus") == "InProgress"


def _error_of(payload: bytes) -> str:
    """A function's error as one line: its type and its message."""
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        return payload.decode("utf-8", "replace")
    parts = (document.get("errorType"), document.get("errorMessage"))
    return ": ".join(str(part) for part in parts if part) or "null"
