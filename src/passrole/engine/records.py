"""Facts and commands as JSON objects: one codec, made from the dataclasses themselves.

A record is `{"<kind>": "<class name>", <field>: <value>, ...}` without the fields that hold their
default. Records outlive the program that wrote them, so: a new field has a default, a reader skips fields it
does not know, and what a class was called before it can still be read.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, Generic, TypeAlias, TypeVar

from passrole.definition.expressions import Json

T = TypeVar("T")
Document: TypeAlias = Mapping[str, Json]
Translation: TypeAlias = tuple[Callable[[Any], Json], Callable[[Any], object]]


class Codec(Generic[T]):
    """Turns instances of `classes` into JSON objects and back.

    `translations` gives, by field name, the way out to JSON and the way in where a value is not JSON itself;
    `former`, by the name of a class that is not there any more, how its document reads today.
    """

    def __init__(
        self,
        kind: str,
        classes: tuple[type[T], ...],
        translations: Mapping[str, Translation],
        former: Mapping[str, Callable[[Document], Document]],
    ) -> None:
        self._kind = kind
        self._former = former
        self._classes = {cls.__name__: cls for cls in classes}
        self._fields = {cls: _defaults(cls) for cls in classes}
        self._translations = translations

    def to_json(self, record: T) -> dict[str, Json]:
        """The JSON object of a record."""
        document: dict[str, Json] = {self._kind: type(record).__name__}
        for name, default in self._fields[type(record)]:
            value = getattr(record, name)
            if default is MISSING or value != default:
                document[name] = self._translations[name][0](value) if name in self._translations else value
        return document

    def from_json(self, document: Document) -> T:
        """The record of a JSON object that `to_json` wrote, in this version or an earlier one."""
        name = str(document[self._kind])
        if name in self._former:
            document = self._former[name](document)
        cls = self._classes[str(document[self._kind])]
        values: dict[str, Any] = {}
        for name, _ in self._fields[cls]:
            if name in document:
                value = document[name]
                values[name] = self._translations[name][1](value) if name in self._translations else value
        return cls(**values)


def _defaults(cls: Any) -> tuple[tuple[str, object], ...]:
    """The fields of a dataclass with their defaults, MISSING where there is none."""
    return tuple(
        (f.name, f.default if f.default_factory is MISSING else f.default_factory()) for f in fields(cls)
    )
