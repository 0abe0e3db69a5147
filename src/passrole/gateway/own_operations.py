"""Routes passrole's own operations: `POST /_passrole/<Operation>`, signed for `passrole`, on the server's
host.

A request that could mean an AWS operation must never reach them: on a bucket's host a path that begins with
`/_passrole/` is an object's key, and a signature for another service does not count. The signature must be in
the header, which covers the body; a URL may be passed on to others.
"""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from passrole.config import Config
from passrole.wire import HttpRequest, HttpResponse, Route, json_values
from passrole.wire.refusals import INVALID_SIGNATURE, Unrouted, refused
from passrole.wire.s3_routing import bucket_of_host

SERVICE = "passrole"
PREFIX = "/_passrole/"
QUESTIONS = ("health", "ready")
"""Whether the process answers, and whether its disk lets it answer calls."""

_OPERATION = re.compile(r"[A-Za-z]{1,64}")
_ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104 (values of a setting)
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


def asked(request: HttpRequest) -> str | None:
    """Which of QUESTIONS is asked; on a bucket's host the same path is an object's key."""
    name = request.raw_path.removeprefix(PREFIX)
    is_meant = request.raw_path.startswith(PREFIX) and request.method == "GET" and name in QUESTIONS
    return name if is_meant and bucket_of_host(request.headers.get("host", "")) is None else None


def is_meant(request: HttpRequest, signing_service: str) -> bool:
    """Whether the request addresses passrole's own operations, validly or not."""
    return signing_service == SERVICE or (request.raw_path.startswith(PREFIX) and signing_service != "s3")


def route(request: HttpRequest, signing_service: str, config: Config) -> Route:
    """The route of the operation. Raises Unrouted (InvalidSignatureException, UnknownOperationException)."""
    if signing_service != SERVICE:
        message = f"Credential should be scoped to correct service: '{SERVICE}'."
        raise refused(INVALID_SIGNATURE, "json", message)
    operation = request.raw_path.removeprefix(PREFIX)
    if (
        not _OPERATION.fullmatch(operation)
        or request.method != "POST"
        or not is_own_host(request.headers.get("host", ""), config)
    ):
        raise Unrouted("UnknownOperationException", "", "json", status=404)
    return Route(SERVICE, operation, "json", {})


def parameters(body: bytes) -> dict[str, Any]:
    """The parameters in the body. Raises Fault (SerializationException)."""
    return json_values.load(body)


def answer(result: Mapping[str, Any], request_id: str, status: int = 200) -> HttpResponse:
    """The response of an operation."""
    body = orjson.dumps(result)
    headers = [
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
        ("x-amzn-requestid", request_id),
    ]
    return HttpResponse(status, headers, body)


def is_own_host(header: str, config: Config) -> bool:
    """Whether a Host header names this server or the balancer before it.

    The port may differ because of port forwarding.
    """
    name = _without_port(header)
    told = _without_port(urlsplit(config.told_url).netloc)
    if name in (*_LOOPBACK_NAMES, config.host_in_url.lower(), told):
        return True
    return config.host in _ALL_ADDRESSES and _is_address(name)


def _without_port(header: str) -> str:
    name, colon, port = header.lower().rpartition(":")
    return name if colon and port.isascii() and port.isdecimal() else header.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
