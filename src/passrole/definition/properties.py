"""The properties of a step: what `Steps.X.<path>` means where X has started something that can be described.

They are the members of the service's answer. An element of a list is selected by its index, and in some
lists by its name: `ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri`.
https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-properties.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from passrole.definition.expressions import Constant, Expression, Json, items_of, member_of

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class NamedList:
    """A list whose elements are selected by the value of their member `name`."""

    path: tuple[str, ...]
    name: str
    is_requested: bool = True
    """Whether the request has the same list, so that its names are known before the step runs."""


@dataclass(frozen=True, slots=True)
class Properties:
    """The members of a description, and its lists of elements with names."""

    members: Sequence[str]
    lists: tuple[NamedList, ...] = ()

    def has(self, path: Path, request: Expression | None = None) -> bool:
        """Whether a path may have a value; the names in the step's request say more about it."""
        if path[0] not in self.members:
            return False
        return request is None or not any(_is_unknown(each, path, request) for each in self.lists)

    def at(self, description: Json, path: Path) -> Json:
        """The value at the path of a description; None where there is none."""
        found = description
        for depth, part in enumerate(path):
            if isinstance(found, list):
                found = self._element(found, path[:depth], part)
            elif isinstance(found, dict) and isinstance(part, str):
                found = found.get(part)
            else:
                return None
        return found

    def _element(self, elements: list[Json], path: Path, part: str | int) -> Json:
        if isinstance(part, int):
            return elements[part] if part < len(elements) else None
        name = next((each.name for each in self.lists if each.path == path), None)
        named = (each for each in elements if isinstance(each, dict) and name and each.get(name) == part)
        return next(named, None)


def _is_unknown(named: NamedList, path: Path, request: Expression) -> bool:
    """Whether the path selects an element by a name that no element of the request has."""
    depth = len(named.path)
    if not named.is_requested or path[:depth] != named.path or len(path) == depth:
        return False
    names = _names(named, request)
    return isinstance(path[depth], str) and names is not None and path[depth] not in names


def _names(named: NamedList, request: Expression) -> list[Json] | None:
    """The names in the request's list; None where one of them is an expression."""
    found: Expression | None = request
    for key in named.path:
        found = None if found is None else member_of(found, key)
    elements = None if found is None else items_of(found)
    names: list[Json] = []
    for each in elements or ():
        name = member_of(each, named.name)
        if not isinstance(name, Constant):
            return None
        names.append(name.value)
    return None if elements is None else names
