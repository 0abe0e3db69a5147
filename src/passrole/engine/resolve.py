"""The value of an expression at the moment a step starts.

JSON types are preserved: an Integer parameter arrives in a function's event as a number. What cannot
be resolved makes the step that asked for it fail; AWS documents such failures as client errors that
are not retried, without their words, so the sentences here are ours.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from passrole import exact_json, iso8601
from passrole.definition import ProcessingStep
from passrole.definition.expressions import (
    Constant,
    ExperimentRef,
    Expression,
    ItemRef,
    Join,
    Json,
    JsonGet,
    ListOf,
    ObjectOf,
    ParameterRef,
    StepRef,
    VariableRef,
)
from passrole.definition.kinds import kind_of
from passrole.definition.kinds.for_each import ITERATION_OUTPUTS
from passrole.definition.loops import name_in
from passrole.engine.properties import property_of
from passrole.engine.scope import Scope, Unread, Unresolvable
from passrole.engine.state import StepState
from passrole.patterns.json_paths import ABSENT, rooted, value_at


def resolve(expression: Expression, scope: Scope) -> Json:
    """The JSON value of `expression`; Unresolvable where there is none."""
    match expression:
        case Constant(value=value):
            return value
        case ParameterRef(name=name):
            return scope.origin.parameters[name]
        case VariableRef(name=name):
            return _variable(name, scope)
        case ExperimentRef(name=name):
            return experiment_name(name, scope)
        case StepRef():
            return _step_value(expression, scope)
        case ItemRef(text=text):
            raise Unresolvable(f"The item of the iteration has no value at '{text}'.")
        case Join(on=on, values=values):
            return on.join(as_text(resolve(each, scope)) for each in values)
        case JsonGet(s3_uri=uri, path=path):
            documents = _documents_of_stub(expression, scope)
            if documents is not None:
                return _stub_value(documents, expression)
            return _json_value(expression.document(resolve_text(uri, scope, "S3Uri")), path, scope)
        case ListOf(items=items):
            return [resolve(each, scope) for each in items]
        case ObjectOf(members=members):
            return {key: resolve(each, scope) for key, each in members}


def unread(gets: Iterable[JsonGet], scope: Scope) -> list[tuple[str, str]]:
    """The URIs and paths that are still to be read, as far as the URIs are known yet; Unresolvable."""
    found: dict[tuple[str, str], None] = {}
    for get in gets:
        if _documents_of_stub(get, scope) is not None:
            continue
        try:
            wanted = get.document(resolve_text(get.s3_uri, scope, "S3Uri")), get.path
        except Unread:
            continue  # the URI stands in a document that is read first
        if wanted not in scope.read:
            found[wanted] = None
    return list(found)


def as_text(value: Json) -> str:
    """A value inside a text, as JSON writes it: booleans in lower case (SDK's integration tests)."""
    return value if isinstance(value, str) else exact_json.dumps(value).decode()


def experiment_name(member: str, scope: Scope) -> str:
    """ExperimentName or TrialName of the execution, which its definition has; Unresolvable as `resolve`.

    They were fixed when the execution began. An experiment named after the pipeline is in lower case, as
    DescribePipelineExecution shows it on AWS.
    """
    name = as_text(resolve(scope.state.pipeline.experiment[member], Scope(scope.state, scope.origin.at)))
    return name.lower() if member == "ExperimentName" and name == scope.origin.pipeline_name else name


def resolve_text(expression: Expression, scope: Scope, member: str) -> str:
    """The value of an expression that must be a string; `member` is what it is for."""
    value = resolve(expression, scope)
    if not isinstance(value, str):
        raise Unresolvable(f"The value of {member} is not a string.")
    return value


def resolve_object(expression: Expression, scope: Scope) -> dict[str, Json]:
    """The value of a step's Arguments, which the definition says are an object."""
    value = resolve(expression, scope)
    if not isinstance(value, dict):
        raise Unresolvable("The value of Arguments is not an object.")
    return value


def _variable(name: str, scope: Scope) -> Json:
    if name in scope.job_names:
        return scope.job_names[name]
    read = _VARIABLES.get(name)
    if read is None:
        raise Unresolvable(f"Execution.{name} has no value in a step that starts no job.")
    return read(scope)


def _step_value(reference: StepRef, scope: Scope) -> Json:
    """Of a loop, it may be a property of a step of one of its iterations."""
    source = scope.state.steps[reference.step]
    lead = None if source.properties else kind_of(source.step).leads_to(source.step, reference.path)
    if lead is None:
        return property_of(reference, source)
    step, path = lead
    name = name_in(step, _index(reference, source))
    inner = scope.state.steps.get(name)
    if inner is None or inner.status != "Succeeded":
        raise Unresolvable(f"Step '{reference.step}' has no value at '{reference.text}'.")
    return property_of(replace(reference, step=name, path=path), inner)


def _index(reference: StepRef, source: StepState) -> int:
    """Of the iteration that a reference names, or the selector has picked."""
    if reference.path[0] == ITERATION_OUTPUTS:
        return int(reference.path[1])
    selected = source.metadata.get("ForEach", {}).get("Selector")
    if not isinstance(selected, dict):
        raise Unresolvable(f"Step '{reference.step}' has selected no iteration.")
    return int(str(selected["Index"]))


def _json_value(uri: str, path: str, scope: Scope) -> Json:
    if (uri, path) not in scope.read:
        raise Unread(f"{path} of {uri} was not read.")
    return scope.read[uri, path]


def _documents_of_stub(get: JsonGet, scope: Scope) -> list[Json] | None:
    """The property file that a JsonGet is of, where a stub has it."""
    if not isinstance(get.s3_uri, StepRef) or not get.file:
        return None
    source = scope.state.steps.get(get.s3_uri.step)
    if source is None or not source.property_files or not isinstance(source.step, ProcessingStep):
        return None
    output = get.s3_uri.path[2]
    named = (
        each.name
        for each in source.step.property_files
        if (each.output_name, each.path) == (output, get.file) and each.name in source.property_files
    )
    return next(([source.property_files[name]] for name in named), None)


def _stub_value(documents: list[Json], get: JsonGet) -> Json:
    assert isinstance(get.s3_uri, StepRef), "a property file is of a step"
    found: Json = value_at(documents[0], rooted(get.path))
    if found is ABSENT:
        raise Unresolvable(f"Invalid json path '{get.path}' in the stub of step '{get.s3_uri.step}'.")
    return found


_VARIABLES: dict[str, Callable[[Scope], str]] = {
    "CurrentDateTime": lambda scope: iso8601.milliseconds(scope.now),
    "PipelineArn": lambda scope: scope.origin.pipeline_arn,
    "PipelineExecutionArn": lambda scope: scope.origin.execution_arn,
    "PipelineExecutionId": lambda scope: scope.origin.execution_id,
    "PipelineName": lambda scope: scope.origin.pipeline_name,
    "StartDateTime": lambda scope: iso8601.milliseconds(scope.origin.at),
}
