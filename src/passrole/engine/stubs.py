"""Steps that are not run because something stands for them: what a test says that they came to.

A stub belongs to one execution, whose first fact has it, so that it survives a restart. It is an object:

    Properties      what may be referenced of the step, beside its own arguments, which count as the rest
    Outputs         by name, of a Lambda or Callback step
    Outcome         true or false, of a Condition step
    PropertyFiles   JSON documents by the names of the property files, of a Processing step
    FailureReason   the step fails for this reason
    Function        true: a function in the process of the test is asked for such an object

No job, function or message comes of the step, it takes over no result, and none is taken over from it. A Fail
step has no stub: it does nothing that one could stand for.

A stub of a step inside a loop stands for it in every iteration, one of `<step>-<index>` in that alone. A stub
of a loop stands for all its iterations.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from passrole import exact_json
from passrole.definition import (
    CallbackStep,
    ConditionStep,
    CreationStep,
    FailStep,
    LambdaStep,
    Pipeline,
    ProcessingStep,
    Step,
    UnsupportedStep,
)
from passrole.definition.expressions import Constant, Json
from passrole.engine.commands import AnswerStub
from passrole.engine.decision import Draft
from passrole.engine.facts import (
    EffectFailed,
    StepFailed,
    StepStarted,
    StepStopped,
    StepSucceeded,
    StubAnswered,
)
from passrole.engine.kinds import JOB_TYPES
from passrole.engine.kinds.creation import request_of
from passrole.engine.kinds.job import stated
from passrole.engine.kinds.kind import Answer, always, fail, message_due
from passrole.engine.outputs import as_metadata, of_payload
from passrole.engine.resolve import resolve, resolve_object
from passrole.engine.scope import Scope
from passrole.engine.state import State, StepState

Stub = Mapping[str, Json]

_OF_ANY = ("FailureReason", "Function")


def problem_of(stubs: Mapping[str, Stub], pipeline: Pipeline) -> str | None:
    """What is wrong with the stubs of an execution of the pipeline; None where nothing is."""
    found = {name: pipeline.find(name) for name in stubs}
    unknown = [name for name, step in found.items() if step is None]
    if unknown:
        known = _listed(step.name for step in pipeline.all_steps)
        return f"the pipeline has no step {_listed(unknown)} to stub; it has {known}"
    for name, stub in stubs.items():
        step = found[name]
        assert step is not None, "those that are unknown were told"
        if isinstance(step, FailStep):
            return f"`{name}` is a Fail step, which no stub can stand for"
        strange = [key for key in stub if key not in (*_members(step), *_OF_ANY)]
        if strange:
            known = _listed(_members(step))
            return f"the stub of `{name}`, a {step.type_} step, has {_listed(strange)}; it may have {known}"
    return None


def start(draft: Draft, step: Step, attempt: int, scope: Scope) -> None:
    """Begin the step, and end it at once unless a function of the test is to be asked."""
    stub, arguments = _stub_of(scope.state, step.name), _arguments(step, attempt, scope)
    assert stub is not None, "a step is stubbed"
    draft.record(StepStarted(at=scope.now, step=step.name, attempt=attempt))
    if stub.get("Function"):
        draft.ask(AnswerStub(step=step.name, attempt=attempt, arguments=arguments))
    else:
        _end(draft, StubAnswered(at=scope.now, step=step.name, attempt=attempt, stub={**stub}))


def answer_of(fact: type) -> Answer | None:
    """What a fact means to a step that is stubbed."""
    return _ANSWERS.get(fact)


def is_stubbed(state: State, step: str) -> bool:
    """Whether something stands for the step in this execution."""
    return _stub_of(state, step) is not None


def _stub_of(state: State, step: str) -> Stub | None:
    if state.origin is None or not state.origin.stubs:
        return None
    iteration = state.iteration(step)
    of_all = state.origin.stubs.get(iteration.step) if iteration else None
    return state.origin.stubs.get(step, of_all)


def _answered(draft: Draft, fact: StubAnswered) -> None:
    if draft.state.steps[fact.step].status == "Stopping":
        draft.record(StepStopped(at=fact.at, step=fact.step, attempt=fact.attempt))
    else:
        _end(draft, fact)


def _end(draft: Draft, fact: StubAnswered) -> None:
    progress, reason = draft.state.steps[fact.step], fact.stub.get("FailureReason")
    scope = Scope(draft.state, progress.started_at, progress.read)
    problem = reason or _undeclared(progress.step, fact.stub)
    if problem:
        text = f"ClientError: {problem}" if problem is not reason else str(reason)
        draft.record(StepFailed(at=fact.at, step=fact.step, attempt=fact.attempt, reason=text))
        return
    given = fact.stub.get("Properties")
    properties = {
        **_arguments(progress.step, fact.attempt, scope),
        **(given if isinstance(given, dict) else {}),
    }
    files = fact.stub.get("PropertyFiles")
    draft.record(
        StepSucceeded(
            at=fact.at,
            step=fact.step,
            attempt=fact.attempt,
            metadata=_metadata(progress.step, fact.stub),
            properties={} if _has_outputs(progress.step) else properties,
            property_files=files if isinstance(files, dict) else {},
        )
    )


def _arguments(step: Step, attempt: int, scope: Scope) -> dict[str, Json]:
    """What the step would have asked for. Raises Unresolvable."""
    type_ = JOB_TYPES.get(type(step))
    if type_ is not None:
        return stated(type_, step, attempt, scope)
    if isinstance(step, LambdaStep | CallbackStep):
        return resolve_object(step.arguments, scope)
    if isinstance(step, CreationStep):
        return request_of(step, scope)
    if isinstance(step, UnsupportedStep) and step.arguments != Constant(None):
        found = resolve(step.arguments, scope)
        return found if isinstance(found, dict) else {}
    return {}


def _metadata(step: Step, stub: Stub) -> dict[str, Mapping[str, Json]]:
    if isinstance(step, LambdaStep | CallbackStep):
        payload = exact_json.dumps(stub.get("Outputs") or {}).decode()
        return {step.type_: {"OutputParameters": as_metadata(of_payload(payload, step.outputs))}}
    if isinstance(step, ConditionStep):
        return {"Condition": {"Outcome": str(bool(stub.get("Outcome")))}}
    return {}


def _undeclared(step: Step, stub: Stub) -> str | None:
    """What the stub gives that the step does not declare: most likely its name is misspelt."""
    told, declared = _named(step, stub)
    strange = [name for name in told if name not in declared]
    if not strange:
        return None
    known = _listed(declared)
    return f"The stub gives {_listed(strange)}, which the step does not declare; it declares {known}."


def _named(step: Step, stub: Stub) -> tuple[list[str], list[str]]:
    outputs, files = stub.get("Outputs"), stub.get("PropertyFiles")
    if isinstance(step, LambdaStep | CallbackStep) and isinstance(outputs, dict):
        return list(outputs), [each.name for each in step.outputs]
    if isinstance(step, ProcessingStep) and isinstance(files, dict):
        return list(files), [each.name for each in step.property_files]
    return [], []


def _has_outputs(step: Step) -> bool:
    return isinstance(step, LambdaStep | CallbackStep | ConditionStep)


def _members(step: Step) -> tuple[str, ...]:
    return _MEMBERS.get(type(step), ("Properties",))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _is_due(progress: StepState, _fact: EffectFailed) -> bool:
    return message_due(progress) == "Executing"


def _failed(draft: Draft, fact: EffectFailed) -> None:
    """The function of the test raised an exception, or is gone with its test."""
    fail(draft, fact, fact.reason)


_MEMBERS: Mapping[type[Step], tuple[str, ...]] = {
    LambdaStep: ("Outputs",),
    CallbackStep: ("Outputs",),
    ConditionStep: ("Outcome",),
    ProcessingStep: ("Properties", "PropertyFiles"),
}
_Rule = Callable[[Draft, Any], None]
_ANSWERS: Mapping[type, Answer] = {
    StubAnswered: Answer(always, _answered),
    EffectFailed: Answer(_is_due, _failed),
}
