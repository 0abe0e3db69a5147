"""Lambda steps: one invocation, waited for even after a stop."""

from passrole.definition import LambdaStep
from passrole.engine.commands import InvokeFunction
from passrole.engine.decision import Draft
from passrole.engine.facts import (
    CommandWithdrawn,
    LambdaReturned,
    LambdaTimedOut,
    StepStarted,
    StepStopped,
    StepSucceeded,
)
from passrole.engine.kinds.kind import Answer, Kind, always, fail
from passrole.engine.outputs import UnusableResult, as_metadata, of_payload
from passrole.engine.resolve import resolve_object, resolve_text
from passrole.engine.scope import Scope


def _start(draft: Draft, step: LambdaStep, attempt: int, scope: Scope) -> None:
    command = InvokeFunction(
        step=step.name,
        attempt=attempt,
        function_arn=resolve_text(step.function_arn, scope, "FunctionArn"),
        payload=resolve_object(step.arguments, scope),
    )
    metadata = {"Lambda": {"Arn": command.function_arn}}
    draft.record(StepStarted(at=scope.now, step=step.name, attempt=attempt, metadata=metadata))
    draft.ask(command)


def _returned(draft: Draft, fact: LambdaReturned) -> None:
    """The declared outputs are taken out of the result; a result without them fails the step."""
    step = draft.state.steps[fact.step].step
    assert isinstance(step, LambdaStep)
    try:
        outputs = as_metadata(of_payload(fact.payload, step.outputs))
    except UnusableResult as error:
        fail(draft, fact, error.reason)
    else:
        metadata = {"Lambda": {"OutputParameters": outputs}}
        draft.record(StepSucceeded(at=fact.at, step=fact.step, attempt=fact.attempt, metadata=metadata))


def _timed_out(draft: Draft, fact: LambdaTimedOut) -> None:
    """The step fails; the function itself is not interrupted (developer guide)."""
    sentence = f"The Lambda function did not finish within {fact.limit_seconds:g} seconds."
    fail(draft, fact, f"ClientError: {sentence}")


def _withdrawn(draft: Draft, fact: CommandWithdrawn) -> None:
    """The step is over without having begun outside."""
    draft.record(StepStopped(at=fact.at, step=fact.step, attempt=fact.attempt))


LAMBDA = Kind(
    start=_start,
    answers={
        LambdaReturned: Answer(always, _returned),
        LambdaTimedOut: Answer(always, _timed_out),
        CommandWithdrawn: Answer(always, _withdrawn),
    },
    is_one_call=True,
)
