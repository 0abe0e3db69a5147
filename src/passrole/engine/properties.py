"""What `Steps.<step>.<path>` means, by the type of the step that is referred to."""

from collections.abc import Callable, Mapping

from passrole.definition import (
    CallbackStep,
    ClarifyCheckStep,
    ConditionStep,
    EmrServerlessStep,
    EmrStep,
    EndpointConfigStep,
    EndpointStep,
    ForEachStep,
    LambdaStep,
    LineageStep,
    ModelStep,
    ProcessingStep,
    QualityCheckStep,
    RegisterModelStep,
    Step,
    TrainingStep,
    TransformStep,
    TuningStep,
)
from passrole.definition.expressions import Json, StepRef
from passrole.definition.kinds import UNSUPPORTED, kind_of
from passrole.definition.parameters import read_typed
from passrole.engine.scope import Unresolvable
from passrole.engine.state import StepState


def property_of(reference: StepRef, source: StepState) -> Json:
    """The value; Unresolvable where the step has none."""
    return PROPERTIES[type(source.step)](reference, source)


def _output(reference: StepRef, source: StepState) -> Json:
    """A declared output, which is of its declared type again."""
    assert isinstance(source.step, LambdaStep | CallbackStep)
    name = str(reference.path[1])
    value = source.output(name)
    if value is None:
        raise Unresolvable(f"Step '{reference.step}' has not produced the output '{name}'.")
    if len(reference.path) > 2:
        raise Unresolvable(f"'{reference.text}' refers into a value: outputs are strings, not structures.")
    type_ = next(output.type_ for output in source.step.outputs if output.name == name)
    typed = read_typed(type_, value)
    if typed is None:
        raise Unresolvable(f"Output '{name}' of step '{reference.step}' is not of type {type_}: '{value}'.")
    return typed


def _outcome(reference: StepRef, source: StepState) -> Json:
    """How a Condition step decided; one that failed did not."""
    if source.status != "Succeeded":
        raise Unresolvable(f"Step '{reference.step}' has no outcome: it {source.status.lower()}.")
    return source.outcome


def _of_emr_step(reference: StepRef, source: StepState) -> Json:
    """The cluster's id, or a member of EMR's Step: `Steps.X.Config.Args[3]`."""
    known = source.metadata.get("EMR", {})
    ids: dict[str, Json] = {"Id": known.get("StepId"), "Name": known.get("StepName")}
    description = {**ids, "ClusterId": known.get("ClusterId"), **source.properties}
    return _of_description(description, reference, source)


def _of_answer(reference: StepRef, source: StepState) -> Json:
    return _of_description(dict(source.properties), reference, source)


def _of_check(reference: StepRef, source: StepState) -> Json:
    """A file of one of the step's two baselines, as its metadata have it, or its stub."""
    return _of_description(
        {**source.metadata.get(source.step.type_, {}), **source.properties}, reference, source
    )


def _of_description(description: Json, reference: StepRef, source: StepState) -> Json:
    """What the path leads to in the answer of the service that runs the job."""
    properties = kind_of(source.step).properties
    found = None if properties is None else properties.at(description, reference.path)
    if found is None:
        raise Unresolvable(f"Step '{reference.step}' has no property '{reference.text}'.")
    return found


def _of_loop(reference: StepRef, source: StepState) -> Json:
    """How it ended, or one of its counts. What a reference asks of an iteration is that step's."""
    if source.properties:
        return _of_stub(reference, source)
    found = source.metadata.get("ForEach", {}).get(str(reference.path[0]))
    if found is None:
        raise Unresolvable(f"Step '{reference.step}' has no property '{reference.text}'.")
    return found


def _of_stub(reference: StepRef, source: StepState) -> Json:
    """A member of what stands for a step of a type that passrole does not run."""
    found: Json = dict(source.properties)
    for part in reference.path:
        if isinstance(found, list) and isinstance(part, int) and part < len(found):
            found = found[part]
        elif isinstance(found, dict) and isinstance(part, str):
            found = found.get(part)
        else:
            found = None
    if found is None:
        raise Unresolvable(f"The stub of step '{reference.step}' has no property '{reference.text}'.")
    return found


PROPERTIES: Mapping[type[Step], Callable[[StepRef, StepState], Json]] = {
    LambdaStep: _output,
    CallbackStep: _output,
    EmrStep: _of_emr_step,
    EmrServerlessStep: _of_answer,
    ProcessingStep: _of_answer,
    TrainingStep: _of_answer,
    TuningStep: _of_answer,
    TransformStep: _of_answer,
    ModelStep: _of_answer,
    LineageStep: _of_answer,
    RegisterModelStep: _of_answer,
    EndpointConfigStep: _of_answer,
    EndpointStep: _of_answer,
    QualityCheckStep: _of_check,
    ClarifyCheckStep: _of_check,
    ConditionStep: _outcome,
    ForEachStep: _of_loop,
    **{kind.step: _of_stub for kind in UNSUPPORTED.values()},
}
"""A Fail step has none."""
