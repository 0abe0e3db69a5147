"""Callback steps: a message with a token, an answer from whoever holds the token.

When a stop arrives before CallbackSent, nobody can know whether the first message is in the queue
already. So the second message waits for CallbackSent: whoever got the token hears "Executing" first
and "Stopping" after, and no message is ever unsaid.
"""

from passrole.definition import CallbackStep
from passrole.engine.commands import SendCallback
from passrole.engine.decision import Draft
from passrole.engine.facts import (
    CallbackAnswered,
    CallbackSent,
    CommandPhase,
    StepStarted,
    StepStopped,
    StepSucceeded,
)
from passrole.engine.kinds.kind import Answer, Kind, always, fail, message_due
from passrole.engine.outputs import as_metadata
from passrole.engine.resolve import resolve_object, resolve_text
from passrole.engine.scope import Scope
from passrole.engine.state import State, StepState
from passrole.engine.tokens import callback_token


def _start(draft: Draft, step: CallbackStep, attempt: int, scope: Scope) -> None:
    command = _message(draft.state, step, attempt, "Executing", scope.now)
    metadata = {"Callback": {"CallbackToken": command.token, "SqsQueueUrl": command.queue_url}}
    draft.record(StepStarted(at=scope.now, step=step.name, attempt=attempt, metadata=metadata))
    draft.ask(command)


def _message(
    state: State, step: CallbackStep, attempt: int, status: CommandPhase, started_at: float
) -> SendCallback:
    """Made anew for "Stopping" rather than remembered: what the step depends on is over, so at its
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


def _is_next_message(progress: StepState, fact: CallbackSent) -> bool:
    return message_due(progress) == fact.status


def _sent(draft: Draft, fact: CallbackSent) -> None:
    """A stop that came before the first message was out is passed on now."""
    progress = draft.state.steps[fact.step]
    if progress.status == "Stopping" and fact.status == "Executing":
        _end(draft, progress)


def _answered(draft: Draft, fact: CallbackAnswered) -> None:
    """It may come before CallbackSent. While stopping, either answer lets the step go."""
    metadata = {"Callback": {"OutputParameters": as_metadata(fact.outputs)}}
    if draft.state.steps[fact.step].status == "Stopping":
        draft.record(StepStopped(at=fact.at, step=fact.step, attempt=fact.attempt, metadata=metadata))
    elif fact.outcome == "success":
        draft.record(StepSucceeded(at=fact.at, step=fact.step, attempt=fact.attempt, metadata=metadata))
    else:
        fail(draft, fact, fact.reason)


def _end(draft: Draft, progress: StepState) -> None:
    assert isinstance(progress.step, CallbackStep)
    draft.ask(_message(draft.state, progress.step, progress.attempt, "Stopping", progress.started_at))


CALLBACK = Kind(
    start=_start,
    answers={
        CallbackSent: Answer(_is_next_message, _sent),
        CallbackAnswered: Answer(always, _answered),
    },
    end=_end,
)
