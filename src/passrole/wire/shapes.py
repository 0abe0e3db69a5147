"""Compiles botocore's shapes to functions, each shape once and on demand.

A protocol gives a table with a maker for each type of shape. A maker must ask for the functions of its
members when its own function first runs, so that recursive shapes (an EMR Configuration) work.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from botocore.model import Shape

from passrole.wire.http_messages import HttpRequest, HttpResponse

Parse = Callable[[HttpRequest, Mapping[str, str]], dict[str, Any]]
"""From a request and the arguments in its path to the operation's parameters."""

Render = Callable[[Mapping[str, Any], str], HttpResponse]
"""From the operation's result and the request's id to a response."""

F = TypeVar("F")


class Compiler(Generic[F]):
    """The compiled functions of one service description."""

    def __init__(self, makers: Mapping[str, Callable[[Shape, "Compiler[F]"], F]]) -> None:
        self._makers = makers
        self._made: dict[tuple[object, ...], F] = {}

    def __call__(self, shape: Shape) -> F:
        """The function of a shape."""
        # The same shape is written differently if its member has traits (a name, a format).
        key = (shape.name, *sorted((trait, str(value)) for trait, value in shape.serialization.items()))
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._makers[shape.type_name](shape, self)
        return made


def wire_name(shape: Shape, name: str) -> str:
    """The name on the wire of the member `name` with this shape."""
    return str(shape.serialization.get("name", name))
