"""What each command of the engine means outside: one function per command, from Task to input fact.

Knows no store: the loop records what comes of it. A command may be performed twice after a crash.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from passrole import exact_json
from passrole.clock import Clock
from passrole.engine.commands import (
    AnswerStub,
    CancelJob,
    Command,
    CreateResource,
    FindBaseline,
    InvokeFunction,
    ReadJson,
    SendCallback,
    SubmitJob,
    status_of,
)
from passrole.engine.facts import (
    BaselineFound,
    CallbackSent,
    CommandWithdrawn,
    EffectFailed,
    InputFact,
    JsonRead,
    StubAnswered,
)
from passrole.history import Task
from passrole.worker import drift_baselines
from passrole.worker.calls import Action, Caller, CallFailed, Calls, NoLongerDue, while_due
from passrole.worker.creations import Creations
from passrole.worker.invocations import Invocations
from passrole.worker.job_steps.job_step import JobSteps
from passrole.worker.json_documents import JsonDocuments, UnreadableDocument

log = logging.getLogger(__name__)

_SEND_MESSAGE = Action("sqs", "SendMessage", "sqs:SendMessage")


_NO_TEST = "ClientError: The test is over whose function stood for the step."

AskTest = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Asks the function of a test, by the name of the step and its arguments. Raises StubFailed."""


class StubFailed(Exception):
    """The function of a test has failed; the message is the step's FailureReason."""


class Effects:
    """Performs commands."""

    def __init__(
        self,
        calls: Calls,
        invocations: Invocations,
        job_steps: JobSteps,
        clock: Clock,
        is_due: Callable[[Task], Awaitable[bool]],
        ask_test: AskTest | None = None,
    ) -> None:
        self._calls = calls
        self._invocations = invocations
        self._job_steps = job_steps
        self._creations = Creations(calls, clock)
        self._clock = clock
        self._is_due = is_due
        self._ask_test = ask_test

    async def perform(self, task: Task) -> InputFact:
        """What came of the command: also a failure is a fact."""
        try:
            with while_due(partial(self._is_due, task)):
                return await _EFFECTS[type(task.command)](self, task, task.command)
        except NoLongerDue:
            log.info("`%s` was performed by another server, or is wanted no more", task.key)
            return self.withdrawn(task)
        except CallFailed as failure:
            return self.failed(task, failure.reason, _REFUSALS.get(failure.code or "", failure.kind))

    def failed(self, task: Task, reason: str, error: str | None = None) -> EffectFailed:
        """The fact that the command could not be performed; `error` is EffectFailed's."""
        command = task.command
        return EffectFailed(
            at=self._clock(),
            step=command.step,
            attempt=command.attempt,
            reason=reason,
            status=status_of(command),
            error=error,
        )

    def withdrawn(self, task: Task) -> CommandWithdrawn:
        """The fact that the command is not performed."""
        command = task.command
        return CommandWithdrawn(at=self._clock(), step=command.step, attempt=command.attempt)

    async def _invoke_function(self, task: Task, command: InvokeFunction) -> InputFact:
        return await self._invocations.invoke(task, command)

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

    async def _submit_job(self, task: Task, command: SubmitJob) -> InputFact:
        return await self._job_steps[command.kind].submit(task, command)

    async def _cancel_job(self, task: Task, command: CancelJob) -> InputFact:
        return await self._job_steps[command.kind].cancel(task, command)

    async def _create_resource(self, task: Task, command: CreateResource) -> InputFact:
        return await self._creations.create(task, command)

    async def _read_json(self, task: Task, command: ReadJson) -> InputFact:
        try:
            values = await JsonDocuments(partial(self._call, task)).values(command.wanted)
        except UnreadableDocument as error:
            return self.failed(task, error.reason)
        return JsonRead(at=self._clock(), step=command.step, attempt=command.attempt, values=values)

    async def _find_baseline(self, task: Task, command: FindBaseline) -> InputFact:
        package, baselines = await drift_baselines.latest(partial(self._call, task), command.group)
        return BaselineFound(
            at=self._clock(),
            step=command.step,
            attempt=command.attempt,
            package=package,
            baselines=baselines,
        )

    async def _answer_stub(self, task: Task, command: AnswerStub) -> InputFact:
        if self._ask_test is None:
            return self.failed(task, _NO_TEST)
        try:
            stub = await self._ask_test(command.step, command.arguments)
        except StubFailed as error:
            return self.failed(task, str(error))
        return StubAnswered(at=self._clock(), step=command.step, attempt=command.attempt, stub=stub)

    async def _call(self, task: Task, action: Action, parameters: dict[str, Any]) -> dict[str, Any]:
        caller = Caller(task.role, task.execution, task.command.step)
        return await self._calls.as_role(caller, action, parameters)


Effect = Callable[[Effects, Task, Any], Awaitable[InputFact]]

_EFFECTS: dict[type[Command], Effect] = {
    InvokeFunction: Effects._invoke_function,
    SendCallback: Effects._send_callback,
    SubmitJob: Effects._submit_job,
    CancelJob: Effects._cancel_job,
    CreateResource: Effects._create_resource,
    ReadJson: Effects._read_json,
    FindBaseline: Effects._find_baseline,
    AnswerStub: Effects._answer_stub,
}

_REFUSALS = {
    "ResourceLimitExceeded": "SageMaker.RESOURCE_LIMIT",
}
"""What retry policies call a service's refusal to begin a job.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
"""
