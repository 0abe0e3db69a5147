"""What follows, for one step, from what the outside did with it.

For each kind of input fact about a step two functions: whether it is news, and what it means. Nothing
here starts another step or ends the execution.
"""

from typing import Any, TypeAlias

from passrole.definition import CallbackStep, EmrStep, LambdaStep
from passrole.engine.commands import CancelEmrStep, Command, InvokeFunction, status_of
from passrole.engine.decision import Draft
from passrole.engine.facts import (
    CallbackAnswered,
    CallbackSent,
    CommandPhase,
    CommandWithdrawn,
    EffectFailed,
    EmrCancelSent,
    EmrEnded,
    EmrSubmitted,
    JsonRead,
    LambdaReturned,
    LambdaTimedOut,
    StepFailed,
    StepStopped,
    StepStopping,
    StepSucceeded,
    StopRequested,
)
from passrole.engine.outputs import UnusableResult, as_metadata, of_payload
from passrole.engine.state import State, StepState
from passrole.engine.step_start import callback_message, start

StepAnswer: TypeAlias = (
    LambdaReturned
    | LambdaTimedOut
    | CommandWithdrawn
    | CallbackSent
    | CallbackAnswered
    | EmrSubmitted
    | EmrCancelSent
    | EmrEnded
    | EffectFailed
    | JsonRead
)


def is_due(state: State, command: Command) -> bool:
    """Whether the command is still to be performed, though time has passed since it was asked for."""
    progress = state.steps.get(command.step)
    if progress is None or progress.attempt != command.attempt or not progress.is_running:
        return False
    if isinstance(command, InvokeFunction):
        return state.status == "Executing" and not state.fail_step_reached
    return _effect_due(progress) == status_of(command)


def accepts_function_result(state: State, fact: LambdaReturned | LambdaTimedOut | CommandWithdrawn) -> bool:
    """Whether the step is a Lambda step that nothing has been heard of."""
    return _running(state, fact, LambdaStep) is not None


def accepts_callback_answer(state: State, fact: CallbackAnswered) -> bool:
    """Whether the step still waits for an answer; it may come before the driver reports CallbackSent."""
    return _running(state, fact, CallbackStep) is not None


def accepts_message(state: State, fact: CallbackSent) -> bool:
    """Whether this is the message that was to be sent next."""
    progress = _running(state, fact, CallbackStep)
    return progress is not None and _message_due(progress) == fact.status


def accepts_submission(state: State, fact: EmrSubmitted) -> bool:
    """Whether the EMR step has not been submitted yet."""
    progress = _running(state, fact, EmrStep)
    return progress is not None and progress.sent is None


def accepts_cancellation(state: State, fact: EmrCancelSent) -> bool:
    """Whether the EMR step was to be cancelled and has not been."""
    progress = _running(state, fact, EmrStep)
    return progress is not None and _message_due(progress) == "Stopping"


def accepts_emr_end(state: State, fact: EmrEnded) -> bool:
    """Whether the EMR step was submitted and is not known to be over."""
    progress = _running(state, fact, EmrStep)
    return progress is not None and progress.sent is not None


def accepts_json(state: State, fact: JsonRead) -> bool:
    """Whether the step waits for values in S3."""
    progress = _running(state, fact, object)
    return progress is not None and progress.status == "Starting"


def accepts_failure(state: State, fact: EffectFailed) -> bool:
    """Whether the step waits for this effect: a message that was sent once cannot fail any more."""
    progress = _running(state, fact, object)
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


def command_withdrawn(draft: Draft, fact: CommandWithdrawn) -> None:
    """The step is over without having begun outside."""
    draft.record(StepStopped(at=fact.at, step=fact.step, attempt=fact.attempt))


def effect_failed(draft: Draft, fact: EffectFailed) -> None:
    """Also when the "Stopping" message cannot be sent: else the execution would be stuck for ever."""
    _fail(draft, fact, fact.reason)


def callback_sent(draft: Draft, fact: CallbackSent) -> None:
    """A stop that came before the first message was out is passed on now."""
    progress = draft.state.steps[fact.step]
    if progress.status == "Stopping" and fact.status == "Executing":
        _send_stopping(draft, progress)


def callback_answered(draft: Draft, fact: CallbackAnswered) -> None:
    """While stopping, either answer lets the step go."""
    metadata = {"Callback": {"OutputParameters": as_metadata(fact.outputs)}}
    if draft.state.steps[fact.step].status == "Stopping":
        draft.record(StepStopped(at=fact.at, step=fact.step, attempt=fact.attempt, metadata=metadata))
    elif fact.outcome == "success":
        draft.record(StepSucceeded(at=fact.at, step=fact.step, attempt=fact.attempt, metadata=metadata))
    else:
        _fail(draft, fact, fact.reason)


def emr_submitted(draft: Draft, fact: EmrSubmitted) -> None:
    """A stop that came before the EMR step was submitted is passed on now."""
    progress = draft.state.steps[fact.step]
    if progress.status == "Stopping":
        _cancel(draft, progress)


def emr_ended(draft: Draft, fact: EmrEnded) -> None:
    """While stopping, however the EMR step ended, the step is stopped."""
    if draft.state.steps[fact.step].status == "Stopping":
        draft.record(StepStopped(at=fact.at, step=fact.step, attempt=fact.attempt))
    elif fact.succeeded:
        draft.record(StepSucceeded(at=fact.at, step=fact.step, attempt=fact.attempt))
    else:
        _fail(draft, fact, fact.reason)


def json_read(draft: Draft, fact: JsonRead) -> None:
    """The step starts, or reads on where a URI stood in what was read; after a Fail step it does not."""
    if draft.state.fail_step_reached:
        draft.record(StepStopped(at=fact.at, step=fact.step, attempt=fact.attempt))
    else:
        start(draft, fact.step, fact.at)


def stop_requested(draft: Draft, fact: StopRequested) -> None:
    """Callback steps are told, EMR steps cancelled; functions cannot be. What has only read is over."""
    for name, progress in list(draft.state.steps.items()):
        if progress.status == "Starting":
            draft.record(StepStopped(at=fact.at, step=name, attempt=progress.attempt))
        elif progress.is_running and isinstance(progress.step, CallbackStep | EmrStep):
            draft.record(StepStopping(at=fact.at, step=name, attempt=progress.attempt))
            if progress.sent == "Executing":
                _end(draft, progress)


def _running(state: State, fact: StepAnswer, kinds: Any) -> StepState | None:
    progress = state.steps.get(fact.step)
    if progress is None or progress.attempt != fact.attempt or not progress.is_running:
        return None
    return progress if isinstance(progress.step, kinds) else None


def _effect_due(progress: StepState) -> CommandPhase | None:
    is_one_call = progress.status == "Starting" or isinstance(progress.step, LambdaStep)
    return "Executing" if is_one_call else _message_due(progress)


def _message_due(progress: StepState) -> CommandPhase | None:
    if progress.sent is None:
        return "Executing"
    return "Stopping" if progress.sent == "Executing" and progress.status == "Stopping" else None


def _end(draft: Draft, progress: StepState) -> None:
    if isinstance(progress.step, CallbackStep):
        _send_stopping(draft, progress)
    else:
        _cancel(draft, progress)


def _cancel(draft: Draft, progress: StepState) -> None:
    assert isinstance(progress.step, EmrStep)
    known = progress.metadata["EMR"]
    draft.ask(
        CancelEmrStep(
            step=progress.step.name,
            attempt=progress.attempt,
            cluster_id=str(known["ClusterId"]),
            emr_step_id=str(known["StepId"]),
            owns_cluster=progress.step.cluster_config is not None,
        )
    )


def _send_stopping(draft: Draft, progress: StepState) -> None:
    assert isinstance(progress.step, CallbackStep)
    draft.ask(callback_message(draft.state, progress.step, progress.attempt, "Stopping", progress.started_at))


def _fail(draft: Draft, fact: StepAnswer, reason: str | None) -> None:
    draft.record(StepFailed(at=fact.at, step=fact.step, attempt=fact.attempt, reason=reason))
