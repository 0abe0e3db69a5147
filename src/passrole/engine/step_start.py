"""How a step begins, of whichever type: what it must know first is read, then `kinds` has its own start.

Expressions are resolved before the step is recorded as started, so that a step either knows all it
needs or fails with empty metadata, as AWS shows for steps that created nothing.
"""

from collections.abc import Sequence

from passrole.engine import stubs
from passrole.engine.commands import ReadJson
from passrole.engine.decision import Draft
from passrole.engine.facts import StepFailed, StepPreparing, StepStarted
from passrole.engine.kinds import KINDS
from passrole.engine.resolve import unread
from passrole.engine.scope import Scope, Unresolvable


def start(draft: Draft, name: str, at: float) -> None:
    """Start a step that is ready, or whose values in S3 have been read; what it lacks is read first."""
    state = draft.state
    prepared = state.steps.get(name)
    step = prepared.step if prepared else state.step(name)
    attempt = prepared.attempt if prepared else state.next_attempt(name)
    scope = Scope(state, at, prepared.read if prepared else {})
    try:
        wanted = unread(state.json_gets(name), scope)
        if wanted:
            _prepare(draft, name, attempt, at, wanted)
        elif stubs.is_stubbed(state, name):
            stubs.start(draft, step, attempt, scope)
        else:
            KINDS[type(step)].start(draft, step, attempt, scope)
    except Unresolvable as error:
        draft.record(StepStarted(at=at, step=name, attempt=attempt))
        draft.record(StepFailed(at=at, step=name, attempt=attempt, reason=error.reason))


def _prepare(draft: Draft, name: str, attempt: int, at: float, wanted: Sequence[tuple[str, str]]) -> None:
    prepared = draft.state.steps.get(name)
    if prepared is None:
        draft.record(StepPreparing(at=at, step=name, attempt=attempt))
    turn = 1 + (len(prepared.read) if prepared else 0)  # each turn reads something
    draft.ask(ReadJson(step=name, attempt=attempt, wanted=[list(each) for each in wanted], turn=turn))
