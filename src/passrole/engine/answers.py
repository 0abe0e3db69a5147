"""What follows, for one step, from what the outside did with it.

For each kind of input fact about a step two functions: whether it is news, and what it means. Nothing
here starts another step or ends the execution.
"""

from typing import Any, TypeAlias

from passrole.definition import CallbackStep, LambdaStep
from passrole.engine.decision import Draft
from passrole.engine.facts import (
    CallbackAnswered,
    CallbackSent,
    EffectFailed,
    LambdaReturned,
    LambdaTimedOut,
    MessageStatus,
    StepFailed,
    StepStopped,
    StepStopping,
    StepSucceeded,
    StopRequested,
)
from passrole.engine.outputs import UnusableResult, as_metadata, of_payload
from passrole.engine.starting import callback_message
from passrole.engine.state import State, StepState

StepAnswer: TypeAlias = LambdaReturned | LambdaTimedOut | CallbackSent | CallbackAnswered | EffectFailed


def function_is_running(state: State, fact: LambdaReturned | LambdaTimedOut) -> bool:
    """Whether the step is a Lambda step that nothing has been heard of."""
    return _running(state, fact, LambdaStep) is not None


def callback_is_open(state: State, fact: CallbackAnswered) -> bool:
    """Whether the step still waits for an answer; it may come before the driver reports CallbackSent."""
    return _running(state, fact, CallbackStep) is not None


def message_is_due(state: State, fact: CallbackSent) -> bool:
    """Whether this is the message that was to be sent next."""
    progress = _running(state, fact, CallbackStep)
    return progress is not None and _message_due(progress) == fact.status


def effect_is_due(state: State, fact: EffectFailed) -> bool:
    """Whether the step waits for this effect: a message that was sent once cannot fail any more."""
    progress = _running(state, fact, LambdaStep | CallbackStep)
    return progress is not None and _effect_due(progress) == fact.status


def lambda_returned(draft: Draft, fact: LambdaReturned) -> None:
    """The declared outputs are taken out of the result; a result without them fails the step."""
    step = draft.state.steps[fact.step].step
    assert isinstance(step, LambdaStep)
    try:
        outputs = as_metadata(of_payload(fact.payload, step.outputs))
    except UnusableResult as error:
        _fail(draft, fact, error.reason)
    else:
        metadata = {"Lambda": {"OutputParameters": outputs}}
        draft.record(StepSucceeded(at=fact.at, step=fact.step, attempt=fact.attempt, metadata=metadata))


def lambda_timed_out(draft: Draft, fact: LambdaTimedOut) -> None:
    """The step fails; the function itself is not interrupted (developer guide)."""
    _fail(
        draft, fact, f"ClientError: The Lambda function did not finish within {fact.limit_seconds:g} seconds."
    )


def effect_failed(draft: Draft, fact: EffectFailed) -> None:
    """Also when the "Stopping" message cannot be sent: else the execution would be stuck for ever."""
    _fail(draft, fact, fact.reason)


def callback_sent(draft: Draft, fact: CallbackSent) -> None:
    """A stop that came before the first message was out is passed on now."""
    progress = draft.state.steps[fact.step]
    if progress.status == "Stopping" and fact.status == "Executing":
        _say_stopping(draft, progress)


def callback_answered(draft: Draft, fact: CallbackAnswered) -> None:
    """While stopping, either answer lets the step go."""
    metadata = {"Callback": {"OutputParameters": as_metadata(fact.outputs)}}
    if draft.state.steps[fact.step].status == "Stopping":
        draft.record(StepStopped(at=fact.at, step=fact.step, attempt=fact.attempt, metadata=metadata))
    elif fact.outcome == "success":
        draft.record(StepSucceeded(at=fact.at, step=fact.step, attempt=fact.attempt, metadata=metadata))
    else:
        _fail(draft, fact, fact.reason)


def stop_requested(draft: Draft, fact: StopRequested) -> None:
    """Callback steps are told; functions cannot be."""
    for name, progress in list(draft.state.steps.items()):
        if progress.is_running and isinstance(progress.step, CallbackStep):
            draft.record(StepStopping(at=fact.at, step=name, attempt=progress.attempt))
            if progress.sent == "Executing":
                _say_stopping(draft, progress)


def _running(state: State, fact: StepAnswer, kinds: Any) -> StepState | None:
    progress = state.steps.get(fact.step)
    if progress is None or progress.attempt != fact.attempt or not progress.is_running:
        return None
    return progress if isinstance(progress.step, kinds) else None


def _effect_due(progress: StepState) -> MessageStatus | None:
    return _message_due(progress) if isinstance(progress.step, CallbackStep) else "Executing"


def _message_due(progress: StepState) -> MessageStatus | None:
    if progress.sent is None:
        return "Executing"
    return "Stopping" if progress.sent == "Executing" and progress.status == "Stopping" else None


def _say_stopping(draft: Draft, progress: StepState) -> None:
    assert isinstance(progress.step, CallbackStep)
    draft.ask(callback_message(draft.state, progress.step, progress.attempt, "Stopping", progress.started_at))


def _fail(draft: Draft, fact: StepAnswer, reason: str | None) -> None:
    draft.record(StepFailed(at=fact.at, step=fact.step, attempt=fact.attempt, reason=reason))
