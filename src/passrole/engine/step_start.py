"""How a step of each type begins, and for Condition and Fail steps also ends.

Expressions are resolved before the step is recorded as started, so that a step either knows all it
needs or fails with empty metadata, as AWS shows for steps that created nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any

from passrole.definition import CallbackStep, ConditionStep, EmrStep, FailStep, LambdaStep, Step
from passrole.engine.commands import InvokeFunction, ReadJson, SendCallback, SubmitEmrStep
from passrole.engine.conditions import all_hold
from passrole.engine.decision import Draft
from passrole.engine.facts import CommandPhase, StepFailed, StepPreparing, StepStarted, StepSucceeded
from passrole.engine.resolve import (
    Scope,
    Unresolvable,
    as_text,
    resolve,
    resolve_object,
    resolve_text,
    unread,
)
from passrole.engine.state import State
from passrole.engine.tokens import callback_token

_ERROR_MESSAGE_MAX = 3072


def start(draft: Draft, name: str, at: float) -> None:
    """Start a step that is ready, or whose values in S3 have been read; what it lacks is read first."""
    state = draft.state
    step, prepared = state.pipeline.steps[name], state.steps.get(name)
    attempt = prepared.attempt if prepared else state.next_attempt(name)
    scope = Scope(state, at, prepared.read if prepared else {})
    try:
        wanted = unread(state.pipeline.json_gets.get(name, ()), scope)
        if wanted:
            _prepare(draft, name, attempt, at, wanted)
        else:
            _START[type(step)](draft, step, attempt, scope)
    except Unresolvable as error:
        draft.record(StepStarted(at=at, step=name, attempt=attempt))
        draft.record(StepFailed(at=at, step=name, attempt=attempt, reason=error.reason))


def _prepare(draft: Draft, name: str, attempt: int, at: float, wanted: Sequence[tuple[str, str]]) -> None:
    prepared = draft.state.steps.get(name)
    if prepared is None:
        draft.record(StepPreparing(at=at, step=name, attempt=attempt))
    turn = 1 + (len(prepared.read) if prepared else 0)  # each turn reads something
    draft.ask(ReadJson(step=name, attempt=attempt, wanted=[list(each) for each in wanted], turn=turn))


def callback_message(
    state: State, step: CallbackStep, attempt: int, status: CommandPhase, started_at: float
) -> SendCallback:
    """The message of a Callback step.

    Made anew for "Stopping" rather than remembered: what the step depends on is over, so at its
    `started_at` the expressions still have the values of the first message.
    """
    scope = Scope(state, started_at, state.steps[step.name].read if step.name in state.steps else {})
    return SendCallback(
        step=step.name,
        attempt=attempt,
        queue_url=resolve_text(step.queue_url, scope, "SqsQueueUrl"),
        token=callback_token(scope.origin.seed, step.name, attempt),
        arguments=resolve_object(step.arguments, scope),
        status=status,
    )


def _start_lambda(draft: Draft, step: LambdaStep, attempt: int, scope: Scope) -> None:
    command = InvokeFunction(
        step=step.name,
        attempt=attempt,
        function_arn=resolve_text(step.function_arn, scope, "FunctionArn"),
        payload=resolve_object(step.arguments, scope),
    )
    metadata = {"Lambda": {"Arn": command.function_arn}}
    draft.record(StepStarted(at=scope.now, step=step.name, attempt=attempt, metadata=metadata))
    draft.ask(command)


def _start_callback(draft: Draft, step: CallbackStep, attempt: int, scope: Scope) -> None:
    command = callback_message(draft.state, step, attempt, "Executing", scope.now)
    metadata = {"Callback": {"CallbackToken": command.token, "SqsQueueUrl": command.queue_url}}
    draft.record(StepStarted(at=scope.now, step=step.name, attempt=attempt, metadata=metadata))
    draft.ask(command)


def _start_emr(draft: Draft, step: EmrStep, attempt: int, scope: Scope) -> None:
    """The name is ours to choose; jobs of other types of step are named like this on AWS."""
    random_part = callback_token(scope.origin.seed, step.name, attempt).lower()
    command = SubmitEmrStep(
        step=step.name,
        attempt=attempt,
        emr_step_name=f"pipelines-{scope.origin.execution_id}-{step.name}-{random_part}",
        step_config=resolve_object(step.step_config, scope),
        cluster_id=resolve_text(step.cluster_id, scope, "ClusterId") if step.cluster_id else None,
        cluster_config=resolve_object(step.cluster_config, scope) if step.cluster_config else None,
        role=resolve_text(step.role, scope, "ExecutionRoleArn") if step.role else None,
        retries=tuple(step.retries),
    )
    draft.record(StepStarted(at=scope.now, step=step.name, attempt=attempt))
    draft.ask(command)


def _decide_condition(draft: Draft, step: ConditionStep, attempt: int, scope: Scope) -> None:
    outcome = str(all_hold(step.conditions, scope))  # "True" or "False", as in AWS's metadata
    draft.record(StepStarted(at=scope.now, step=step.name, attempt=attempt))
    metadata = {"Condition": {"Outcome": outcome}}
    draft.record(StepSucceeded(at=scope.now, step=step.name, attempt=attempt, metadata=metadata))


def _fail(draft: Draft, step: FailStep, attempt: int, scope: Scope) -> None:
    message = as_text(resolve(step.error_message, scope))[:_ERROR_MESSAGE_MAX]
    draft.record(StepStarted(at=scope.now, step=step.name, attempt=attempt))
    draft.record(
        StepFailed(
            at=scope.now,
            step=step.name,
            attempt=attempt,
            reason=message or None,  # an empty message shows no FailureReason, but empty metadata
            metadata={"Fail": {"ErrorMessage": message}},
        )
    )


_START: dict[type[Step], Callable[[Draft, Any, int, Scope], None]] = {
    LambdaStep: _start_lambda,
    CallbackStep: _start_callback,
    EmrStep: _start_emr,
    ConditionStep: _decide_condition,
    FailStep: _fail,
}
