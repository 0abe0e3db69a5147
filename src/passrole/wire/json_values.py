"""Reads and writes values in JSON bodies, for the JSON protocols and rest-json.

It knows no header, path or status. A wrong type is a SerializationException with the message of Coral, AWS's
service framework; unknown members are ignored, as on AWS, and null means absent.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

import orjson
from botocore.model import ListShape, MapShape, Shape

from passrole import exact_json
from passrole.faults import Fault
from passrole.wire import large_json, scalars
from passrole.wire.descriptions import members
from passrole.wire.errors import WireError
from passrole.wire.shapes import Compiler, wire_name

Reader = Callable[[Any], Any]
Writer = Callable[[Any], Any]

DEPTH_MAX = 64
"""The maximum nesting depth of a body: no AWS shape in use comes near, and Python's stack allows about 500.
"""

VALUES_MAX = 100_000
"""The maximum number of values in a body: AWS accepts at most the 10,000 events of PutLogEvents, and a parsed
value takes a hundred times the memory of its bytes.
"""


def load(body: bytes) -> dict[str, Any]:
    """The object in a body; an empty body is an empty object. Raises Fault SerializationException."""
    if not body:
        return {}
    if has_more_values(body, VALUES_MAX):
        raise unreadable("The request body holds too many values.")
    try:
        value = large_json.loads(body)
    except orjson.JSONDecodeError:
        raise unreadable("Unable to parse the request body as JSON.") from None
    except large_json.TooLarge:
        raise unreadable("The request body is too large.") from None
    if type(value) is not dict:
        raise unreadable("The request body must be a JSON object.")
    if body.count(b"{") + body.count(b"[") > DEPTH_MAX and exact_json.depth(value) > DEPTH_MAX:
        raise unreadable("The request body is nested too deeply.")
    return value


def has_more_values(body: bytes, most: int) -> bool:
    """Whether a JSON text has more than `most` values, without parsing it."""
    if len(body) <= most or _marks(body, 0, len(body)) <= most:
        return False
    found = offset = 0
    while offset < len(body):  # skip strings, which may contain the same characters
        opened = body.find(b'"', offset)
        end = opened if opened >= 0 else len(body)
        found += _marks(body, offset, end)
        if found > most:
            return True
        offset = large_json.after_text(body, end + 1)
    return False


def unreadable(message: str) -> Fault:
    """The fault for a body that is not valid input of the operation."""
    return Fault("SerializationException", message, status=400)


def error_content(error: WireError) -> dict[str, Any]:
    """An error's message member as the description spells it, and the further members of the body."""
    shapes = members(error.shape)
    content = {error.message_key: error.message}
    for name, value in error.members.items():
        if name in shapes and "location" not in shapes[name].serialization:
            content[wire_name(shapes[name], name)] = writer(error.service or "")(shapes[name])(value)
    return content


@cache
def reader(service: str) -> Compiler[Reader]:
    """The readers of one service's shapes."""
    del service  # only the key of the cache: shapes of two services may share a name
    return Compiler(_READERS)


@cache
def writer(service: str) -> Compiler[Writer]:
    """The writers of one service's shapes."""
    del service
    return Compiler(_WRITERS)


def _marks(body: bytes, start: int, end: int) -> int:
    """The number of values in a range of the body, from its commas and opening brackets."""
    return sum(body.count(mark, start, end) for mark in (b",", b"[", b"{"))


def _mistyped(value: object, wanted: str) -> Fault:
    """The fault, in Coral's words, for a value of the wrong JSON type."""
    if isinstance(value, dict):
        return unreadable("Start of structure or map found where not expected.")
    if isinstance(value, list):
        return unreadable("Start of list found where not expected.")
    if isinstance(value, bool):
        kind = "TRUE_VALUE" if value else "FALSE_VALUE"
    else:
        kind = "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"
    return unreadable(f"{kind} can not be converted to {wanted}")


def _read_structure(shape: Shape, compiler: Compiler[Reader]) -> Reader:
    if getattr(shape, "is_document_type", False):
        return _as_it_is
    table: dict[str, tuple[str, Reader]] = {}

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise _mistyped(value, "a Structure")
        if not table:
            for name, member in members(shape).items():
                table[wire_name(member, name)] = (name, compiler(member))
        result = {}
        for key, item in value.items():
            if item is not None and key in table:
                name, reads = table[key]
                result[name] = reads(item)
        return result

    return read


def _read_list(shape: Shape, compiler: Compiler[Reader]) -> Reader:
    member = cast(ListShape, shape).member
    read_item: list[Reader] = []

    def read(value: Any) -> list[Any]:
        if type(value) is not list:
            raise _mistyped(value, "a List")
        if not read_item:
            read_item.append(compiler(member))
        read_one = read_item[0]
        return [None if item is None else read_one(item) for item in value]

    return read


def _read_map(shape: Shape, compiler: Compiler[Reader]) -> Reader:
    member = cast(MapShape, shape).value
    read_item: list[Reader] = []

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise _mistyped(value, "a Map")
        if not read_item:
            read_item.append(compiler(member))
        read_one = read_item[0]
        return {key: read_one(item) for key, item in value.items() if item is not None}

    return read


def _read_string(_shape: Shape, _compiler: Compiler[Reader]) -> Reader:
    def read(value: Any) -> str:
        if type(value) is not str:
            raise _mistyped(value, "a String")
        return value

    return read


def _read_integer(shape: Shape, _compiler: Compiler[Reader]) -> Reader:
    bound = scalars.INTEGER_BOUNDS[shape.type_name]
    wanted = "an Integer" if shape.type_name == "integer" else "a Long"

    def read(value: Any) -> int:
        if type(value) is not int or not -bound <= value < bound:
            raise _mistyped(value, wanted)
        return value

    return read


def _read_float(_shape: Shape, _compiler: Compiler[Reader]) -> Reader:
    def read(value: Any) -> float:
        if type(value) is not float and type(value) is not int:
            raise _mistyped(value, "a Double")
        return float(value)

    return read


def _read_boolean(_shape: Shape, _compiler: Compiler[Reader]) -> Reader:
    def read(value: Any) -> bool:
        if type(value) is not bool:
            raise _mistyped(value, "a Boolean")
        return value

    return read


def _read_blob(_shape: Shape, _compiler: Compiler[Reader]) -> Reader:
    def read(value: Any) -> bytes:
        if type(value) is not str:
            raise _mistyped(value, "a Blob")
        try:
            return scalars.read_blob(value)
        except ValueError:
            raise unreadable("STRING_VALUE can not be converted to a Blob") from None

    return read


def _read_timestamp(_shape: Shape, _compiler: Compiler[Reader]) -> Reader:
    def read(value: Any) -> float:
        if type(value) is not float and type(value) is not int:
            raise _mistyped(value, "a Timestamp")
        try:
            return scalars.check_epoch_seconds(value)
        except ValueError:
            raise _mistyped(value, "a Timestamp") from None

    return read


def _write_structure(shape: Shape, compiler: Compiler[Writer]) -> Writer:
    if getattr(shape, "is_document_type", False):
        return _as_it_is
    table: dict[str, tuple[str, Writer]] = {}

    def write(value: Mapping[str, Any]) -> dict[str, Any]:
        if not table:
            for name, member in members(shape).items():
                table[name] = (wire_name(member, name), compiler(member))
        content = {}
        for name, item in value.items():
            if item is not None:
                key, writes = table[name]  # KeyError: the handler returned an unknown member
                content[key] = writes(item)
        return content

    return write


def _write_list(shape: Shape, compiler: Compiler[Writer]) -> Writer:
    member = cast(ListShape, shape).member
    return lambda value: [compiler(member)(item) for item in value]


def _write_map(shape: Shape, compiler: Compiler[Writer]) -> Writer:
    member = cast(MapShape, shape).value
    return lambda value: {key: compiler(member)(item) for key, item in value.items()}


def _write_blob(_shape: Shape, _compiler: Compiler[Writer]) -> Writer:
    return scalars.write_blob


def _write_as_it_is(_shape: Shape, _compiler: Compiler[Writer]) -> Writer:
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


_READERS = {
    "blob": _read_blob,
    "boolean": _read_boolean,
    "double": _read_float,
    "float": _read_float,
    "integer": _read_integer,
    "list": _read_list,
    "long": _read_integer,
    "map": _read_map,
    "string": _read_string,
    "structure": _read_structure,
    "timestamp": _read_timestamp,
}
# Timestamps in JSON bodies are seconds since the epoch, as in results.
_WRITERS = {
    **dict.fromkeys(_READERS, _write_as_it_is),
    "blob": _write_blob,
    "list": _write_list,
    "map": _write_map,
    "structure": _write_structure,
}
