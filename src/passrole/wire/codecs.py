"""Parses requests to parameters, and renders results and faults: the gateway's only access to the protocols.

It knows protocols by name only. The functions of an operation are compiled at its first call.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from botocore.model import OperationModel

from passrole.faults import Fault
from passrole.wire import body_limits, cbor, json_protocol, query, rest_json, rest_xml
from passrole.wire.descriptions import SERVICES, Protocol, operation_model
from passrole.wire.errors import WireError, wire_error
from passrole.wire.http_messages import HttpRequest, HttpResponse
from passrole.wire.refusals import Unrouted
from passrole.wire.routes import Route
from passrole.wire.shapes import Parse, Render


def parse(route: Route, request: HttpRequest) -> dict[str, Any]:
    """The parameters of a request in AWS's spelling: blobs as bytes, timestamps as seconds since the epoch.

    Raises Fault with the protocol's code (SerializationException, MalformedXML, MalformedInput, ...).
    Constraints such as required members and lengths are checked by `constraints`.
    """
    return _codec(route.service, route.protocol, route.operation).parse(request, route.path_arguments)


def render(route: Route, result: Mapping[str, Any] | None, request_id: str) -> HttpResponse:
    """The response to a successful call; `result` is spelled and typed like the parameters of `parse`.

    Members that are None are left out. Raises KeyError for a member that the description does not have.
    """
    return _codec(route.service, route.protocol, route.operation).render(result or {}, request_id)


def render_fault(
    route: Route | None, fault: Fault, request_id: str, protocol_unrouted: Protocol = "json"
) -> HttpResponse:
    """The response to a failed call; `route` is None if the request was not routed."""
    if isinstance(fault, body_limits.ContentTooLong):
        return body_limits.plain_answer(fault, request_id)
    if route is not None:
        service, protocol = route.service if _is_described(route) else None, route.protocol
    else:
        service, protocol = None, fault.protocol if isinstance(fault, Unrouted) else protocol_unrouted
    response = _RENDER_ERROR[protocol](wire_error(fault, service, protocol), request_id)
    if route is not None and protocol == "rest-xml" and route.operation.startswith("Head"):
        return rest_xml.without_body(response)
    return response


def _is_described(route: Route) -> bool:
    return route.is_supported and route.service in SERVICES


class _ProtocolCodec(NamedTuple):
    compile_parse: Callable[[OperationModel, str], Parse]
    compile_render: Callable[[OperationModel, str], Render]
    render_error: Callable[[WireError, str], HttpResponse]


class _OperationCodec(NamedTuple):
    parse: Parse
    render: Render


_PROTOCOLS: Mapping[Protocol, _ProtocolCodec] = {
    "json": _ProtocolCodec(
        json_protocol.compile_parse, json_protocol.compile_render, json_protocol.render_error
    ),
    "query": _ProtocolCodec(query.compile_parse, query.compile_render, query.render_error),
    "rest-json": _ProtocolCodec(rest_json.compile_parse, rest_json.compile_render, rest_json.render_error),
    "rest-xml": _ProtocolCodec(rest_xml.compile_parse, rest_xml.compile_render, rest_xml.render_error),
}


_RENDER_ERROR: Mapping[Protocol, Callable[[WireError, str], HttpResponse]] = {
    **{protocol: codec.render_error for protocol, codec in _PROTOCOLS.items()},
    # protocols of unsupported services, whose calls are refused
    "rpc-v2-cbor": cbor.render_error,
    "ec2": query.render_ec2_error,
}


@cache
def _codec(service: str, protocol: Protocol, operation: str) -> _OperationCodec:
    described = operation_model(service, protocol, operation)
    codec = _PROTOCOLS[protocol]
    return _OperationCodec(codec.compile_parse(described, service), codec.compile_render(described, service))
