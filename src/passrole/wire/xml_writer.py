"""Writes values in XML bodies, for the query and rest-xml protocols.

It knows no wrapper. A writer takes the element's name and the value, and appends text.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

from botocore.model import ListShape, MapShape, Shape

from passrole.wire import scalars
from passrole.wire.descriptions import Protocol, members
from passrole.wire.shapes import Compiler, wire_name

Writer = Callable[[str, Any, list[str]], None]

# Not allowed in XML 1.0, even escaped; a carriage return must be escaped, else parsers drop it.
_CONTROLS = {code: "\ufffd" for code in range(0x20) if code not in (0x9, 0xA, 0xD)}
_ESCAPES = str.maketrans(
    {
        **{chr(code): text for code, text in _CONTROLS.items()},
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "\r": "&#xD;",
        **dict.fromkeys(("\ufffe", "\uffff"), "\ufffd"),
    }
)


_ESCAPES_OF_MESSAGES = {code: text for code, text in _ESCAPES.items() if code != ord('"')}


def escaped(text: str) -> str:
    """Text escaped for an element or an attribute."""
    return text.translate(_ESCAPES)


def escaped_message(text: str) -> str:
    """The same for an error's message, whose quotation marks stay: version 1 of AWS's SDK for Java, which
    Hadoop uses, drops what is before the last escaped character.
    """
    return text.translate(_ESCAPES_OF_MESSAGES)


@cache
def writer(service: str, protocol: Protocol) -> Compiler[Writer]:
    """The writers of one service's shapes."""
    del service, protocol  # only the key of the cache: shapes of two services may share a name
    return Compiler(_WRITERS)


def _write_structure(shape: Shape, compiler: Compiler[Writer]) -> Writer:
    table: dict[str, tuple[str, Writer]] = {}
    attributes = [name for name, member in members(shape).items() if "xmlAttribute" in member.serialization]
    namespace = _namespace(shape) if attributes else ""

    def write(element: str, value: Mapping[str, Any], out: list[str]) -> None:
        if not table:
            for name, member in members(shape).items():
                table[name] = (_element_of(member, name), compiler(member))
        written = [f' {table[name][0]}="{escaped(value[name])}"' for name in attributes if value.get(name)]
        out.append(f"<{element}{namespace}{''.join(written)}>")
        for name, item in value.items():
            if item is not None and name not in attributes:
                key, writes = table[name]  # KeyError: the handler returned an unknown member
                writes(key, item, out)
        out.append(f"</{element}>")

    return write


def _namespace(shape: Shape) -> str:
    """The declaration of the namespace prefix of a structure's attributes (`xsi:type`)."""
    traits = shape.serialization["xmlNamespace"]
    return f' xmlns:{traits["prefix"]}="{traits["uri"]}"'


def _element_of(shape: Shape, name: str) -> str:
    """A flattened list is named by its member's name, or else its own, as botocore's parsers expect."""
    if isinstance(shape, ListShape) and shape.serialization.get("flattened"):
        return wire_name(shape.member, wire_name(shape, name))
    return wire_name(shape, name)


def _write_list(shape: Shape, compiler: Compiler[Writer]) -> Writer:
    member = cast(ListShape, shape).member
    flattened = bool(shape.serialization.get("flattened"))
    item_element = wire_name(member, "member")

    def write(element: str, value: list[Any], out: list[str]) -> None:
        writes = compiler(member)
        if flattened:
            for item in value:
                writes(element, item, out)
            return
        out.append(f"<{element}>")
        for item in value:
            writes(item_element, item, out)
        out.append(f"</{element}>")

    return write


def _write_map(shape: Shape, compiler: Compiler[Writer]) -> Writer:
    map_shape = cast(MapShape, shape)
    flattened = bool(shape.serialization.get("flattened"))
    key_element, value_element = wire_name(map_shape.key, "key"), wire_name(map_shape.value, "value")

    def write(element: str, value: Mapping[str, Any], out: list[str]) -> None:
        writes = compiler(map_shape.value)
        entry = element if flattened else "entry"
        if not flattened:
            out.append(f"<{element}>")
        for key, item in value.items():
            out.append(f"<{entry}><{key_element}>{escaped(key)}</{key_element}>")
            writes(value_element, item, out)
            out.append(f"</{entry}>")
        if not flattened:
            out.append(f"</{element}>")

    return write


def _scalar(to_text: Callable[[Any], str]) -> Callable[[Shape, Compiler[Writer]], Writer]:
    def maker(_shape: Shape, _compiler: Compiler[Writer]) -> Writer:
        def write(element: str, value: Any, out: list[str]) -> None:
            out.append(f"<{element}>{to_text(value)}</{element}>")

        return write

    return maker


def _boolean_text(value: bool) -> str:
    return "true" if value else "false"


_WRITERS = {
    "blob": _scalar(scalars.write_blob),
    "boolean": _scalar(_boolean_text),
    "double": _scalar(repr),
    "float": _scalar(repr),
    "integer": _scalar(str),
    "list": _write_list,
    "long": _scalar(str),
    "map": _write_map,
    "string": _scalar(escaped),
    "structure": _write_structure,
    "timestamp": _scalar(scalars.write_iso8601),
}
