"""The query protocol: form parameters in, XML out. IAM, STS, and SQS with older clients.

A form's parameters are first read into a tree by the dots in their names (`Tags.member.1.Key`), which the
readers then walk by the shapes of the operation's input.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

from botocore.model import ListShape, MapShape, OperationModel, Shape

from passrole.faults import Fault
from passrole.wire import scalars, xml_writer
from passrole.wire.descriptions import Protocol, members, service_model
from passrole.wire.errors import WireError
from passrole.wire.forms import form_parameters
from passrole.wire.http_messages import HttpRequest, HttpResponse
from passrole.wire.shapes import Compiler, Parse, Render, wire_name

Tree = dict[str, Any]
"""Parameters as a tree by the parts of their names; leaves are str, and no name is both leaf and branch."""

Reader = Callable[[Any], Any]

PARTS_MAX = 40
"""The maximum number of parts of a parameter's name; each level costs stack."""
DOTS_MAX = 200_000
"""The maximum number of parts of all names together; each costs memory."""


def compile_parse(operation: OperationModel, service: str) -> Parse:
    """The function from a request to the operation's parameters."""
    shape = operation.input_shape
    read = _readers(service, "query")(shape) if shape is not None else None

    known = members(shape)

    def parse(request: HttpRequest, path_arguments: Mapping[str, str]) -> dict[str, Any]:
        given = read(_tree(form_parameters(request))) if read else {}
        for name, value in path_arguments.items():
            if name in known:
                given.setdefault(name, value)
        return given

    return parse


def compile_render(operation: OperationModel, service: str) -> Render:
    """The function from the operation's result to a response."""
    shape = operation.output_shape
    write = xml_writer.writer(service, "query")(shape) if shape is not None else None
    wrapper = str(shape.serialization.get("resultWrapper", shape.name)) if shape is not None else ""
    opening = f'<{operation.name}Response xmlns="{_namespace(service)}">'
    closing = f"</{operation.name}Response>"

    def render(result: Mapping[str, Any], request_id: str) -> HttpResponse:
        out = [opening]
        if write:
            write(wrapper, result, out)
        out.append(f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>{closing}")
        return _response(200, out, request_id)

    return render


def render_error(error: WireError, request_id: str) -> HttpResponse:
    """The response to a failed call."""
    namespace = f' xmlns="{_namespace(error.service)}"' if error.service else ""
    out = [
        f"<ErrorResponse{namespace}><Error><Type>{'Sender' if error.sender else 'Receiver'}</Type>",
        f"<Code>{xml_writer.escaped(error.code)}</Code><Message>{xml_writer.escaped_message(error.message)}</Message>",
    ]
    shapes = members(error.shape)
    for name, value in error.members.items():
        if name in shapes:
            writes = xml_writer.writer(error.service or "", "query")(shapes[name])
            writes(wire_name(shapes[name], name), value, out)
    out.append(f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>")
    return _response(error.status, out, request_id)


def render_ec2_error(error: WireError, request_id: str) -> HttpResponse:
    """The response to a failed call in EC2's format."""
    out = [
        f"<Response><Errors><Error><Code>{xml_writer.escaped(error.code)}</Code>",
        f"<Message>{xml_writer.escaped_message(error.message)}</Message></Error></Errors>",
        f"<RequestID>{request_id}</RequestID></Response>",
    ]
    return _response(error.status, out, request_id)


def _namespace(service: str) -> str:
    return str(service_model(service, "query").metadata["xmlNamespace"])


def _response(status: int, out: list[str], request_id: str) -> HttpResponse:
    body = "".join(out).encode("utf-8")
    headers = [
        ("x-amzn-requestid", request_id),
        ("content-type", "text/xml"),
        ("content-length", str(len(body))),
    ]
    return HttpResponse(status, headers, body)


def _malformed() -> Fault:
    # Coral's query front end returns this code for a value of the wrong type, without a message.
    return Fault("MalformedInput", "", status=400)


def _tree(parameters: Mapping[str, str]) -> Tree:
    if sum(name.count(".") for name in parameters) > DOTS_MAX:
        raise _malformed()
    root: Tree = {}
    for name, text in parameters.items():
        if "." not in name:
            if name in root:
                raise _malformed()
            root[name] = text
            continue
        parts = name.split(".")
        if len(parts) > PARTS_MAX:
            raise _malformed()
        branch = root
        for part in parts[:-1]:
            branch = branch.setdefault(part, {})
            if type(branch) is not dict:
                raise _malformed()
        if parts[-1] in branch:
            raise _malformed()
        branch[parts[-1]] = text
    return root


@cache
def _readers(service: str, protocol: Protocol) -> Compiler[Reader]:
    del service, protocol  # only the key of the cache: shapes of two services may share a name
    return Compiler(_READERS)


def _read_structure(shape: Shape, compiler: Compiler[Reader]) -> Reader:
    table: dict[str, tuple[str, Reader]] = {}

    def read(tree: Any) -> dict[str, Any]:
        if not table:
            for name, member in members(shape).items():
                for key in _keys_of(member, name):
                    table[key] = (name, compiler(member))
        result = {}
        for key, item in _branch(tree).items():
            if key in table:
                name, reads = table[key]
                result[name] = reads(item)
        return result

    return read


def _keys_of(shape: Shape, name: str) -> tuple[str, ...]:
    """The accepted names of a member: a flattened list's own or its member's, since clients differ."""
    own = wire_name(shape, name)
    if isinstance(shape, ListShape) and shape.serialization.get("flattened"):
        return (own, wire_name(shape.member, own))
    return (own,)


def _read_list(shape: Shape, compiler: Compiler[Reader]) -> Reader:
    member = cast(ListShape, shape).member
    inner = None if shape.serialization.get("flattened") else wire_name(member, "member")

    def read(tree: Any) -> list[Any]:
        if tree == "":
            return []  # so do clients write an empty list
        reads = compiler(member)
        return [reads(item) for item in _items(tree, inner)]

    return read


def _read_map(shape: Shape, compiler: Compiler[Reader]) -> Reader:
    map_shape = cast(MapShape, shape)
    inner = None if shape.serialization.get("flattened") else "entry"
    key_name, value_name = wire_name(map_shape.key, "key"), wire_name(map_shape.value, "value")

    def read(tree: Any) -> dict[str, Any]:
        reads = compiler(map_shape.value)
        result: dict[str, Any] = {}
        for item in _items(tree, inner):
            entry = _branch(item)
            key = entry.get(key_name)
            if type(key) is not str or key in result:
                raise _malformed()
            if value_name in entry:
                result[key] = reads(entry[value_name])
        return result

    return read


def _items(tree: Any, inner: str | None) -> list[Any]:
    """The list items in the order of their numbers; `inner` is the name before the number."""
    branch = _branch(tree)
    if inner is not None and inner in branch:
        branch = _branch(branch[inner])
    try:
        return [branch[key] for key in sorted(branch, key=_index)]
    except ValueError:
        raise _malformed() from None


def _index(key: str) -> int:
    return scalars.read_integer(key, scalars.INTEGER_BOUNDS["integer"])


def _branch(tree: Any) -> Tree:
    if type(tree) is not dict:
        raise _malformed()
    return tree


def _scalar(from_text: Callable[[str], Any]) -> Callable[[Shape, Compiler[Reader]], Reader]:
    def maker(_shape: Shape, _compiler: Compiler[Reader]) -> Reader:
        def read(text: Any) -> Any:
            if type(text) is not str:
                raise _malformed()
            try:
                return from_text(text)
            except ValueError:
                raise _malformed() from None

        return read

    return maker


def _integer(kind: str) -> Callable[[str], int]:
    return lambda text: scalars.read_integer(text, scalars.INTEGER_BOUNDS[kind])


_READERS = {
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
