"""Turns botocore's shapes into functions: each shape once, and only when it is first needed.

It knows no protocol. A protocol gives a table with one maker per type of shape; a maker that asks for the
functions of its members must do so when its own function first runs, so that shapes which contain
themselves (an EMR Configuration) come to an end.
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
    """The functions of one service description, made by a table from a shape's type to a maker."""

    def __init__(self, makers: Mapping[str, Callable[[Shape, "Compiler[F]"], F]]) -> None:
        self._makers = makers
        self._made: dict[tuple[object, ...], F] = {}

    def __call__(self, shape: Shape) -> F:
        """The function of a shape."""
        # The same shape is written differently where its member carries traits (a name, a format).
        key = (shape.name, *sorted((trait, str(value)) for trait, value in shape.serialization.items()))
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._makers[shape.type_name](shape, self)
        return made


def wire_name(shape: Shape, name: str) -> str:
    """What the member `name` with this shape is called on the wire."""
    return str(shape.serialization.get("name", name))
