"""Requests for unsupported services and operations: named, and refused in their protocol.

The signing name identifies the service; target, action or path the operation. Only a path needs a
description, which is loaded in `named`, after the signature was verified. The statuses are ones that no SDK
retries.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final, get_args

from botocore.loaders import Loader

from passrole.faults import Fault
from passrole.wire import descriptions
from passrole.wire.descriptions import Protocol
from passrole.wire.forms import named_parameters
from passrole.wire.http_messages import HttpRequest
from passrole.wire.refusals import Unrouted
from passrole.wire.routes import Route

PATH_CHARS_MAX: Final = 128
TABLES_KEPT: Final = 16
_CBOR: Final = "rpc-v2-cbor"
_NO_ARGUMENTS: Mapping[str, str] = {}
_CODES: Mapping[Protocol, tuple[str, int]] = {
    "ec2": ("InvalidAction", 400),
    "json": ("UnknownOperationException", 400),
    "query": ("InvalidAction", 400),
    "rest-json": ("UnknownOperationException", 400),
    "rest-xml": ("NotImplemented", 501),
    "rpc-v2-cbor": ("UnknownOperationException", 400),
}


def message(service: str, operation: str) -> str:
    """The message of every such refusal."""
    return f"passrole does not support the operation {service}:{operation}"


def route(request: HttpRequest, signing_service: str, protocol: Protocol) -> Route:
    """The route of a request without a supported operation; `service` is the signing name."""
    if request.headers.get("smithy-protocol") == _CBOR:
        return Route(
            signing_service, _last(request.raw_path, "/"), "rpc-v2-cbor", _NO_ARGUMENTS, is_supported=False
        )
    if protocol == "json":
        return Route(
            signing_service,
            _last(request.headers["x-amz-target"], "."),
            protocol,
            _NO_ARGUMENTS,
            is_supported=False,
        )
    if protocol == "query":
        form: Protocol = "ec2" if signing_service == "ec2" else "query"
        return Route(signing_service, _action(request), form, _NO_ARGUMENTS, is_supported=False)
    rest: Protocol = "rest-xml" if signing_service.startswith("s3") else "rest-json"
    return Route(signing_service, unnamed(request), rest, _NO_ARGUMENTS, is_supported=False)


def unnamed(request: HttpRequest) -> str:
    """A REST request as method and path, if no description names its operation."""
    return f"{request.method} {request.raw_path[:PATH_CHARS_MAX]}"


def named(found: Route, request: HttpRequest) -> Route:
    """The route with the operation's name and the protocol by botocore's description of its path."""
    if not found.protocol.startswith("rest-"):
        return found
    for service in _described(found.service):
        protocol, table = _operations(service)
        operation = next((name for method, path, name in table if _fits(request, method, path)), None)
        if operation is not None:
            return replace(found, operation=operation, protocol=protocol or found.protocol)
    return found


def refusal(found: Route, only: str = "") -> Fault:
    """The fault for an unsupported route; `only` is the one service that a server has, if it has not all."""
    code, status = _CODES[found.protocol]
    why = f": this server has {only} alone" if only else ""
    return Unrouted(code, message(found.service, found.operation) + why, found.protocol, status=status)


def _last(text: str, separator: str) -> str:
    return text.rpartition(separator)[2][:PATH_CHARS_MAX] or "nothing"


def _action(request: HttpRequest) -> str:
    try:
        return named_parameters(request, ("Action",)).get("Action", "nothing")[:PATH_CHARS_MAX]
    except Fault:
        return "nothing"


def _described(signing_service: str) -> Iterator[str]:
    """Botocore's names of the REST services with a signing name."""
    if signing_service in _available():
        yield signing_service
    yield from _renamed().get(signing_service, ())


@cache
def _renamed() -> Mapping[str, list[str]]:
    text = resources.files(__package__).joinpath("rest_services.json").read_text("utf-8")
    services: dict[str, list[str]] = json.loads(text)["services"]
    return services


@cache
def _loader() -> Loader:
    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


@cache
def _available() -> frozenset[str]:
    return frozenset(_loader().list_available_services("service-2"))


@lru_cache(maxsize=TABLES_KEPT)
def _operations(service: str) -> tuple[Protocol | None, tuple[tuple[str, tuple[str, ...], str], ...]]:
    """The protocol, and method, segments and name of each operation; literal paths first."""
    described: dict[str, Any] = _loader().load_service_model(service, "service-2")
    protocol = described["metadata"]["protocol"]
    found = [
        (operation["http"]["method"], _segments(operation["http"]["requestUri"]), name)
        for name, operation in described["operations"].items()
    ]
    found.sort(key=lambda row: sum(segment.startswith("{") for segment in row[1]))
    return (protocol if protocol in get_args(descriptions.Protocol) else None), tuple(found)


def _segments(path: str) -> tuple[str, ...]:
    return tuple(path.partition("?")[0].strip("/").split("/"))


def _fits(request: HttpRequest, method: str, path: tuple[str, ...]) -> bool:
    given = _segments(request.raw_path)
    greedy = bool(path) and path[-1].endswith("+}")
    if method != request.method or (len(given) < len(path) if greedy else len(given) != len(path)):
        return False
    return all(
        there.startswith("{") or there == here for there, here in zip(path, given[: len(path)], strict=True)
    )
