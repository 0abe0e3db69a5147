"""Which operation a request asks for, by the four ways in which AWS's protocols say so.

    X-Amz-Target: SageMaker.StartPipelineExecution      json
    Action=CreateRole&Version=2010-05-08                query
    POST /2015-03-31/functions/{FunctionName}/...       rest-json
    GET /bucket/key, signed for s3                      rest-xml (s3_routing)

It knows no parameters but those in the path, and trusts nothing: the credential's scope is read before its
signature is verified, and only to tell apart services that share actions. A request that fits nothing
is refused as AWS does in the protocol it came in (`Unrouted.protocol`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import unquote

from passrole.faults import Fault
from passrole.wire import descriptions, s3_routing, unsupported
from passrole.wire.descriptions import SERVICES, Protocol
from passrole.wire.forms import named_parameters
from passrole.wire.http_messages import HttpRequest
from passrole.wire.refusals import INVALID_SIGNATURE, Unrouted, refused
from passrole.wire.routes import Route


def route(request: HttpRequest, signing_service: str | None) -> Route:
    """The route of a request, `signing_service` being the one in its credential's scope, if it has any.

    A request that fits no operation here, and was signed for a service that is not here, has a route too: it
    is refused once its signature was verified (`unsupported`). Raises Unrouted.
    """
    protocol = protocol_of(request, signing_service)
    try:
        found = _BY_PROTOCOL[protocol](request, signing_service)
    except Unrouted as fault:
        if signing_service is None or not _is_elsewhere(fault, request, signing_service):
            raise
        return unsupported.route(request, signing_service, protocol)
    required = SERVICES[found.service].signing_name
    if signing_service is not None and signing_service != required:
        message = f"Credential should be scoped to correct service: '{required}'."
        raise refused(INVALID_SIGNATURE, protocol, message)
    return found


def protocol_of(request: HttpRequest, signing_service: str | None = None) -> Protocol:
    """The protocol that the request is in by its looks, whatever its operation.

    S3's requests look like anything; they are known by the scope of their credential, and without one by
    looking like nobody else's. REST's paths count whatever the type says: curl calls every body a form.
    """
    if "x-amz-target" in request.headers:
        return "json"
    signed_for = signing_service or _scoped_service(request)
    if signed_for == "s3":
        return "rest-xml"
    if signed_for in _REST_SIGNING_NAMES or (not signed_for and _is_rest_path(request)):
        return "rest-json"
    if _is_query(request):
        return "query"
    # S3 has no use for a POST to `/`, and to all the JSON services nothing else is sent.
    return "rest-json" if signed_for or (request.method, request.raw_path) == ("POST", "/") else "rest-xml"


def _scoped_service(request: HttpRequest) -> str | None:
    """The service in the scope of the credential, which nobody has verified."""
    scope, found, _ = request.headers.get("authorization", "").partition("/aws4_request")
    if not found and "X-Amz-Credential=" in request.query:
        scope, found, _ = unquote(request.query).partition("/aws4_request")
    return scope.rpartition("/")[2] if found else None


def _is_query(request: HttpRequest) -> bool:
    if request.method == "GET":
        return "Action=" in request.query
    is_form = request.headers.get("content-type", "").startswith(_FORM)
    return request.method == "POST" and (is_form or "Action=" in request.query)


def is_named_in_body(request: HttpRequest, protocol: Protocol) -> bool:
    """Whether only the body tells which operation a request of the protocol asks for."""
    return protocol == "query" and request.method == "POST"


def service_of(signing_service: str) -> str:
    """The service, by botocore's name, that signs as this one; empty where none does."""
    return _BY_SIGNING_NAME.get(signing_service, "")


def _is_rest_path(request: HttpRequest) -> bool:
    """Whether a REST service, or passrole itself, has paths that begin so, and no bucket its name."""
    first = request.raw_path.split("/", 2)[1] if request.raw_path.startswith("/") else ""
    if not first:
        return False
    return first.startswith("_") or any(first in _path_table(name).literal for name in _REST_SERVICES)


def _is_elsewhere(fault: Unrouted, request: HttpRequest, signing_service: str) -> bool:
    """Whether the request means a service that is not here: by its signing name, or by a path where the
    service of that name, which has others beside it, has none.
    """
    if fault.code not in _UNKNOWN:
        return False
    service = _BY_SIGNING_NAME.get(signing_service)
    has_path = fault.status == _NOT_FOUND and request.raw_path.strip("/") != ""
    return service is None or (has_path and service not in _REST_SERVICES)


_UNKNOWN = frozenset({"UnknownOperationException", "InvalidAction"})
_NOT_FOUND = 404
_FORM = "application/x-www-form-urlencoded"
_NO_ARGUMENTS: Mapping[str, str] = {}
_BY_PREFIX = {service.target_prefix: service.name for service in SERVICES.values() if service.target_prefix}
_BY_SIGNING_NAME = {service.signing_name: service.name for service in SERVICES.values()}
_BY_VERSION = {
    service.api_version: service.name for service in SERVICES.values() if "query" in service.protocols
}


def _by_target(request: HttpRequest, _signing_service: str | None) -> Route:
    prefix, _, operation = request.headers["x-amz-target"].partition(".")
    service = _BY_PREFIX.get(prefix)
    if service is None or operation not in descriptions.operations(service):
        # coral's JSON front layer sends this code with status 400 and no message; ours says who refuses.
        told = unsupported.message(service or prefix or "nothing", operation or "nothing")
        raise Unrouted("UnknownOperationException", told, "json", status=400)
    return Route(service, operation, "json", _NO_ARGUMENTS)


def _by_action(request: HttpRequest, signing_service: str | None) -> Route:
    try:
        parameters = named_parameters(request, ("Action", "Version"))
    except Fault as fault:
        raise Unrouted(fault.code, fault.message, "query", status=fault.status) from None
    action, version = parameters.get("Action"), parameters.get("Version", "")
    if not action:
        raise Unrouted("MissingAction", "Request is missing an Action.", "query", status=400)
    # AssumeRoleWithWebIdentity and its like are not signed: then the version alone tells the service.
    service = _BY_SIGNING_NAME.get(signing_service or "") or _BY_VERSION.get(version)
    if (
        service is None
        or "query" not in SERVICES[service].protocols
        or action not in descriptions.operations(service)
    ):
        message = (
            f"Could not find operation {action} for version {version or 'NO_VERSION_SPECIFIED'}:"
            f" {unsupported.message(service or signing_service or 'nothing', action)}"
        )
        raise Unrouted("InvalidAction", message, "query", status=400)
    return Route(service, action, "query", _addressed(request) if service == "sqs" else _NO_ARGUMENTS)


def _addressed(request: HttpRequest) -> Mapping[str, str]:
    """The queue that is called at its own URL, `/ACCOUNT/NAME?Action=...`, as the guide shows requests.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html
    """
    path = request.raw_path.rstrip("/")
    return {"QueueUrl": unquote(path)} if path.count("/") == 2 else _NO_ARGUMENTS


@dataclass(slots=True)
class _Branch:
    """One segment of the path table: what may follow it, and which operations end with it."""

    literal: dict[str, "_Branch"] = field(default_factory=dict)
    argument: "_Branch | None" = None
    ends: list["_End"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _End:
    """An operation at the end of a path, once its method and its fixed query (`List=ALL`) fit."""

    method: str
    query: str
    labels: tuple[str, ...]
    service: str
    operation: str


def _by_path(request: HttpRequest, signing_service: str | None) -> Route:
    service = _BY_SIGNING_NAME.get(signing_service or "")
    for name in (service,) if service in _REST_SERVICES else _REST_SERVICES:
        found = _walked(_path_table(name), request)
        if found is not None:
            return found
    # A JSON service that was sent no target gets here too: AWS answers the same to it.
    protocol: Protocol = SERVICES[service].protocols[0] if service else "rest-json"
    told = unsupported.message(service or signing_service or "nothing", unsupported.unnamed(request))
    raise Unrouted("UnknownOperationException", told, protocol, status=404)


_REST_SERVICES = tuple(service.name for service in SERVICES.values() if "rest-json" in service.protocols)
_REST_SIGNING_NAMES = frozenset(SERVICES[name].signing_name for name in _REST_SERVICES)


def _by_bucket(request: HttpRequest, _signing_service: str | None) -> Route:
    operation, arguments = s3_routing.operation_of(request)
    return Route("s3", operation, "rest-xml", arguments)


_BY_PROTOCOL: Mapping[Protocol, Callable[[HttpRequest, str | None], Route]] = {
    "json": _by_target,
    "query": _by_action,
    "rest-json": _by_path,
    "rest-xml": _by_bucket,
}


_NO_NAMES = ("", ".", "..")
"""Segments that are no argument: the signature is over a path without them, so they must not name a thing."""


@cache
def _path_table(service: str) -> _Branch:
    """The paths of a REST service as a tree by segment."""
    root = _Branch()
    for name in sorted(descriptions.operations(service)):
        http = descriptions.operation_model(service, "rest-json", name).http
        path, _, query = http["requestUri"].partition("?")
        branch, labels = root, []
        for segment in path.strip("/").split("/"):
            if segment.startswith("{"):
                labels.append(segment.strip("{}"))
                branch.argument = branch.argument or _Branch()
                branch = branch.argument
            else:
                branch = branch.literal.setdefault(segment, _Branch())
        branch.ends.append(_End(http["method"], query, tuple(labels), service, name))
        # An operation that asks for a fixed query goes before its neighbour that asks for none.
        branch.ends.sort(key=lambda end: -len(end.query))
    return root


def _walked(root: _Branch, request: HttpRequest) -> Route | None:
    """The route at the end of the path, a literal segment before an argument; None where it leads nowhere."""
    branch: _Branch | None = root
    arguments: list[str] = []
    for segment in request.raw_path.strip("/").split("/"):
        assert branch is not None
        following = branch.literal.get(segment)
        if following is None and segment not in _NO_NAMES:
            following = branch.argument
            arguments.append(_argument(segment))
        if following is None:
            return None
        branch = following
    assert branch is not None
    given = request.query.split("&")
    for end in branch.ends:
        if end.method == request.method and (not end.query or end.query in given):
            return Route(
                end.service, end.operation, "rest-json", dict(zip(end.labels, arguments, strict=True))
            )
    return None


def _argument(segment: str) -> str:
    if "%" not in segment:
        return segment
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        told = unsupported.message("lambda", "a path that is not UTF-8")
        raise Unrouted("UnknownOperationException", told, "rest-json", status=404) from None
