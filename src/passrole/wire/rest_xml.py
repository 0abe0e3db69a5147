"""The rest-xml protocol (S3): parameters in path, query string, headers, XML body or raw payload.

It adds to S3's description what that lacks: the names of the root elements, which clients other than botocore
read, and that the result of GetBucketLocation is the text of its root.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from botocore.model import ListShape, OperationModel, Shape

from passrole.faults import Fault
from passrole.wire import encoded_words, scalars, xml_reader, xml_writer
from passrole.wire.descriptions import members
from passrole.wire.errors import WireError
from passrole.wire.forms import query_parameters
from passrole.wire.http_messages import HttpRequest, HttpResponse
from passrole.wire.shapes import Parse, Render, wire_name

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
XML = "application/xml"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
BODILESS = (204, 304)
ROOTS: Mapping[str, str] = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CreateSession": "CreateSessionResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}
UNWRAPPED: Mapping[str, str] = {"GetBucketLocation": "LocationConstraint"}


class _Sources(NamedTuple):
    """The sources of parameters besides the body."""

    headers: Mapping[str, str]
    query: Mapping[str, list[str]]
    path: Mapping[str, str]


def compile_parse(operation: OperationModel, service: str) -> Parse:
    """The function from a request to the operation's parameters."""
    shape = operation.input_shape
    places = [
        (name, _PLACES[member.serialization["location"]](wire_name(member, name), member))
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
    usual_status = int(operation.http.get("responseCode", 200))
    is_head = operation.http["method"] == "HEAD"
    placed = {
        name: member
        for name, member in members(operation.output_shape).items()
        if member.serialization.get("location") in ("header", "headers")
    }
    write_body = _body_writer(operation, service)

    def render(result: Mapping[str, Any], request_id: str) -> HttpResponse:
        headers: list[tuple[str, str]] = []
        for name, member in placed.items():
            if result.get(name) is not None:
                headers.extend(_headers_of(wire_name(member, name).lower(), member, result[name]))
        body = write_body({name: item for name, item in result.items() if name not in placed})
        # The response to a range request has another status than the description's.
        status = 206 if usual_status == 200 and result.get("ContentRange") else usual_status
        return _response(status, headers, body, request_id, is_head=is_head)

    return render


def render_error(error: WireError, request_id: str) -> HttpResponse:
    """The response to a failed call; further members such as `Key` are beside the code."""
    out = [DECLARATION, f"<Error><Code>{xml_writer.escaped(error.code)}</Code>"]
    out.append(f"<Message>{xml_writer.escaped_message(error.message)}</Message>")
    out.extend(f"<{name}>{xml_writer.escaped(str(value))}</{name}>" for name, value in error.members.items())
    out.append(f"<RequestId>{request_id}</RequestId><HostId>{request_id}</HostId></Error>")
    body = ("".join(out).encode("utf-8"), XML)
    return _response(error.status, list(error.headers.items()), body, request_id)


def without_body(response: HttpResponse) -> HttpResponse:
    """The response to a failed HEAD: clients take the status for the code."""
    remaining = [header for header in response.headers if header[0] not in ("content-type", "content-length")]
    return HttpResponse(response.status, [*remaining, ("content-length", "0")], b"")


def _read_uri(key: str, _shape: Shape) -> Callable[[_Sources], Any]:
    return lambda sources: sources.path.get(key)


def _read_header(key: str, shape: Shape) -> Callable[[_Sources], Any]:
    lowered = key.lower()
    if isinstance(shape, ListShape):
        return lambda sources: (
            None
            if lowered not in sources.headers
            else [part.strip() for part in sources.headers[lowered].split(",") if part.strip()]
        )
    from_text = _TEXT_READERS[shape.type_name]

    def read(sources: _Sources) -> Any:
        text = sources.headers.get(lowered)
        return None if text is None else _converted(text, key, from_text)

    return read


def _read_prefixed(prefix: str, _shape: Shape) -> Callable[[_Sources], Any]:
    lowered = prefix.lower()

    def read(sources: _Sources) -> Any:
        found = {
            name[len(lowered) :]: encoded_words.decoded(text)
            for name, text in sources.headers.items()
            if name.startswith(lowered) and name != lowered
        }
        return found or None

    return read


def _read_query(key: str, shape: Shape) -> Callable[[_Sources], Any]:
    from_text = _TEXT_READERS[shape.type_name]

    def read(sources: _Sources) -> Any:
        given = sources.query.get(key)
        if given is None:
            return None
        if len(given) > 1:
            raise Fault("InvalidArgument", f"The parameter {key} is given more than once.", status=400)
        return _converted(given[0], key, from_text)

    return read


_PLACES: Mapping[str, Callable[[str, Shape], Callable[[_Sources], Any]]] = {
    "header": _read_header,
    "headers": _read_prefixed,
    "querystring": _read_query,
    "uri": _read_uri,
}


def _converted(text: str, key: str, from_text: Callable[[str], Any]) -> Any:
    try:
        return from_text(text)
    except ValueError:
        members_ = {"ArgumentName": key, "ArgumentValue": text}
        is_number = from_text in _INTEGERS
        message = (
            f"Provided {key} not an integer or within integer range"
            if is_number
            else f"Provided value for {key} cannot be read."
        )
        raise Fault("InvalidArgument", message, status=400, members=members_) from None


def _body_reader(shape: Shape | None, service: str) -> Callable[[bytes], dict[str, Any]]:
    """The function that reads the body: a payload, or the members without a location under a root."""
    payload = shape.serialization.get("payload") if shape is not None else None
    if shape is None:
        return lambda _body: {}
    if payload is None:
        if all("location" in member.serialization for member in members(shape).values()):
            return lambda _body: {}
        read_members = xml_reader.reader(service)(shape)
        return lambda body: read_members([xml_reader.load(body)]) if body else {}
    member = members(shape)[payload]
    if member.type_name == "blob":
        return lambda body: {payload: body} if body else {}
    if member.type_name == "string":
        return lambda body: {payload: _utf8(body)} if body else {}
    read = xml_reader.reader(service)(member)
    return lambda body: {payload: read([xml_reader.load(body)])} if body else {}


def _utf8(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Fault("InvalidArgument", "The body is not UTF-8.", status=400) from None


def _body_writer(operation: OperationModel, service: str) -> Callable[[Mapping[str, Any]], tuple[bytes, str]]:
    """The function that writes the body and its content type, both empty if there is none."""
    shape = operation.output_shape
    payload = shape.serialization.get("payload") if shape is not None else None
    if shape is None or all("location" in member.serialization for member in members(shape).values()):
        return lambda _result: (b"", "")
    if payload is not None:
        member = members(shape)[payload]
        if member.type_name == "blob":
            return lambda result: (result.get(payload) or b"", "binary/octet-stream")
        if member.type_name == "string":
            return lambda result: ((result.get(payload) or "").encode("utf-8"), "application/json")
        root = str(member.serialization.get("name", member.name))
        write_payload = xml_writer.writer(service, "rest-xml")(member)
        return lambda result: _document(write_payload, root, result.get(payload) or {})
    root = ROOTS.get(operation.name, shape.name)
    if operation.name in UNWRAPPED:
        only = UNWRAPPED[operation.name]
        write_text = xml_writer.writer(service, "rest-xml")(members(shape)[only])
        return lambda result: _document(write_text, root, result.get(only) or "")
    return lambda result: _document(xml_writer.writer(service, "rest-xml")(shape), root, result)


def _document(write: xml_writer.Writer, root: str, value: Any) -> tuple[bytes, str]:
    out: list[str] = []
    write(root, value, out)
    text = "".join(out).replace(f"<{root}", f'<{root} xmlns="{NAMESPACE}"', 1)
    return (DECLARATION + text).encode("utf-8"), XML


def _headers_of(name: str, shape: Shape, value: Any) -> list[tuple[str, str]]:
    if shape.serialization["location"] == "headers":
        lines = {key.lower(): scalars.write_header(text) for key, text in value.items()}
        return [(name + key, encoded_words.encoded(line)) for key, line in lines.items()]
    if isinstance(shape, ListShape):
        return [(name, _one_line(",".join(value)))]
    if shape.type_name == "timestamp" and shape.serialization.get("timestampFormat") == "iso8601":
        return [(name, scalars.write_iso8601(value))]
    return [(name, _one_line(_TEXT_WRITERS.get(shape.type_name, str)(value)))]


def _one_line(text: str) -> str:
    """Text as a valid header value; as UTF-8 if it is not latin-1."""
    line = scalars.write_header(text)
    return line if all(ord(letter) < 256 for letter in line) else line.encode("utf-8").decode("latin-1")


def _response(
    status: int,
    headers: list[tuple[str, str]],
    body: tuple[bytes, str],
    request_id: str,
    *,
    is_head: bool = False,
) -> HttpResponse:
    content, content_type = body
    sent = [("x-amz-request-id", request_id), ("x-amz-id-2", request_id)]
    if is_head:
        # The length of the body that a GET would have.
        length = next((text for name, text in headers if name == "content-length"), "0")
        content = b""
    else:
        length = str(len(content))
    sent += [header for header in headers if header[0] != "content-length"]
    if status in BODILESS:
        return HttpResponse(status, sent, b"")
    if content and all(name != "content-type" for name, _ in headers):
        sent.append(("content-type", content_type))
    return HttpResponse(status, [*sent, ("content-length", length)], content)


def _write_boolean(value: bool) -> str:
    return "true" if value else "false"


def _integer(kind: str) -> Callable[[str], int]:
    return lambda text: scalars.read_integer(text, scalars.INTEGER_BOUNDS[kind])


_INTEGERS = (_integer("integer"), _integer("long"))
_TEXT_READERS: Mapping[str, Callable[[str], Any]] = {
    "boolean": scalars.read_boolean,
    "integer": _INTEGERS[0],
    "long": _INTEGERS[1],
    "string": str,
    "timestamp": scalars.read_timestamp,
}
_TEXT_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "boolean": _write_boolean,
    "timestamp": scalars.write_http_date,
}
