"""Any definition's steps, leniently: also of types that passrole does not run, as long as it is one.

`definition/` refuses what cannot be executed here; this reads only names, types and members, and leaves what
it does not know alone. Branches of conditions and bodies of loops are walked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from passrole.definition.document import load
from passrole.definition.expressions import (
    Constant,
    Expression,
    Join,
    Json,
    ParameterRef,
    read_expression,
)
from passrole.needs.need import ANY

_BRANCHES = ("IfSteps", "ElseSteps", "ForEachBody")


@dataclass(frozen=True, slots=True)
class RawStep:
    """A step as the definition has it, of any type."""

    name: str
    type: str
    members: Mapping[str, Json]

    @property
    def arguments(self) -> Mapping[str, Json]:
        """Its Arguments; empty where it has none."""
        return as_object(self.members.get("Arguments"))


@dataclass(frozen=True, slots=True)
class Definition:
    """Steps in document order, and the values that parameters will have as far as they are known."""

    steps: tuple[RawStep, ...]
    parameters: Mapping[str, str]
    names: frozenset[str]

    def text(self, value: Json) -> str:
        """The text that a member will have; `*` stands for what only an execution knows."""
        return self._filled(read_expression(value, "", []))

    def _filled(self, expression: Expression) -> str:
        match expression:
            case Constant(value=str() | int() | float() as value):
                return str(value)
            case ParameterRef(name=name):
                return self.parameters.get(name, ANY)
            case Join(on=on, values=values):
                return on.join(self._filled(part) for part in values)
        return ANY


class UnreadableDefinition(Exception):
    """The text is no pipeline definition; the message says why, in lower case."""


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
    return Definition(tuple(_walk(document["Steps"], "Steps")), {**defaults, **given}, names)


def as_object(value: Json) -> Mapping[str, Json]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def _objects(value: Json) -> Iterator[Mapping[str, Json]]:
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, dict))


def _walk(steps: Json, where: str) -> Iterator[RawStep]:
    """Nesting is limited by what `load` accepts."""
    if not isinstance(steps, list):
        raise UnreadableDefinition(f"`{where}` is not a list of steps")
    for index, step in enumerate(steps):
        place = f"{where}[{index}]"
        members = as_object(step)
        name, type_ = members.get("Name"), members.get("Type")
        if not isinstance(name, str) or not isinstance(type_, str):
            raise UnreadableDefinition(f"`{place}` has no `Name` or no `Type`")
        found = RawStep(name, type_, members)
        yield found
        for branch in _BRANCHES:
            if branch in found.arguments:
                yield from _walk(found.arguments[branch], f"{place}.Arguments.{branch}")
