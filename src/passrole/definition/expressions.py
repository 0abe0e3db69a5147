"""The expressions of a definition: literals, `Get`, `Std:Join`, `Std:JsonGet`, and objects and lists of them.

Knows no values: `engine/resolve.py` evaluates an expression when a step starts. An object or list without
expressions becomes one Constant, so that most arguments need no evaluation.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeAlias

from passrole.definition import problems as problem
from passrole.definition.problems import Problem
from passrole.patterns.json_paths import InvalidPath, parse_path, rooted

Scalar: TypeAlias = str | int | float | bool
Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

EXECUTION_VARIABLES = (
    "CurrentDateTime",
    "PipelineArn",
    "PipelineExecutionArn",
    "PipelineExecutionId",
    "PipelineName",
    "ProcessingJobName",
    "StartDateTime",
    "TrainingJobName",
)

EXPERIMENT_NAMES = ("ExperimentName", "TrialName")

PROPERTY_FILES = "PropertyFiles"


@dataclass(frozen=True, slots=True)
class Constant:
    """A JSON value that holds no expression."""

    value: Json


@dataclass(frozen=True, slots=True)
class ParameterRef:
    """`{"Get": "Parameters.<name>"}`."""

    name: str


@dataclass(frozen=True, slots=True)
class VariableRef:
    """`{"Get": "Execution.<name>"}`, one of EXECUTION_VARIABLES."""

    name: str


@dataclass(frozen=True, slots=True)
class ExperimentRef:
    """`{"Get": "PipelineExperimentConfig.<name>"}`, one of EXPERIMENT_NAMES."""

    name: str


@dataclass(frozen=True, slots=True)
class StepRef:
    """`{"Get": "Steps.<step>.<path>"}`; keys and indexes of the path are single parts of it."""

    step: str
    path: tuple[str | int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class ItemRef:
    """`{"Get": "ForEach.CurrentItem<path>"}`: the item of an iteration, in a step of a loop's body."""

    path: tuple[str | int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Join:
    """`{"Std:Join": {"On": on, "Values": [...]}}`."""

    on: str
    values: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class JsonGet:
    """`{"Std:JsonGet": {"S3Uri": s3_uri, "Path": path}}`: a value out of a JSON document in S3.

    Of a property file, `s3_uri` is the URI of the step's output and `file` the path below it. Until
    `property_files` has looked that up, `s3_uri` is the reference `Steps.<step>.PropertyFiles.<name>`.
    https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-propertyfile.html
    """

    s3_uri: "Expression"
    path: str
    file: str = ""

    def document(self, s3_uri: str) -> str:
        """The URI of the document, where the expression `s3_uri` has this value."""
        return f"{s3_uri.rstrip('/')}/{self.file}" if self.file else s3_uri


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list with at least one expression in it."""

    items: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """An object with at least one expression in it, as pairs because frozen values hash."""

    members: tuple[tuple[str, "Expression"], ...]


Reference: TypeAlias = ParameterRef | VariableRef | ExperimentRef | StepRef | ItemRef
Expression: TypeAlias = Constant | Reference | Join | JsonGet | ListOf | ObjectOf


def read_expression(value: Json, where: str, found: list[Problem]) -> Expression:
    """Read the expression in `value`; problems are appended to `found`."""
    if isinstance(value, dict):
        if len(value) == 1:
            (key, inner), *_ = value.items()
            if key == "Get":
                return _read_get(inner, where, found)
            if key == "Std:Join":
                return _read_join(inner, where, found)
            if key == "Std:JsonGet":
                return _read_json_get(inner, where, found)
            if key.startswith("Std:"):
                found.append(problem.unsupported(where, f"Function '{key}'"))
                return Constant(None)
        members = tuple((k, read_expression(v, f"{where}.{k}", found)) for k, v in value.items())
        return ObjectOf(members) if _any_expression(e for _, e in members) else Constant(value)
    if isinstance(value, list):
        items = tuple(read_expression(v, f"{where}[{i}]", found) for i, v in enumerate(value))
        return ListOf(items) if _any_expression(iter(items)) else Constant(value)
    return Constant(value)


def read_iteration_output(value: Json) -> StepRef | None:
    """The reference `{"Get": "IterationOutput.<step>.<path>"}`, as one to that step."""
    text = value.get("Get") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(text, str) or not text.startswith(_ITERATION_OUTPUT):
        return None
    found = _reference(f"Steps.{text.removeprefix(_ITERATION_OUTPUT)}")
    return replace(found, text=text) if isinstance(found, StepRef) else None


def references(expression: Expression) -> Iterator[Reference]:
    """Every reference inside an expression, in reading order."""
    return (part for part in _parts(expression) if isinstance(part, Reference))


def json_gets(expression: Expression) -> Iterator[JsonGet]:
    """Every JsonGet inside an expression, in reading order."""
    return (part for part in _parts(expression) if isinstance(part, JsonGet))


def rewritten(part: Any, change: Callable[[object], object | None]) -> Any:
    """A part of a definition, a tree of frozen dataclasses and tuples, with what `change` gives for each of
    its parts; that gives None for those that stay.
    """
    other = change(part)
    if other is not None:
        return other
    if isinstance(part, tuple):
        return tuple(rewritten(each, change) for each in part)
    if is_dataclass(part) and not isinstance(part, type | Constant):
        values = {field.name: getattr(part, field.name) for field in fields(part)}
        return replace(part, **{name: rewritten(each, change) for name, each in values.items()})
    return part


def member_of(expression: Expression, key: str) -> Expression | None:
    """A member of an object, Constant(None) where it has none; None where that is not known yet."""
    match expression:
        case Constant(value=value):
            return Constant(value.get(key) if isinstance(value, dict) else None)
        case ObjectOf(members=members):
            return dict(members).get(key, Constant(None))
        case _:
            return None


def items_of(expression: Expression) -> tuple[Expression, ...] | None:
    """The items of a list, none where it is none; None where that is not known yet."""
    match expression:
        case Constant(value=value):
            return tuple(map(Constant, value)) if isinstance(value, list) else ()
        case ListOf(items=items):
            return items
        case ObjectOf():
            return ()
        case _:
            return None


def _parts(expression: Expression) -> Iterator[Expression]:
    yield expression
    match expression:
        case Join(values=inner) | ListOf(items=inner):
            for part in inner:
                yield from _parts(part)
        case ObjectOf(members=members):
            for _, part in members:
                yield from _parts(part)
        case JsonGet(s3_uri=uri):
            yield from _parts(uri)
        case _:
            return


def _any_expression(parts: Iterator[Expression]) -> bool:
    return any(not isinstance(part, Constant) for part in parts)


def _read_join(value: Json, where: str, found: list[Problem]) -> Expression:
    if not isinstance(value, dict):
        found.append(problem.wrong_type(where, "Std:Join", "Object"))
        return Constant(None)
    on, values = value.get("On", ""), value.get("Values")
    found += [problem.unknown_property(where, key) for key in value if key not in ("On", "Values")]
    if not isinstance(on, str):
        found.append(problem.wrong_type(where, "On", "String"))
    elif not isinstance(values, list):
        found.append(problem.wrong_type(where, "Values", "List"))
    else:
        inner = f"{where}.Std:Join.Values"
        return Join(on, tuple(read_expression(v, f"{inner}[{i}]", found) for i, v in enumerate(values)))
    return Constant(None)


def _read_json_get(value: Json, where: str, found: list[Problem]) -> Expression:
    if not isinstance(value, dict):
        found.append(problem.wrong_type(where, "Std:JsonGet", "Object"))
        return Constant(None)
    source = "PropertyFile" if "PropertyFile" in value else "S3Uri"
    found += [problem.unknown_property(where, key) for key in value if key not in (source, "Path")]
    missing = [problem.missing_property(where, key) for key in (source, "Path") if key not in value]
    found += missing
    path = value.get("Path")
    if missing:
        return Constant(None)
    if not isinstance(path, str) or not _is_path(path):
        found.append(problem.bad_json_path(where, path))
        return Constant(None)
    if source == "PropertyFile":
        return JsonGet(_read_property_file(value[source], where, found), path)
    uri = read_expression(value["S3Uri"], f"{where}.Std:JsonGet.S3Uri", found)
    if isinstance(uri, Constant) and not isinstance(uri.value, str):
        found.append(problem.wrong_type(where, "S3Uri", "String"))
    return JsonGet(uri, path)


def _read_property_file(value: Json, where: str, found: list[Problem]) -> Expression:
    """The reference to a property file, whose name may have any characters."""
    text = value.get("Get") if isinstance(value, dict) and len(value) == 1 else None
    named = _PROPERTY_FILE.fullmatch(text) if isinstance(text, str) else None
    if named is None:
        found.append(problem.bad_expression(where, text if isinstance(text, str) else "PropertyFile"))
        return Constant(None)
    return StepRef(named[1], (PROPERTY_FILES, named[2]), named[0])


def _is_path(text: str) -> bool:
    try:
        return bool(parse_path(rooted(text)))
    except InvalidPath:
        return False


def _read_get(value: Json, where: str, found: list[Problem]) -> Expression:
    if not isinstance(value, str):
        found.append(problem.wrong_type(where, "Get", "String"))
        return Constant(None)
    reference = _reference(value)
    if reference is None:
        found.append(problem.bad_expression(where, value))
        return Constant(None)
    return reference


def _reference(text: str) -> Reference | None:
    root, _, rest = text.partition(".")
    if root == "Parameters" and _NAME.fullmatch(rest):
        return ParameterRef(rest)
    if root == "Execution" and rest in EXECUTION_VARIABLES:
        return VariableRef(rest)
    if root == "PipelineExperimentConfig" and rest in EXPERIMENT_NAMES:
        return ExperimentRef(rest)
    if text.startswith(_CURRENT_ITEM):
        path = _path(text.removeprefix(_CURRENT_ITEM))
        return None if path is None else ItemRef(path, text)
    if root == "Steps":
        parts = _path("." + rest)
        if parts and len(parts) > 1 and isinstance(parts[0], str):
            return StepRef(parts[0], parts[1:], text)
    return None


_CURRENT_ITEM, _ITERATION_OUTPUT = "ForEach.CurrentItem", "IterationOutput."
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_PROPERTY_FILE = re.compile(rf"Steps\.([A-Za-z0-9_-]+)\.{PROPERTY_FILES}\.(.+)")
_PART = re.compile(r"\.([A-Za-z0-9_-]+)|\['([^']*)'\]|\[([0-9]{1,9})\]")


def _path(text: str) -> tuple[str | int, ...] | None:
    """The parts of a path such as `.a.b['c'][0]`; None if the text is invalid."""
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            return None
        dotted, key, index = part.groups()
        parts.append(int(index) if index is not None else dotted if dotted is not None else key)
        position = part.end()
    return tuple(parts)
