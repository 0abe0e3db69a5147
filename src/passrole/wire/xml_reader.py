"""Reads values from XML bodies, safely for hostile input.

A document type, more than DEPTH_MAX levels and too many tags are refused because of their cost, and a
repeated element where one belongs because it is ambiguous.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast
from xml.etree import ElementTree

from botocore.model import ListShape, MapShape, Shape

from passrole.faults import Fault
from passrole.wire import scalars
from passrole.wire.descriptions import members
from passrole.wire.shapes import Compiler, wire_name

DEPTH_MAX = 40
TAGS_MAX = 150_000
"""CompleteMultipartUpload has 10,000 parts of up to seven elements."""
TAG_BYTES_MAX = 65_536
"""The maximum distance from one tag's end to the next: an element with endless attributes would block the
server.
"""
PIECE_BYTES = 65_536

Reader = Callable[[list[ElementTree.Element]], Any]
"""Takes the elements of one name within their parent, at least one."""


def load(body: bytes) -> ElementTree.Element:
    """The root of a document. Raises Fault MalformedXML."""
    if body.count(b">") > TAGS_MAX or any(len(piece) > TAG_BYTES_MAX for piece in body.split(b">")):
        raise malformed()
    # S314: the builder below refuses document types, and so entities.
    parser = ElementTree.XMLParser(target=_Builder(), encoding="utf-8")  # noqa: S314
    try:
        for start in range(0, len(body), PIECE_BYTES):  # other threads can run between pieces
            parser.feed(body[start : start + PIECE_BYTES])
        return parser.close()
    except (ElementTree.ParseError, ValueError, LookupError):
        raise malformed() from None


def malformed() -> Fault:
    """The fault for an invalid body."""
    return Fault(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
        status=400,
    )


@cache
def reader(service: str) -> Compiler[Reader]:
    """The readers of one service's shapes."""
    del service  # only the key of the cache: shapes of two services may share a name
    return Compiler(_READERS)


class _Builder(ElementTree.TreeBuilder):
    """ElementTree's builder with a maximum depth and without document types."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> ElementTree.Element:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise malformed()
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> ElementTree.Element:
        self._depth -= 1
        return super().end(tag)

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        raise malformed()


def _read_structure(shape: Shape, compiler: Compiler[Reader]) -> Reader:
    table: dict[str, tuple[str, Reader]] = {}
    attributes: dict[str, str] = {}

    def read(elements: list[ElementTree.Element]) -> dict[str, Any]:
        if not table and not attributes:
            for name, member in members(shape).items():
                if member.serialization.get("xmlAttribute"):
                    attributes[wire_name(member, name).rpartition(":")[2]] = name
                elif "location" not in member.serialization:
                    table[wire_name(member, name)] = (name, compiler(member))
        element = _only(elements)
        found = {
            attributes[_local(name)]: text
            for name, text in element.attrib.items()
            if _local(name) in attributes
        }
        grouped: dict[str, list[ElementTree.Element]] = {}
        for child in element:
            grouped.setdefault(_local(child.tag), []).append(child)
        for tag, children in grouped.items():
            if tag in table:
                name, reads = table[tag]
                found[name] = reads(children)
        return found

    return read


def _read_list(shape: Shape, compiler: Compiler[Reader]) -> Reader:
    member = cast(ListShape, shape).member
    flattened = bool(shape.serialization.get("flattened"))
    item_element = wire_name(member, "member")

    def read(elements: list[ElementTree.Element]) -> list[Any]:
        reads = compiler(member)
        if flattened:
            return [reads([element]) for element in elements]
        return [reads([child]) for child in _only(elements) if _local(child.tag) == item_element]

    return read


def _read_map(shape: Shape, compiler: Compiler[Reader]) -> Reader:
    map_shape = cast(MapShape, shape)
    key_element, value_element = wire_name(map_shape.key, "key"), wire_name(map_shape.value, "value")

    def read(elements: list[ElementTree.Element]) -> dict[str, Any]:
        reads = compiler(map_shape.value)
        result: dict[str, Any] = {}
        for entry in _only(elements):
            parts = {_local(child.tag): child for child in entry}
            if len(parts) != len(entry) or not {key_element, value_element} <= set(parts):
                raise malformed()
            result[_text([parts[key_element]])] = reads([parts[value_element]])
        return result

    return read


def _scalar(from_text: Callable[[str], Any]) -> Callable[[Shape, Compiler[Reader]], Reader]:
    def maker(_shape: Shape, _compiler: Compiler[Reader]) -> Reader:
        def read(elements: list[ElementTree.Element]) -> Any:
            try:
                return from_text(_text(elements))
            except ValueError:
                raise malformed() from None

        return read

    return maker


def _text(elements: list[ElementTree.Element]) -> str:
    element = _only(elements)
    if len(element):
        raise malformed()
    return element.text or ""


def _only(elements: list[ElementTree.Element]) -> ElementTree.Element:
    if len(elements) != 1:
        raise malformed()
    return elements[0]


def _local(tag: str) -> str:
    """A name without its namespace, which clients may leave out."""
    return tag.rpartition("}")[2]


def _integer(kind: str) -> Callable[[str], int]:
    return lambda text: scalars.read_integer(text, scalars.INTEGER_BOUNDS[kind])


_READERS: Mapping[str, Callable[[Shape, Compiler[Reader]], Reader]] = {
    "blob": _scalar(scalars.read_blob),
    "boolean": _scalar(scalars.read_boolean),
    "double": _scalar(scalars.read_float),
    "float": _scalar(scalars.read_float),
    "integer": _scalar(_integer("integer")),
    "list": _read_list,
    "long": _scalar(_integer("long")),
    "map": _read_map,
    "string": _scalar(str),
    "structure": _read_structure,
    "timestamp": _scalar(scalars.read_timestamp),
}
