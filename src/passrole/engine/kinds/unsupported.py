"""Steps of a type that passrole does not run: without a stub they fail, and say so."""

from passrole.definition import UnsupportedStep
from passrole.engine.decision import Draft
from passrole.engine.facts import StepFailed, StepStarted
from passrole.engine.kinds.kind import Kind
from passrole.engine.scope import Scope


def _fail(draft: Draft, step: UnsupportedStep, attempt: int, scope: Scope) -> None:
    reason = f"ClientError: passrole does not run steps of the type {step.type_}; a stub can stand for it."
    draft.record(StepStarted(at=scope.now, step=step.name, attempt=attempt))
    draft.record(StepFailed(at=scope.now, step=step.name, attempt=attempt, reason=reason))


UNSUPPORTED = Kind(start=_fail)
