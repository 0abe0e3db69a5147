"""Condition and Fail steps, which end in the instant they start."""

from passrole.definition import ConditionStep, FailStep
from passrole.engine.conditions import all_hold
from passrole.engine.decision import Draft
from passrole.engine.facts import StepFailed, StepStarted, StepSucceeded
from passrole.engine.kinds.kind import Kind
from passrole.engine.resolve import as_text, resolve
from passrole.engine.scope import Scope

_ERROR_MESSAGE_MAX = 3072


def _decide(draft: Draft, step: ConditionStep, attempt: int, scope: Scope) -> None:
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


CONDITION = Kind(start=_decide)
FAIL = Kind(start=_fail)
