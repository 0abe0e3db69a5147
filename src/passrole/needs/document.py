"""Reads the steps of any definition leniently, also of types that passrole does not run.

`definition/` refuses what cannot be executed; this reads only names, types and members, and ignores what it
does not know. Branches of conditions and bodies of loops are included.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from passrole.definition.document import load
from passrole.definition.expressions import (
    Constant,
    Expression,
    Join,
    Json,
    ListOf,
    ObjectOf,
    ParameterRef,
    StepRef,
    read_expression,
)
from passrole.needs.need import ANY

_BODY = "ForEachBody"
BRANCHES = ("IfSteps", "ElseSteps", _BODY)

_JSON_GET = "Std:JsonGet"

# The maximum length of a chain of references.
_DEPTH_MAX = 8

# Jobs and models have names that SageMaker generates: `pipelines-<execution>-<step>-<random>`, or
# `<prefix>-...` where the SDK left a custom prefix in the arguments (use_custom_job_prefix). Of tuning and
# AutoML jobs no such beginning is documented, and none was seen.
# https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-access.html
_GENERATED: Mapping[str, str] = {
    "TrainingJobName": f"pipelines-{ANY}",
    "ProcessingJobName": f"pipelines-{ANY}",
    "TransformJobName": f"pipelines-{ANY}",
    "ModelName": f"pipelines-{ANY}",
    "HyperParameterTuningJobName": ANY,
    "AutoMLJobName": ANY,
}
# How the elements of a list are named where a reference says `Outputs['name']`.
_ELEMENT_NAMES = ("OutputName", "InputName", "ChannelName", "VariantName")


@dataclass(frozen=True, slots=True)
class RawStep:
    """A step of any type, unchecked. `path` is where the definition has it: `Steps`, 2, ..."""

    name: str
    type: str
    members: Mapping[str, Json]
    path: tuple[str | int, ...] = ()

    @property
    def is_in_loop(self) -> bool:
        """Whether it runs once for each item of a loop, each time under a name with the index behind it."""
        return _BODY in self.path

    @property
    def arguments(self) -> Mapping[str, Json]:
        """Its Arguments; empty where it has none."""
        return as_object(self.members.get("Arguments"))

    def json_gets(self) -> Iterator[Mapping[str, Json]]:
        """Every Std:JsonGet of the step itself, without those of steps in its branches."""
        arguments = {name: value for name, value in self.arguments.items() if name not in BRANCHES}
        yield from _json_gets({**self.members, "Arguments": dict(arguments)})


@dataclass(frozen=True, slots=True)
class Definition:
    """The steps in document order, and the known values of parameters."""

    steps: tuple[RawStep, ...]
    parameters: Mapping[str, str]
    names: frozenset[str]
    by_name: Mapping[str, RawStep] = field(default_factory=dict, hash=False)
    metadata: Json = field(default=None, hash=False)

    def text(self, value: Json, depth: int = 0) -> str:
        """The text of a member; `*` replaces what is known only at run time."""
        return self._filled(read_expression(value, "", []), depth)

    def values(self, value: Json) -> Json:
        """The same for a whole object: every expression in it is replaced by its text."""
        return self._values(read_expression(value, "", []))

    def name_of(self, step: RawStep, member: str, depth: int = 0) -> str:
        """The name of the resource that the step creates; `member` of its arguments has it, or its prefix."""
        given = step.arguments.get(member)
        if member not in _GENERATED:
            return ANY if given is None else self.text(given, depth)
        text = "" if given is None else self.text(given, depth)
        return _GENERATED[member] if text in ("", ANY) else f"{text}-{ANY}"

    def step(self, name: str) -> RawStep | None:
        """The step of that name."""
        return self.by_name.get(name)

    def creator_of_model(self, step: RawStep) -> RawStep | None:
        """The Model step whose model a step's ModelName means; None where that is not one step alone."""
        match read_expression(step.arguments.get("ModelName"), "", []):
            case StepRef(step=name, path=("ModelName",)):
                named = self.by_name.get(name)
                return named if named is not None and named.type == "Model" else None
        wanted = self.text(step.arguments.get("ModelName"))
        found = [
            other
            for other in self.steps
            if other.type == "Model" and self.name_of(other, "ModelName") == wanted
        ]
        return found[0] if wanted != ANY and len(found) == 1 else None

    def _values(self, expression: Expression) -> Json:
        match expression:
            case Constant(value=value):
                return value
            case ListOf(items=items):
                return [self._values(item) for item in items]
            case ObjectOf(members=members):
                return {name: self._values(part) for name, part in members}
        return self._filled(expression, 0)

    def _filled(self, expression: Expression, depth: int) -> str:
        match expression:
            case Constant(value=str() | int() | float() as value):
                return str(value)
            case ParameterRef(name=name):
                return self.parameters.get(name, ANY)
            case Join(on=on, values=values):
                return on.join(self._filled(part, depth) for part in values)
            case StepRef(step=name, path=path) if depth < _DEPTH_MAX and name in self.by_name:
                return self._property(self.by_name[name], path, depth + 1)
        return ANY

    def _property(self, step: RawStep, path: tuple[str | int, ...], depth: int) -> str:
        """The value of a referenced property, derived from the step's own arguments."""
        if path == ("ModelArtifacts", "S3ModelArtifacts"):
            folder = self.text(_at(step.arguments, ("OutputDataConfig", "S3OutputPath")), depth)
            job = self.name_of(step, "TrainingJobName", depth)
            return ANY if folder == ANY else f"{folder.rstrip('/')}/{job}/output/model.tar.gz"
        if len(path) == 1 and path[0] in _GENERATED:
            return self.name_of(step, str(path[0]), depth)
        found = _at(step.arguments, path)
        return ANY if found is None else self.text(found, depth)


class UnreadableDefinition(Exception):
    """The text is not a pipeline definition; the message says why."""


def read_definition(text: str, given: Mapping[str, str]) -> Definition:
    """The steps, with `given` instead of the defaults. Raises DefinitionError, UnreadableDefinition."""
    document = load(text)
    declared = {
        parameter["Name"]: parameter.get("DefaultValue")
        for parameter in _objects(document.get("Parameters"))
        if isinstance(parameter.get("Name"), str)
    }
    defaults = {str(name): str(value) for name, value in declared.items() if value is not None}
    if not isinstance(document.get("Steps"), list):
        raise UnreadableDefinition("the definition has no list of `Steps`")
    names = frozenset(map(str, declared))
    steps = tuple(_walk(document["Steps"], ("Steps",)))
    return Definition(
        steps, {**defaults, **given}, names, {step.name: step for step in steps}, document.get("Metadata")
    )


def as_object(value: Json) -> Mapping[str, Json]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Json) -> Sequence[Json]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else ()


def _at(value: Any, path: Sequence[str | int]) -> Any:
    """The value at a path; an element of a list is found by its index or its name."""
    for part in path:
        if isinstance(value, dict):
            value = value.get(str(part))
        elif isinstance(value, list):
            value = _element(value, part)
        else:
            return None
    return value


def _element(elements: Sequence[Json], part: str | int) -> Json:
    if isinstance(part, int):
        return elements[part] if part < len(elements) else None
    named = (each for each in map(as_object, elements) if part in (each.get(name) for name in _ELEMENT_NAMES))
    return next((dict(each) for each in named), None)


def _json_gets(value: Json) -> Iterator[Mapping[str, Json]]:
    if isinstance(value, dict):
        if isinstance(value.get(_JSON_GET), dict):
            yield from _json_gets(as_object(value[_JSON_GET]).get("S3Uri"))  # it may need another one
            yield as_object(value[_JSON_GET])
        for name, inner in value.items():
            if name != _JSON_GET:
                yield from _json_gets(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _json_gets(inner)


def _objects(value: Json) -> Iterator[Mapping[str, Json]]:
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, dict))


def _walk(steps: Json, where: tuple[str | int, ...]) -> Iterator[RawStep]:
    """Nesting is limited by what `load` accepts."""
    if not isinstance(steps, list):
        raise UnreadableDefinition(f"`{_shown(where)}` is not a list of steps")
    for index, step in enumerate(steps):
        path = (*where, index)
        members = as_object(step)
        name, type_ = members.get("Name"), members.get("Type")
        if not isinstance(name, str) or not isinstance(type_, str):
            raise UnreadableDefinition(f"`{_shown(path)}` has no `Name` or no `Type`")
        found = RawStep(name, type_, members, path)
        yield found
        for branch in BRANCHES:
            if branch in found.arguments:
                yield from _walk(found.arguments[branch], (*path, "Arguments", branch))


def _shown(path: Sequence[str | int]) -> str:
    """`Steps[2].Arguments.IfSteps`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)[1:]
