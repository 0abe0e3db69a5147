"""Finds the operation of a request, in the four ways of AWS's protocols.

    X-Amz-Target: SageMaker.StartPipelineExecution      json
    Action=CreateRole&Version=2010-05-08                query
    POST /2015-03-31/functions/{FunctionName}/...       rest-json
    GET /bucket/key, signed for s3                      rest-xml (s3_routing)

It knows only the parameters in the path and trusts nothing: the credential scope is read before its signature
is verified, and only to distinguish services that share actions. A request without a matching operation is
refused as AWS does, in its protocol (`Unrouted.protocol`).
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
    """The route of a request; `signing_service` is that of its credential scope, if it has one.

    A request signed for an unsupported service has a route too: it is refused after its signature is verified
    (`unsupported`). Raises Unrouted: UnknownOperationException, InvalidAction, MissingAction,
    SignatureDoesNotMatch, MethodNotAllowed, ...
    """
    protocol = protocol_of(request, signing_service)
    try:
        found = _BY_PROTOCOL[protocol](request, signing_service)
    except Unrouted as fault:
        if signing_service is None or not _is_unsupported(fault, request, signing_service):
            raise
        return unsupported.route(request, signing_service, protocol)
    required = SERVICES[found.service].signing_name
    if signing_service is not None and signing_service != required:
        message = f"Credential should be scoped to correct service: '{required}'."
        raise refused(INVALID_SIGNATURE, protocol, message)
    return found


def protocol_of(request: HttpRequest, signing_service: str | None = None) -> Protocol:
    """The protocol of a request, from its headers, path and credential scope, before its operation is known.

    S3's requests may look like any other; they are recognised by the credential scope, or if no other
    protocol matches. REST paths take precedence over the content type: curl sends every body as a form.
    """
    if "x-amz-target" in request.headers:
        return "json"
    signed_for = signing_service or _scoped_service(request)
    if signed_for == "s3" or (not signed_for and _is_s3_alone(request)):
        return "rest-xml"
    if signed_for in _REST_SIGNING_NAMES or (not signed_for and _is_rest_path(request)):
        return "rest-json"
    if _is_query(request):
        return "query"
    # S3 has no POST to `/`, and JSON services receive nothing else.
    return "rest-json" if signed_for or (request.method, request.raw_path) == ("POST", "/") else "rest-xml"


def _scoped_service(request: HttpRequest) -> str | None:
    """The service in the credential scope, not verified."""
    scope, found, _ = request.headers.get("authorization", "").partition("/aws4_request")
    if not found and "X-Amz-Credential=" in request.query:
        scope, found, _ = unquote(request.query).partition("/aws4_request")
    return scope.rpartition("/")[2] if found else None


def _is_s3_alone(request: HttpRequest) -> bool:
    """Whether the request has the form of what S3 alone is sent, whatever the bucket is called."""
    is_upload = request.method == "POST" and request.headers.get("content-type", "").startswith(_UPLOAD)
    return is_upload or "AWSAccessKeyId=" in request.query


def _is_query(request: HttpRequest) -> bool:
    if request.method == "GET":
        return "Action=" in request.query
    is_form = request.headers.get("content-type", "").startswith(_FORM)
    return request.method == "POST" and (is_form or "Action=" in request.query)


def is_named_in_body(request: HttpRequest, protocol: Protocol) -> bool:
    """Whether only the body names the operation of a request in the protocol."""
    return protocol == "query" and request.method == "POST"


def service_of(signing_service: str) -> str:
    """Botocore's name of the service with this signing name; empty if there is none."""
    return _BY_SIGNING_NAME.get(signing_service, "")


def _is_rest_path(request: HttpRequest) -> bool:
    """Whether the path's first segment is that of a REST service or passrole itself, not a bucket name."""
    first = request.raw_path.split("/", 2)[1] if request.raw_path.startswith("/") else ""
    if not first:
        return False
    return first.startswith("_") or any(first in _path_table(name).literal for name in _REST_SERVICES)


def _is_unsupported(fault: Unrouted, request: HttpRequest, signing_service: str) -> bool:
    """Whether the request is for an unsupported service: by its signing name, or by a path if the supported
    service of that signing name has no paths.
    """
    if fault.code not in _UNKNOWN:
        return False
    service = _BY_SIGNING_NAME.get(signing_service)
    has_path = fault.status == _NOT_FOUND and request.raw_path.strip("/") != ""
    return service is None or (has_path and service not in _REST_SERVICES)


_UNKNOWN = frozenset({"UnknownOperationException", "InvalidAction"})
_NOT_FOUND = 404
_FORM = "application/x-www-form-urlencoded"
_UPLOAD = "multipart/form-data"
_NO_ARGUMENTS: Mapping[str, str] = {}
_BY_PREFIX = {service.target_prefix: service.name for service in SERVICES.values() if service.target_prefix}
_BY_SIGNING_NAME = {service.signing_name: service.name for service in reversed([*SERVICES.values()])}
"""Of two services with one signing name, the one whose requests name their operation in a header."""

_BY_VERSION = {
    service.api_version: service.name for service in SERVICES.values() if "query" in service.protocols
}


def _by_target(request: HttpRequest, _signing_service: str | None) -> Route:
    prefix, _, operation = request.headers["x-amz-target"].partition(".")
    service = _BY_PREFIX.get(prefix)
    if service is None or operation not in descriptions.operations(service):
        # Coral's JSON front end sends this code with status 400 and no message.
        message = unsupported.message(service or prefix or "nothing", operation or "nothing")
        raise Unrouted("UnknownOperationException", message, "json", status=400)
    return Route(service, operation, "json", _NO_ARGUMENTS)


def _by_action(request: HttpRequest, signing_service: str | None) -> Route:
    try:
        parameters = named_parameters(request, ("Action", "Version"))
    except Fault as fault:
        raise Unrouted(fault.code, fault.message, "query", status=fault.status) from None
    action, version = parameters.get("Action"), parameters.get("Version", "")
    if not action:
        raise Unrouted("MissingAction", "Request is missing an Action.", "query", status=400)
    # Unsigned operations such as AssumeRoleWithWebIdentity: the version alone identifies the service.
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
    """The queue of a request to a queue's URL, `/ACCOUNT/NAME?Action=...`.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html
    """
    path = request.raw_path.rstrip("/")
    return {"QueueUrl": unquote(path)} if path.count("/") == 2 else _NO_ARGUMENTS


@dataclass(slots=True)
class _Branch:
    """One segment of the path table: the segments that may follow, and the operations that end with it."""

    literal: dict[str, "_Branch"] = field(default_factory=dict)
    argument: "_Branch | None" = None
    ends: list["_End"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _End:
    """An operation at the end of a path, with its method and its fixed query (`List=ALL`)."""

    method: str
    query: str
    labels: tuple[str, ...]
    service: str
    operation: str


def _by_path(request: HttpRequest, signing_service: str | None) -> Route:
    service = _BY_SIGNING_NAME.get(signing_service or "")
    own = [name for name in _REST_SERVICES if SERVICES[name].signing_name == signing_service]
    for name in own or _REST_SERVICES:
        found = _walked(_path_table(name), request)
        if found is not None:
            return found
    # A request to a JSON service without a target gets here too: AWS returns the same error.
    protocol: Protocol = SERVICES[service].protocols[0] if service else "rest-json"
    message = unsupported.message(service or signing_service or "nothing", unsupported.unnamed(request))
    raise Unrouted("UnknownOperationException", message, protocol, status=404)


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
"""Segments that cannot be arguments: the signature covers the path without them, so they must not name
anything.
"""


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
        # An operation with a fixed query is tested before one without.
        branch.ends.sort(key=lambda end: -len(end.query))
    return root


def _walked(root: _Branch, request: HttpRequest) -> Route | None:
    """The route for the request's path; literal segments take precedence over arguments. None if there is
    none.
    """
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
        message = unsupported.message("lambda", "a path that is not UTF-8")
        raise Unrouted("UnknownOperationException", message, "rest-json", status=404) from None
