"""What `Steps.<step>.<path>` means, by the type of the step that is referred to."""

from collections.abc import Callable, Iterable, Mapping

from passrole.definition import CallbackStep, ConditionStep, EmrStep, LambdaStep, Step
from passrole.definition.expressions import Json, StepRef
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
    return _within({**ids, **source.properties, "ClusterId": known.get("ClusterId")}, reference)


def _within(found: Json, reference: StepRef) -> Json:
    """What the path leads to. A name in brackets finds the item of a list that is called so."""
    for part in reference.path:
        if isinstance(found, list):
            found = found[part] if isinstance(part, int) and part < len(found) else _named(found, part)
        else:
            found = found.get(part) if isinstance(found, dict) and isinstance(part, str) else None
    if found is None:
        raise Unresolvable(f"Step '{reference.step}' has no property '{reference.text}'.")
    return found


def _named(items: Iterable[Json], name: str | int) -> Json:
    named = (item for item in items if isinstance(item, dict) and name in map(item.get, _NAMES))
    return next(named, None)


_NAMES = ("OutputName", "InputName", "MetricName", "ChannelName")
"""By which members a list's items are looked up: `Outputs['train']`, `FinalMetricDataList['m']`."""

PROPERTIES: Mapping[type[Step], Callable[[StepRef, StepState], Json]] = {
    LambdaStep: _output,
    CallbackStep: _output,
    EmrStep: _of_emr_step,
    ConditionStep: _outcome,
}
"""A Fail step has none."""
