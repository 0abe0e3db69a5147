"""Properties of a resource as Search names them: `CreationTime`, `Tags.team`, `InputDataConfig.ChannelName`.

AWS's description of the resource says which there are and what type each has. Nothing here reads anything but
its arguments.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Filter.html
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from botocore.model import ListShape, MapShape, Shape

from passrole.wire.descriptions import members

Document = Mapping[str, Any]
Step = Callable[[Any], Iterable[Any]]


class Type(Enum):
    """What the values of a property are. A GROUP has properties of its own below it."""

    TEXT = "text"
    NUMBER = "numeric"
    TIME = "timestamp"
    TRUTH = "Boolean"
    HYPERPARAMETER = "hyperparameter"
    GROUP = "structure"


@dataclass(frozen=True)
class Property:
    """A property; `shape` describes it, or each of its items where it is a list."""

    name: str
    type: Type
    shape: Shape
    steps: tuple[Step, ...]

    def values(self, document: Document) -> list[Any]:
        """Its values in a described resource; those of all items of the lists on the way."""
        found: list[Any] = [document]
        for step in self.steps:
            found = [value for each in found for value in step(each)]
        return found


def property_of(resource: Shape, name: str) -> Property | None:
    """The property of that name; None where the resource has none."""
    shape: Shape | None = resource
    steps, rest, type_ = list[Step](), name, None
    while rest and shape is not None:
        part, _, below = rest.partition(".")
        if isinstance(shape, MapShape):  # the rest is one key, dots included
            type_ = Type.HYPERPARAMETER if shape.name == _HYPERPARAMETERS else None
            shape, below = shape.value, ""
            steps.append(_member(rest))
        elif below and part in _ENTRIES and _ENTRIES[part].member in members(shape):
            entries = _ENTRIES[part]
            shape = members(_item(members(shape)[entries.member]))[entries.value]
            steps += [_member(entries.member), _entry(entries, below)]
            below = ""
        else:
            shape = members(shape).get(part)
            steps.append(_member(part))
        shape, rest = _item(shape), below
    return None if shape is None else Property(name, type_ or _type_of(shape), shape, tuple(steps))


def names_below(document: Document) -> set[str]:
    """The names of a resource's tags, metrics and hyperparameters, as properties."""
    found = {
        f"{head}.{item[entries.key]}"
        for head, entries in _ENTRIES.items()
        for item in document.get(entries.member) or ()
    }
    return found | {f"{_HYPERPARAMETERS}.{key}" for key in document.get(_HYPERPARAMETERS) or ()}


class _Entries(NamedTuple):
    """A list whose items are found by a member of theirs, such as Key of tags."""

    member: str
    key: str
    value: str


def _item(shape: Shape | None) -> Any:
    while isinstance(shape, ListShape):
        shape = shape.member
    return shape


def _entry(entries: _Entries, key: str) -> Step:
    return lambda item: [item[entries.value]] if item[entries.key] == key else ()


def _member(name: str) -> Step:
    def step(value: Any) -> Iterable[Any]:
        found = value.get(name)
        if isinstance(found, list | tuple):
            return found
        return () if found is None else (found,)

    return step


def _type_of(shape: Shape) -> Type:
    return _TYPES.get(shape.type_name, Type.GROUP)


_HYPERPARAMETERS = "HyperParameters"
_ENTRIES: Mapping[str, _Entries] = {
    "Tags": _Entries("Tags", "Key", "Value"),
    "Metrics": _Entries("FinalMetricDataList", "MetricName", "Value"),
}
_TYPES: Mapping[str, Type] = {
    "string": Type.TEXT,
    "boolean": Type.TRUTH,
    "timestamp": Type.TIME,
    **dict.fromkeys(("integer", "long", "float", "double"), Type.NUMBER),
}
