"""The ASGI application: read, authenticate, route, parse, call the door, render, in AWS's order.

Raw ASGI, for routing is driven by the service descriptions and a framework would only add its time.
No unauthenticated request gets past `_authenticated`; the one thing answered without a signature is
`GET /_passrole/health`, which says that the server is up and nothing else.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from passrole import faults, ids
from passrole.api import Call, Door
from passrole.clock import Clock
from passrole.config import Config, Network
from passrole.faults import Fault
from passrole.gateway import own
from passrole.gateway.origin import origin
from passrole.gateway.signing_keys import signing_keys
from passrole.identities import Directory, ExpiredSession, Known, UnknownKey
from passrole.wire import HttpRequest, HttpResponse, Route, parse, render, render_fault, route, sigv2, sigv4
from passrole.wire.chunked import decoded_body

log = logging.getLogger(__name__)

BODY_BYTES_MAX = 70_167_211  # Lambda's largest request, the largest of all the services here
LARGE_BODY_BYTES = 262_144

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class Gateway:
    """One server's front; give it to uvicorn."""

    def __init__(self, door: Door, directory: Directory, clock: Clock, config: Config) -> None:
        self._door = door
        self._directory = directory
        self._clock = clock
        self._config = config
        self._proxies = config.trusted_proxies.networks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        body = await _body(receive)
        if body is None:
            return  # the client went away
        await _send(send, await self._answer(scope, body))

    async def _answer(self, scope: Scope, body: bytes) -> HttpResponse:
        request_id = ids.request_id()
        found: Route | None = None
        try:
            request = _request(scope, body)
            if own.is_health(request):
                return own.answer({"status": "ready"}, request_id)
            signed = _signed(request)
            found = self._routed(request, signed.service)
            known = await self._authenticated(request, signed, found)
            parameters = _parameters(found, await _unchunked(request, signed, known.secret_key))
            call = Call(
                known.principal, found.service, found.operation, parameters, signed.region, request_id
            )
            if found.service == "s3":
                call = replace(call, signing_keys=signing_keys(request, signed, self._clock()))
            result = await self._door.call(_from(scope, call, self._proxies))
        except Fault as fault:
            return render_fault(found, fault, request_id)
        except Exception:
            log.exception("request %s failed in passrole itself", request_id)
            return render_fault(found, faults.internal(), request_id)
        answer = own.answer if found.service == own.SERVICE else partial(render, found)
        return answer(result, request_id)

    def _routed(self, request: HttpRequest, signing_service: str) -> Route:
        if own.is_meant(request, signing_service):
            return own.route(request, signing_service, self._config)
        return route(request, signing_service)

    async def _authenticated(self, request: HttpRequest, signed: sigv4.Authorization, found: Route) -> Known:
        try:
            known = await self._directory.credentials(signed.access_key, signed.session_token)
        except UnknownKey:
            raise sigv4.unknown_key(found.protocol) from None
        except ExpiredSession:
            raise sigv4.expired_token(found.protocol) from None
        if sigv2.is_presigned(request):
            sigv2.verify(request, signed, known.secret_key, self._clock())
        else:
            skew = self._config.clock_skew_seconds
            sigv4.verify(request, signed, known.secret_key, self._clock(), skew, found.protocol)
        return known


def _signed(request: HttpRequest) -> sigv4.Authorization:
    """What the request says of its signature. Raises Unrouted."""
    if sigv2.is_presigned(request):
        return sigv2.parse_authorization(request)
    return sigv4.parse_authorization(request)


def _from(scope: Scope, call: Call, proxies: Sequence[Network]) -> Call:
    """The call with where it came from, and how."""
    address, secure = origin(scope, proxies)
    return replace(call, source_ip=address, secure=secure, user_agent=_user_agent(scope))


def _user_agent(scope: Scope) -> str | None:
    headers = scope.get("headers", ())
    return next((value.decode("latin-1") for name, value in headers if name == b"user-agent"), None)


async def _body(receive: Receive) -> bytes | None:
    """The whole body; more than BODY_BYTES_MAX is read no further and refused by its length."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size <= BODY_BYTES_MAX + 1:
            parts.append(part)
        if not message.get("more_body"):
            whole = b"".join(parts)
            return whole if size <= BODY_BYTES_MAX else b"\0" * (BODY_BYTES_MAX + 1)


def _request(scope: Scope, body: bytes) -> HttpRequest:
    if len(body) > BODY_BYTES_MAX:
        limit = f"Request must be smaller than {BODY_BYTES_MAX} bytes for the InvokeFunction operation"
        raise Fault("RequestEntityTooLargeException", limit, status=413)
    return HttpRequest(
        method=scope["method"],
        raw_path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=_headers(scope["headers"]),
        body=body,
    )


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return headers


async def _unchunked(request: HttpRequest, signed: sigv4.Authorization, secret: str) -> HttpRequest:
    """A large body in a thread: checksums that Python has no library for take 0.1 s a megabyte."""
    if len(request.body) < LARGE_BODY_BYTES:
        return decoded_body(request, signed, secret)
    return await asyncio.to_thread(decoded_body, request, signed, secret)


def _parameters(found: Route, request: HttpRequest) -> dict[str, Any]:
    return own.parameters(request.body) if found.service == own.SERVICE else parse(found, request)


async def _send(send: Send, response: HttpResponse) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
