"""The rest-json protocol (Lambda, SageMaker's runtime): parameters in path, query, headers, JSON or raw body.

The description's `location` says where each member is.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

import orjson
from botocore.model import ListShape, OperationModel, Shape

from passrole.wire import json_values, scalars
from passrole.wire.descriptions import members
from passrole.wire.errors import WireError
from passrole.wire.forms import query_parameters
from passrole.wire.http_messages import HttpRequest, HttpResponse
from passrole.wire.shapes import Parse, Render, wire_name

JSON = "application/json"
BODILESS = (204, 304)


class _Sources(NamedTuple):
    """The sources of parameters besides the body."""

    headers: Mapping[str, str]
    query: Mapping[str, list[str]]
    path: Mapping[str, str]


def compile_parse(operation: OperationModel, service: str) -> Parse:
    """The function from a request to the operation's parameters."""
    shape = operation.input_shape
    places = [
        (name, _reader_of_place(name, member))
        for name, member in members(shape).items()
        if "location" in member.serialization
    ]
    read_body = _body_reader(shape, service)

    def parse(request: HttpRequest, path_arguments: Mapping[str, str]) -> dict[str, Any]:
        parameters = read_body(request.body)
        sources = _Sources(request.headers, query_parameters(request.query), path_arguments)
        for name, read in places:
            value = read(sources)
            if value is not None:
                parameters[name] = value
        return parameters

    return parse


def compile_render(operation: OperationModel, service: str) -> Render:
    """The function from the operation's result to a response."""
    shape = operation.output_shape
    usual_status = int(operation.http.get("responseCode", 200))
    in_headers = {name: member for name, member in members(shape).items() if _is_header(member)}
    status_member = next(
        (n for n, member in members(shape).items() if member.serialization.get("location") == "statusCode"),
        "",
    )
    write_body = _body_writer(shape, service)

    def render(result: Mapping[str, Any], request_id: str) -> HttpResponse:
        status = result.get(status_member, usual_status)
        headers = [("x-amzn-requestid", request_id)]
        for name, member in in_headers.items():
            if result.get(name) is not None:
                headers.append((wire_name(member, name).lower(), _header_text(member, result[name])))
        return _response(status, headers, write_body(result))

    return render


def render_error(error: WireError, request_id: str) -> HttpResponse:
    """The response to a failed call; clients take the code from x-amzn-errortype."""
    content = json_values.error_content(error)
    headers = [("x-amzn-requestid", request_id), ("x-amzn-errortype", error.type_name)]
    shapes = members(error.shape)
    if "Type" in shapes or error.message_key == "Message":
        content.setdefault("Type", "User" if error.sender else "Service")
    for name, value in error.members.items():
        if name in shapes and shapes[name].serialization.get("location") == "header":
            headers.append((wire_name(shapes[name], name).lower(), _header_text(shapes[name], value)))
    return _response(error.status, headers, orjson.dumps(content))


def _reader_of_place(name: str, shape: Shape) -> Callable[[_Sources], Any]:
    """The function that reads one member outside of the body; it returns None if the member is absent."""
    key, location = wire_name(shape, name), shape.serialization["location"]
    if location == "querystring":
        return _query_reader(key, shape)
    from_text = _TEXT_READERS[shape.type_name]
    lowered = key.lower()

    def read(sources: _Sources) -> Any:
        text = sources.path.get(key) if location == "uri" else sources.headers.get(lowered)
        return None if text is None else _converted(text, from_text)

    return read


def _query_reader(key: str, shape: Shape) -> Callable[[_Sources], Any]:
    many = shape.type_name == "list"
    from_text = _TEXT_READERS[cast(ListShape, shape).member.type_name if many else shape.type_name]

    def read(sources: _Sources) -> Any:
        given = sources.query.get(key)
        if given is None:
            return None
        if many:
            return [_converted(text, from_text) for text in given]
        if len(given) > 1:
            raise json_values.unreadable(f"The query parameter {key} is given more than once.")
        return _converted(given[0], from_text)

    return read


def _converted(text: str, from_text: Callable[[str], Any]) -> Any:
    try:
        return from_text(text)
    except ValueError:
        raise json_values.unreadable("STRING_VALUE can not be converted to the parameter's type") from None


def _body_reader(shape: Shape | None, service: str) -> Callable[[bytes], dict[str, Any]]:
    """The function that reads the body: a payload, or an object of the members without a location."""
    if shape is None:
        return lambda _body: {}
    payload = shape.serialization.get("payload")
    if payload is None:
        placed = [name for name, member in members(shape).items() if "location" in member.serialization]
        if len(placed) == len(members(shape)):
            return lambda _body: {}
        read = json_values.reader(service)(shape)

        def read_object(body: bytes) -> dict[str, Any]:
            parameters: dict[str, Any] = read(json_values.load(body))
            for name in placed:  # a member with a location is not read from the body
                parameters.pop(name, None)
            return parameters

        return read_object
    member = members(shape)[payload]
    if member.type_name == "blob":
        return lambda body: {payload: body} if body else {}
    read_payload = json_values.reader(service)(member)
    return lambda body: {payload: read_payload(json_values.load(body))} if body else {}


def _body_writer(shape: Shape | None, service: str) -> Callable[[Mapping[str, Any]], tuple[bytes, str]]:
    """The function that writes the body and its content type, both empty if there is none."""
    if shape is None:
        return lambda _result: (b"", "")
    payload = shape.serialization.get("payload")
    if payload is None:
        write = json_values.writer(service)(shape)
        unplaced = {name for name, member in members(shape).items() if "location" not in member.serialization}
        placed = set(members(shape)) - unplaced
        return lambda result: (
            orjson.dumps(write({name: item for name, item in result.items() if name not in placed})),
            JSON,
        )
    member = members(shape)[payload]
    if member.type_name == "blob":
        content_type = "" if _tells_content_type(shape) else JSON
        return lambda result: (result.get(payload) or b"", content_type)
    write_payload = json_values.writer(service)(member)
    return lambda result: (orjson.dumps(write_payload(result.get(payload) or {})), JSON)


def _tells_content_type(shape: Shape) -> bool:
    """Whether the result itself says of what type its payload is."""
    placed = [wire_name(member, name) for name, member in members(shape).items() if _is_header(member)]
    return "content-type" in map(str.lower, placed)


def _is_header(member: Shape) -> bool:
    return bool(member.serialization.get("location") == "header")


def _header_text(shape: Shape, value: Any) -> str:
    """A value as a header."""
    return scalars.write_header(_TEXT_WRITERS.get(shape.type_name, str)(value))


def _response(status: int, headers: list[tuple[str, str]], body: tuple[bytes, str] | bytes) -> HttpResponse:
    content, content_type = body if isinstance(body, tuple) else (body, JSON)
    if status in BODILESS:
        return HttpResponse(status, headers, b"")
    if content_type:
        headers.append(("content-type", content_type))
    headers.append(("content-length", str(len(content))))
    return HttpResponse(status, headers, content)


def _read_integer(text: str) -> int:
    return scalars.read_integer(text, scalars.INTEGER_BOUNDS["integer"])


def _read_long(text: str) -> int:
    return scalars.read_integer(text, scalars.INTEGER_BOUNDS["long"])


def _write_boolean(value: bool) -> str:
    return "true" if value else "false"


_TEXT_READERS: Mapping[str, Callable[[str], Any]] = {
    "boolean": scalars.read_boolean,
    "double": scalars.read_float,
    "float": scalars.read_float,
    "integer": _read_integer,
    "long": _read_long,
    "string": str,
    "timestamp": scalars.read_timestamp,
}
_TEXT_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "boolean": _write_boolean,
    "timestamp": scalars.write_http_date,
}
