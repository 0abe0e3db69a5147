"""botocore as the judge: it writes the requests that we read, and reads the responses that we write."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSRequest, HeadersDict, prepare_request_dict
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import strategies as st

from passrole.wire import HttpRequest, HttpResponse
from passrole.wire.descriptions import Protocol, operation_model, operations
from passrole.wire.s3_routing import UNREACHABLE

ENDPOINT = "http://127.0.0.1:4566"

# What may stand in every protocol's text; headers and paths are narrower.
_TEXT = st.text(st.characters(min_codepoint=0x20, codec="utf-8", exclude_characters="\x7f\ufffe\uffff"))
_ASCII = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
_SCALARS: Mapping[str, st.SearchStrategy[Any]] = {
    "blob": st.binary(),
    "boolean": st.booleans(),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "string": _TEXT,
    "timestamp": st.integers(0, 4_000_000_000).map(float),
}
_SAMPLES: Mapping[str, Any] = {
    "blob": b"\x00\xff",
    "boolean": True,
    "double": 1.5,
    "float": 2.0,
    "integer": 7,
    "long": 2**40,
    "string": "a b/ü&<",
    "timestamp": 1_700_000_000.0,
}


class Client:
    """A client that calls nothing: botocore's serialisers and parsers over our descriptions."""

    def request(
        self, service: str, operation: str, parameters: Mapping[str, Any], protocol: Protocol
    ) -> AWSRequest:
        described = operation_model(service, protocol, operation)
        serializer = create_serializer(described.service_model.metadata["protocol"], False)
        given = to_botocore(described.input_shape, dict(parameters))
        request = serializer.serialize_to_request(given, described)
        prepare_request_dict(request, ENDPOINT)
        return AWSRequest(
            method=request["method"], url=request["url"], headers=request["headers"], data=request["body"]
        )

    def sent(
        self, service: str, operation: str, parameters: Mapping[str, Any], protocol: Protocol
    ) -> HttpRequest:
        """The request as it arrives at us, unsigned."""
        return arrived(self.request(service, operation, parameters, protocol))

    def operations(self, service: str, protocol: Protocol) -> list[OperationModel]:
        """The operations of a service, without those that send events one by one: no codec here does."""
        names = operations(service) - (UNREACHABLE if service == "s3" else set())
        described = [operation_model(service, protocol, name) for name in sorted(names)]
        return [
            each for each in described if not (each.has_event_stream_input or each.has_event_stream_output)
        ]

    def arrived(self, request: AWSRequest) -> HttpRequest:
        """The request as it arrives at us."""
        return arrived(request)

    def sample(self, shape: Shape | None) -> Any:
        """One value of a shape with every member, as deep as the shape goes without meeting itself."""
        return sample_of(shape)

    def values(self, shape: Shape | None, *, dense: bool) -> st.SearchStrategy[Any]:
        """Random values of a shape; `dense` ones hold no empty container: forms and XML cannot write them."""
        return values_of(shape, dense=dense)

    def read(
        self, service: str, operation: str, response: HttpResponse, protocol: Protocol
    ) -> dict[str, Any]:
        """What the client's code sees of the response."""
        described = operation_model(service, protocol, operation)
        parser = create_parser(described.service_model.metadata["protocol"])
        content = {
            "status_code": response.status,
            "headers": HeadersDict(response.headers),
            # boto3 hands a payload of bytes on as a stream.
            "body": BytesIO(response.body)
            if described.has_streaming_output and response.status < 300
            else response.body,
        }
        shape = described.output_shape
        parsed: dict[str, Any] = parser.parse(content, shape)  # type: ignore[arg-type]
        metadata = parsed.pop("ResponseMetadata")
        parsed = {name: item.read() if isinstance(item, BytesIO) else item for name, item in parsed.items()}
        result: dict[str, Any] = parsed if response.status >= 300 else from_botocore(shape, parsed)
        return {**result, "ResponseMetadata": metadata} if response.status >= 300 else result


def arrived(request: AWSRequest) -> HttpRequest:
    """A prepared request of botocore's as the gateway hands it on."""
    prepared = request.prepare()
    url = urlsplit(prepared.url)
    body = prepared.body or b""
    assert isinstance(body, str | bytes)
    headers = {name.lower(): _text(value) for name, value in prepared.headers.items()}
    return HttpRequest(
        prepared.method,
        url.path or "/",
        url.query,
        {"host": url.netloc, **headers},
        body.encode() if isinstance(body, str) else body,
    )


def values_of(shape: Shape | None, *, dense: bool, depth: int = 3) -> st.SearchStrategy[Any]:
    if shape is None:
        return st.just({})
    if isinstance(shape, StructureShape):
        return _structures_of(shape, dense=dense, depth=depth)
    inner_depth, least = depth - 1, int(dense)
    location = shape.serialization.get("location")
    if location == "header" and isinstance(shape, ListShape):
        return st.lists(st.sampled_from(shape.member.metadata["enum"]), min_size=1, max_size=2)
    if location == "querystring" and isinstance(shape, ListShape):  # which cannot say an empty one
        least = 1
    if location == "headers":  # a map whose keys are parts of header names, which know no letter case
        return st.dictionaries(st.text("ab-9", min_size=1), _ASCII, min_size=1, max_size=2)
    if isinstance(shape, ListShape):
        items = values_of(shape.member, dense=dense, depth=inner_depth)
        return st.lists(items, min_size=least, max_size=2)
    if isinstance(shape, MapShape):
        keys = st.sampled_from(shape.key.metadata["enum"]) if "enum" in shape.key.metadata else _ASCII
        items = values_of(shape.value, dense=dense, depth=inner_depth)
        return st.dictionaries(keys, items, min_size=least, max_size=2)
    if "location" in shape.serialization and shape.type_name == "string":
        return _ASCII
    if shape.serialization.get("location") == "statusCode":
        return st.sampled_from([200, 201, 202, 204])  # others are errors to the client
    return _SCALARS[shape.type_name]


def _structures_of(shape: StructureShape, *, dense: bool, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    members = {
        name: member
        for name, member in shape.members.items()
        if depth > 0 or not isinstance(member, StructureShape | ListShape | MapShape)
    }
    required = {
        name
        for name, member in members.items()
        if member.serialization.get("location") == "uri"
        or (name in shape.required_members and "location" in member.serialization)
    }
    one_only = shape.metadata.get("union", False)
    if not members:
        return st.just({})

    @st.composite
    def draw(draw_: st.DrawFn) -> dict[str, Any]:
        least = 1 if one_only or (dense and depth < 3) else 0
        names = draw_(
            st.sets(st.sampled_from(sorted(members)), min_size=least, max_size=1 if one_only else 4)
        )
        chosen = sorted(names | required)
        return {name: draw_(values_of(members[name], dense=dense, depth=depth - 1)) for name in chosen}

    return draw()


def sample_of(shape: Shape | None, seen: tuple[str, ...] = ()) -> Any:
    if shape is None:
        return {}
    within = (*seen, shape.name)
    if isinstance(shape, StructureShape):
        members = {name: member for name, member in shape.members.items() if _ends(member, within)}
        if shape.metadata.get("union"):
            members = dict(list(members.items())[:1])
        return {name: sample_of(member, within) for name, member in members.items()}
    if isinstance(shape, ListShape):
        return [sample_of(shape.member, within)] * 2
    if isinstance(shape, MapShape):
        return {shape.key.metadata.get("enum", ["k"])[0]: sample_of(shape.value, within)}
    if "location" in shape.serialization and shape.type_name == "string":
        return "a-b"
    return _SAMPLES[shape.type_name]


def _ends(shape: Shape, seen: tuple[str, ...]) -> bool:
    """Whether a value of the shape can be written out: it is in none of its own containers."""
    if shape.name in seen:
        return False
    if isinstance(shape, ListShape):
        return _ends(shape.member, (*seen, shape.name))
    if isinstance(shape, MapShape):
        return _ends(shape.value, (*seen, shape.name))
    if isinstance(shape, StructureShape) and shape.members:
        return any(_ends(member, (*seen, shape.name)) for member in shape.members.values())
    return True


def to_botocore(shape: Shape | None, value: Any) -> Any:
    """Our value as boto3's callers write it: times as datetimes."""
    return _converted(shape, value, lambda seconds: datetime.fromtimestamp(seconds, UTC))


def from_botocore(shape: Shape | None, value: Any) -> Any:
    """botocore's value as ours: datetimes as seconds since the epoch."""
    return _converted(shape, value, lambda timestamp: timestamp.timestamp())


def _converted(shape: Shape | None, value: Any, of_time: Callable[[Any], Any]) -> Any:
    if isinstance(shape, StructureShape):
        return {name: _converted(shape.members.get(name), item, of_time) for name, item in value.items()}
    if isinstance(shape, ListShape):
        return [_converted(shape.member, item, of_time) for item in value]
    if isinstance(shape, MapShape):
        return {key: _converted(shape.value, item, of_time) for key, item in value.items()}
    if shape is not None and shape.type_name == "timestamp":
        return of_time(value)
    return value


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


@pytest.fixture(scope="session")
def client() -> Client:
    return Client()
