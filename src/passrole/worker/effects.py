"""What each command of the engine means outside: one function per command, from Task to input fact.

Knows no store: the loop records what comes of it. A command may be performed twice after a crash.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import orjson

from passrole import exact_json, ids
from passrole.clock import Clock
from passrole.engine.commands import (
    CancelEmrStep,
    Command,
    InvokeFunction,
    ReadJson,
    SendCallback,
    SubmitEmrStep,
    status_of,
)
from passrole.engine.facts import (
    CallbackSent,
    EffectFailed,
    InputFact,
    JsonRead,
    LambdaReturned,
    LambdaTimedOut,
)
from passrole.history import Task
from passrole.worker.calls import Action, Caller, CallFailed, Calls, Sleep
from passrole.worker.emr_steps import EmrSteps
from passrole.worker.json_documents import JsonDocuments, UnreadableDocument

log = logging.getLogger(__name__)

STEP_LIMIT_SECONDS = 600
"""The developer guide: a Lambda step runs for ten minutes at most, although Lambda allows fifteen."""

FUNCTION_MARGIN_SECONDS = 60
"""What a function may take beyond its own timeout: a cold start, and the wait for a free worker."""

PENDING_SECONDS_MAX = 60
_PENDING_DELAYS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

_GET_FUNCTION = Action("lambda", "GetFunction", "lambda:GetFunction")
_INVOKE = Action("lambda", "Invoke", "lambda:InvokeFunction")
_SEND_MESSAGE = Action("sqs", "SendMessage", "sqs:SendMessage")
_LEFT_TO_INVOKE = ("AccessDenied", "AccessDeniedException", "ResourceNotFoundException")


class Effects:
    """Performs commands; a function that outlives its step goes on, and nobody hears of its end."""

    def __init__(self, calls: Calls, emr_steps: EmrSteps, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._calls = calls
        self._emr_steps = emr_steps
        self._clock = clock
        self._sleep = sleep
        self._left_alone: set[asyncio.Task[Any]] = set()

    async def perform(self, task: Task) -> InputFact:
        """What came of the command: also a failure is a fact."""
        try:
            return await _EFFECTS[type(task.command)](self, task, task.command)
        except CallFailed as failure:
            return self.failed(task, failure.reason)

    def failed(self, task: Task, reason: str) -> EffectFailed:
        """The fact that the command could not be performed."""
        command = task.command
        return EffectFailed(
            at=self._clock(),
            step=command.step,
            attempt=command.attempt,
            reason=reason,
            status=status_of(command),
        )

    async def close(self) -> None:
        """Let go of the functions that outlived their steps."""
        for task in self._left_alone:
            task.cancel()
        await asyncio.gather(*self._left_alone, return_exceptions=True)

    async def _invoke_function(self, task: Task, command: InvokeFunction) -> InputFact:
        limit_seconds = await self._limit_seconds(task, command)
        parameters = {
            "FunctionName": command.function_arn,
            "InvocationType": "RequestResponse",
            "Payload": exact_json.dumps(command.payload),
        }
        step, attempt = command.step, command.attempt
        request_id = ids.invocation_id(task.execution, step, attempt)
        invocation = asyncio.ensure_future(self._call(task, _INVOKE, parameters, request_id))
        answer, now = await self._within(limit_seconds, invocation), self._clock()
        if answer is None:
            return LambdaTimedOut(at=now, step=step, attempt=attempt, limit_seconds=limit_seconds)
        payload: bytes = answer.get("Payload") or b"null"
        if answer.get("FunctionError"):
            raise CallFailed(_INVOKE.name, _error_of(payload))
        return LambdaReturned(at=now, step=step, attempt=attempt, payload=payload.decode("utf-8", "replace"))

    async def _send_callback(self, task: Task, command: SendCallback) -> InputFact:
        body = {
            "token": command.token,
            "pipelineExecutionArn": task.execution,
            "arguments": command.arguments,
            "status": command.status,
        }
        parameters = {"QueueUrl": command.queue_url, "MessageBody": exact_json.dumps(body).decode()}
        await self._call(task, _SEND_MESSAGE, parameters)
        return CallbackSent(
            at=self._clock(), step=command.step, attempt=command.attempt, status=command.status
        )

    async def _submit_emr_step(self, task: Task, command: SubmitEmrStep) -> InputFact:
        return await self._emr_steps.submit(task, command)

    async def _cancel_emr_step(self, task: Task, command: CancelEmrStep) -> InputFact:
        return await self._emr_steps.cancel(task, command)

    async def _read_json(self, task: Task, command: ReadJson) -> InputFact:
        try:
            values = await JsonDocuments(partial(self._call, task)).values(command.wanted)
        except UnreadableDocument as error:
            return self.failed(task, error.reason)
        return JsonRead(at=self._clock(), step=command.step, attempt=command.attempt, values=values)

    async def _limit_seconds(self, task: Task, command: InvokeFunction) -> float:
        """How long the step may take, asked of the function once it is ready to be invoked.

        A role with version 1 of the managed policy may not ask (GetFunction came with version 2) and
        invokes all the same. A function that stays pending, or is not there, is invoked too: the step's
        failure then names the call that the step is for.
        """
        waited = 0.0
        for delay in _delays():
            try:
                answer = await self._call(task, _GET_FUNCTION, {"FunctionName": command.function_arn})
            except CallFailed as failure:
                if failure.action == _GET_FUNCTION.name and failure.code in _LEFT_TO_INVOKE:
                    return STEP_LIMIT_SECONDS
                raise
            about = answer["Configuration"]
            if waited >= PENDING_SECONDS_MAX or not _is_changing(about):
                return float(min(STEP_LIMIT_SECONDS, about["Timeout"] + FUNCTION_MARGIN_SECONDS))
            await self._sleep(delay)
            waited += delay
        raise AssertionError("the delays never end")

    async def _within(
        self, limit_seconds: float, invocation: "asyncio.Task[dict[str, Any]]"
    ) -> dict[str, Any] | None:
        """The answer, or None where the limit passed; the function is not interrupted (developer guide)."""
        try:
            done, _ = await asyncio.wait({invocation}, timeout=limit_seconds)
        except asyncio.CancelledError:
            invocation.cancel()
            raise
        if done:
            return invocation.result()
        self._left_alone.add(invocation)
        invocation.add_done_callback(self._ended_alone)
        return None

    def _ended_alone(self, invocation: "asyncio.Task[Any]") -> None:
        self._left_alone.discard(invocation)
        if not invocation.cancelled() and invocation.exception() is not None:
            log.info("a function that outlived its step failed: %s", invocation.exception())

    async def _call(
        self, task: Task, action: Action, parameters: dict[str, Any], request_id: str | None = None
    ) -> dict[str, Any]:
        caller = Caller(task.role, task.execution, task.command.step)
        return await self._calls.as_role(caller, action, parameters, request_id)


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


Effect = Callable[[Effects, Task, Any], Awaitable[InputFact]]

_EFFECTS: dict[type[Command], Effect] = {
    InvokeFunction: Effects._invoke_function,
    SendCallback: Effects._send_callback,
    SubmitEmrStep: Effects._submit_emr_step,
    CancelEmrStep: Effects._cancel_emr_step,
    ReadJson: Effects._read_json,
}
