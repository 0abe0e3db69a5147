"""What follows, for one step, from what the outside did with it.

Each type of step has its own rules (`kinds`); those here hold for every type. Nothing here starts another
step or ends the execution.
"""

from passrole.engine import stubs
from passrole.engine.commands import Command, InvokeFunction, status_of
from passrole.engine.decision import Draft
from passrole.engine.facts import (
    BaselineFound,
    CacheSearched,
    CommandPhase,
    EffectFailed,
    JsonRead,
    StepStarted,
    StepStopped,
    StepStopping,
    StepSucceeded,
    StopRequested,
)
from passrole.engine.kinds import KINDS
from passrole.engine.kinds.kind import Answer, StepAnswer, always, fail, message_due, running
from passrole.engine.state import State, StepState
from passrole.engine.step_start import start


def is_due(state: State, command: Command) -> bool:
    """Whether the command is still to be performed, though time has passed since it was asked for."""
    progress = state.steps.get(command.step)
    if progress is None or progress.attempt != command.attempt or not progress.is_running:
        return False
    if isinstance(command, InvokeFunction):
        return state.status == "Executing" and not state.fail_step_reached
    return _effect_due(progress) == status_of(command)


def answer_to(state: State, fact: StepAnswer) -> Answer | None:
    """What the fact means to its step; None where it is old news: twice, too late, of another attempt."""
    progress = running(state, fact)
    if progress is None:
        return None
    answer = _of(state, progress, type(fact))
    return answer if answer is not None and answer.is_news(progress, fact) else None


def stop_requested(draft: Draft, fact: StopRequested) -> None:
    """What can be ended is asked to end; functions cannot be. What has only read, or waits to be tried again,
    is over.
    """
    for name, progress in list(draft.state.steps.items()):
        kind = KINDS[type(progress.step)]
        if progress.status == "Starting" or (progress.is_running and progress.retry_due is not None):
            draft.record(StepStopped(at=fact.at, step=name, attempt=progress.attempt))
        elif progress.is_running and kind.end is not None:
            draft.record(StepStopping(at=fact.at, step=name, attempt=progress.attempt))
            if progress.sent == "Executing":
                kind.end(draft, progress)


def _of(state: State, progress: StepState, fact: type) -> Answer | None:
    if progress.status == "Starting":
        return _WHILE_STARTING.get(fact)
    if stubs.is_stubbed(state, progress.step.name):
        return stubs.answer_of(fact)
    own: Answer | None = KINDS[type(progress.step)].answers.get(fact)
    return own or _OF_EVERY_KIND.get(fact)


def _is_due(progress: StepState, fact: EffectFailed) -> bool:
    """A message that was sent once cannot fail any more."""
    return _effect_due(progress) == fact.status


def _effect_due(progress: StepState) -> CommandPhase | None:
    is_one_call = progress.status == "Starting" or KINDS[type(progress.step)].is_one_call
    return "Executing" if is_one_call else message_due(progress)


def _effect_failed(draft: Draft, fact: EffectFailed) -> None:
    """Also when the "Stopping" message cannot be sent: else the execution would be stuck for ever."""
    fail(draft, fact, fact.reason)


def _answered(draft: Draft, fact: JsonRead | BaselineFound) -> None:
    """The step starts, or asks on; after a Fail step it does not."""
    if draft.state.fail_step_reached:
        draft.record(StepStopped(at=fact.at, step=fact.step, attempt=fact.attempt))
    else:
        start(draft, fact.step, fact.at)


def _cache_searched(draft: Draft, fact: CacheSearched) -> None:
    """The step is what the earlier one was, or starts."""
    if fact.source is None:
        start(draft, fact.step, fact.at)
        return
    draft.record(StepStarted(at=fact.at, step=fact.step, attempt=fact.attempt))
    draft.record(
        StepSucceeded(
            at=fact.at,
            step=fact.step,
            attempt=fact.attempt,
            metadata=fact.metadata,
            properties=fact.properties,
            cached_from=fact.source,
        )
    )


_OF_EVERY_KIND: dict[type, Answer] = {EffectFailed: Answer(_is_due, _effect_failed)}
_WHILE_STARTING: dict[type, Answer] = {
    EffectFailed: Answer(_is_due, _effect_failed),
    JsonRead: Answer(always, _answered),
    BaselineFound: Answer(always, _answered),
    CacheSearched: Answer(always, _cache_searched),
}
