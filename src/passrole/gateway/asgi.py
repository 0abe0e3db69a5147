"""The ASGI application: route, authenticate, read, parse, call the door, render, in AWS's order.

Raw ASGI, since the service descriptions drive routing and a framework would only add latency. The head of a
request is checked first: the operation exists, the access key is known, the signature is right (if the head
has the body's hash), the length is allowed. Only then is the body read, and it is parsed only after its
signature is verified. A large body is handled in a thread. Answered without a signature are only
`GET /_passrole/health`, which says that the server is up, `GET /_passrole/ready`, which says whether its
disk lets it answer calls, and what programs of jobs ask (job_credentials.py).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from passrole import disk, ids
from passrole.api import Call, Door
from passrole.clock import Clock
from passrole.config import Config, Network
from passrole.faults import Fault, Internal
from passrole.gateway import job_credentials, own_operations
from passrole.gateway.bodies import SMALL_BYTES_MAX, Bodies, Disconnected, Full, Receive, TooLarge, whole
from passrole.gateway.job_credentials import IssueCredentials
from passrole.gateway.origin import origin
from passrole.gateway.signing_keys import form_keys, signing_keys
from passrole.identities import AccessKeyIdentity, Directory, ExpiredSession, UnknownKey
from passrole.log_format import about
from passrole.wire import (
    HttpRequest,
    HttpResponse,
    Route,
    body_limits,
    form_uploads,
    parse,
    presigned_headers,
    render,
    render_fault,
    route,
    sigv2,
    sigv4,
    unsupported,
)
from passrole.wire.chunked import decoded_body
from passrole.wire.descriptions import Protocol
from passrole.wire.refusals import INCOMPLETE_SIGNATURE, refused
from passrole.wire.routing import is_named_in_body, protocol_of, service_of

log = logging.getLogger(__name__)

# Headers that may appear only once (https://www.rfc-editor.org/rfc/rfc9110#section-5.3). With two values, an
# intermediary could check one and the server use the other.
_SINGLE_HEADERS = frozenset(
    {
        b"authorization",
        b"content-length",
        b"content-md5",
        b"content-type",
        b"date",
        b"host",
        b"if-modified-since",
        b"if-unmodified-since",
        b"range",
        b"x-amz-client-context",
        b"x-amz-content-sha256",
        b"x-amz-copy-source",
        b"x-amz-date",
        b"x-amz-decoded-content-length",
        b"x-amz-invocation-type",
        b"x-amz-log-type",
        b"x-amz-security-token",
        b"x-amz-tagging",
        b"x-amz-target",
    }
)
LARGE_BODY_BYTES = 16_384

# Objects may be pages of anybody: in a browser they run no script and are what their type says.
_OF_OBJECTS = (("content-security-policy", "sandbox"), ("x-content-type-options", "nosniff"))
_FOR_CALLERS = ("iam", "sts")
"""What a server of one service has as well: who calls, and what they may."""

BODILESS = ("GET", "HEAD", "DELETE")

Scope = Mapping[str, Any]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class _Progress:
    """The state of a request: its route, the protocol of its answer, whether its body was read from the
    connection, and whether it has come to the door, which logs it.
    """

    def __init__(self) -> None:
        self.found: Route | None = None
        self.protocol: Protocol = "json"
        self.is_read = False
        self.is_called = False


class _CheckedHead(NamedTuple):
    """A request whose head passed all checks. `is_verified`: the signature is right for the declared body.

    `effective` is the head with the headers that a presigned URL has in its query.
    """

    head: HttpRequest
    effective: HttpRequest
    authorization: sigv4.Authorization
    protocol: Protocol
    identity: AccessKeyIdentity
    now: float
    is_verified: bool


class Gateway:
    """The ASGI application of one server, for uvicorn."""

    def __init__(
        self,
        door: Door,
        directory: Directory,
        issue_job_credentials: IssueCredentials,
        clock: Clock,
        config: Config,
    ) -> None:
        self._door = door
        self._issue_job_credentials = issue_job_credentials
        self._directory = directory
        self._clock = clock
        self._config = config
        self._proxies = config.trusted_proxies.networks
        self._bodies = Bodies()
        self._ends = asyncio.Event()
        self._forms = Bodies()  # separate, since the sender of a form is unknown until it is read

    def end_waiting(self) -> None:
        """Calls wait for nothing any more, and are answered: the server is told to end."""
        self._ends.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        with suppress(Disconnected):
            await _send(send, await self._answer(scope, receive))

    async def _answer(self, scope: Scope, receive: Receive) -> HttpResponse:
        request_id = ids.request_id()
        with about(request_id=request_id):
            return await self._answered(scope, receive, request_id)

    async def _answered(self, scope: Scope, receive: Receive, request_id: str) -> HttpResponse:
        progress = _Progress()
        try:
            head = _head(scope)
            if question := own_operations.asked(head):
                return self._about_itself(question, request_id)
            if job_credentials.is_meant(head):
                return _unread(scope, await job_credentials.respond(head, self._issue_job_credentials))
            respond = self._respond_to_form if form_uploads.is_form(head) else self._respond
            return await respond(scope, head, receive, request_id, progress)
        except Fault as fault:
            answer = render_fault(progress.found, fault, request_id, progress.protocol)
            if not progress.is_called:
                self._door.refused_unread(scope["method"], scope["path"], request_id, fault, answer.status)
        except Disconnected:
            raise
        except Exception as error:
            disk.report(log, error, f"request {request_id}")
            answer = render_fault(progress.found, Internal(), request_id, progress.protocol)
        return answer if progress.is_read else _unread(scope, answer)

    def _about_itself(self, question: str, request_id: str) -> HttpResponse:
        """A database that is away is none of this: it is as far from the other servers."""
        try:
            if question == "ready":
                self._door.check()
        except OSError as error:
            disk.report(log, error, "whether calls are answered")
            return own_operations.answer({"status": "not ready"}, request_id, 503)
        return own_operations.answer({"status": "ready"}, request_id)

    async def _is_over(self, receive: Receive) -> None:
        """Return once nobody waits for an answer any more, or nobody should."""
        either = {asyncio.ensure_future(_hung_up(receive)), asyncio.ensure_future(self._ends.wait())}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in either:
                each.cancel()

    async def _respond(
        self, scope: Scope, head: HttpRequest, receive: Receive, request_id: str, progress: _Progress
    ) -> HttpResponse:
        checked = await self._check_head(head, progress)
        size = _size(head, checked.authorization.service, progress.found)
        room = self._bodies.room(size)
        try:
            await room.take(size)
        except Full:
            raise body_limits.busy(checked.protocol) from None
        try:
            found, parameters = await self._read(checked, receive, size, progress)
            is_s3 = found.service == "s3"
            call = Call(
                checked.identity.principal,
                found.service,
                found.operation,
                parameters,
                checked.authorization.region,
                request_id,
                signing_keys=signing_keys(checked.head, checked.authorization, checked.now) if is_s3 else {},
                is_large=size >= LARGE_BODY_BYTES,
                hung_up=partial(self._is_over, receive),
                **_origin(scope, self._proxies),
            )
            progress.is_called = True
            result = await self._door.call(call)
        finally:
            room.give_back(size)
        if found.service == own_operations.SERVICE:
            return own_operations.answer(result, request_id)
        answer = render(found, result, request_id)
        return replace(answer, headers=[*answer.headers, *_OF_OBJECTS]) if is_s3 else answer

    async def _respond_to_form(
        self, scope: Scope, head: HttpRequest, receive: Receive, request_id: str, progress: _Progress
    ) -> HttpResponse:
        """A form upload of S3, whose signature is in the body."""
        progress.found = Route("s3", "PutObject", "rest-xml", {})
        size = _size(head, "s3", progress.found)
        room = self._forms.room(size)
        try:
            await room.take(size)
        except Full:
            raise body_limits.busy("rest-xml") from None
        try:
            request = replace(head, body=await self._body(receive, size, progress))
            posted = await asyncio.to_thread(form_uploads.read, request)
            authorization = posted.authorization
            identity = await self._identity(authorization, "rest-xml")
            now = self._clock()
            form_uploads.verify(posted, identity.secret_key, now)
            found = route(posted.request, "s3")
            parameters = parse(found, decoded_body(posted.request, authorization, identity.secret_key))
            call = Call(
                identity.principal,
                "s3",
                found.operation,
                parameters,
                authorization.region,
                request_id,
                signing_keys=form_keys(authorization, now),
                is_large=size >= LARGE_BODY_BYTES,
                **_origin(scope, self._proxies),
            )
            progress.is_called = True
            result = await self._door.call(call)
        finally:
            room.give_back(size)
        return form_uploads.render(posted, result, request_id)

    def _routed(self, request: HttpRequest, signing_service: str) -> Route:
        if own_operations.is_meant(request, signing_service):
            return own_operations.route(request, signing_service, self._config)
        found = route(request, signing_service)
        is_served = not self._config.only or found.service in (self._config.only, *_FOR_CALLERS)
        return found if is_served else replace(found, is_supported=False)

    async def _check_head(self, head: HttpRequest, progress: _Progress) -> _CheckedHead:
        """Check the head. Raises Unrouted, with the code of the first check that fails."""
        authorization = _authorization(head)
        effective = _with_query_headers(head, authorization)
        protocol = progress.protocol = protocol_of(head, authorization.service)
        if own_operations.is_meant(head, authorization.service) or not is_named_in_body(head, protocol):
            progress.found = self._routed(effective, authorization.service)
            protocol = progress.found.protocol
        identity = await self._identity(authorization, protocol)
        now = self._clock()
        if sigv2.is_presigned(head):
            sigv2.verify(head, authorization, identity.secret_key, now)
            return _CheckedHead(head, effective, authorization, protocol, identity, now, True)
        skew = self._config.clock_skew_seconds
        is_verified = sigv4.verify_head(head, authorization, identity.secret_key, now, skew, protocol)
        return _CheckedHead(head, effective, authorization, protocol, identity, now, is_verified)

    async def _identity(self, authorization: sigv4.Authorization, protocol: Protocol) -> AccessKeyIdentity:
        try:
            return await self._directory.credentials(authorization.access_key, authorization.session_token)
        except UnknownKey:
            raise sigv4.unknown_key(protocol, authorization.access_key) from None
        except ExpiredSession:
            raise sigv4.expired_token(protocol) from None

    async def _read(
        self, checked: _CheckedHead, receive: Receive, size: int, progress: _Progress
    ) -> tuple[Route, dict[str, Any]]:
        body = await self._body(receive, size, progress)
        is_named = progress.found is None or progress.found.is_supported  # else loading a description is slow
        if len(body) < LARGE_BODY_BYTES and is_named:
            return self._verify_and_parse(checked, body, progress)
        return await asyncio.to_thread(self._verify_and_parse, checked, body, progress)

    async def _body(self, receive: Receive, size: int, progress: _Progress) -> bytes:
        try:
            body = await whole(receive, size) if size else b""
        except TooLarge:  # chunked, without a declared length
            raise body_limits.too_large(progress.found, size) from None
        progress.is_read = True
        return body

    def _verify_and_parse(
        self, checked: _CheckedHead, body: bytes, progress: _Progress
    ) -> tuple[Route, dict[str, Any]]:
        """The operation and its parameters, after the signature over the body is verified.

        Raises Unrouted (SignatureDoesNotMatch, UnknownOperationException, ...), and Fault if the parameters
        cannot be parsed.
        """
        head = checked.head
        request = HttpRequest(head.method, head.raw_path, head.query, head.headers, body) if body else head
        authorization, secret = checked.authorization, checked.identity.secret_key
        found = progress.found = progress.found or self._routed(request, authorization.service)
        if not checked.is_verified:
            skew = self._config.clock_skew_seconds
            sigv4.verify(request, authorization, secret, checked.now, skew, checked.protocol)
        elif not sigv2.is_presigned(request):
            sigv4.check_payload(request, authorization, checked.protocol)
        if not found.is_supported:
            progress.found = unsupported.named(found, request)
            raise unsupported.refusal(progress.found, only=self._config.only)
        effective = request if checked.effective is head else replace(checked.effective, body=body)
        return found, _parameters(found, decoded_body(effective, authorization, secret))


def _authorization(request: HttpRequest) -> sigv4.Authorization:
    """The authorisation in the head, not yet verified. Raises Unrouted like `sigv4.parse_authorization`."""
    if sigv2.is_presigned(request):
        return sigv2.parse_authorization(request)
    return sigv4.parse_authorization(request)


def _with_query_headers(request: HttpRequest, authorization: sigv4.Authorization) -> HttpRequest:
    """The request with the headers in the query of a presigned S3 URL. Raises Unrouted (InvalidArgument)."""
    if authorization.service != "s3" or authorization.expires_seconds is None:
        return request
    return presigned_headers.with_headers_of_query(request)


def _origin(scope: Scope, proxies: Sequence[Network]) -> dict[str, Any]:
    """The origin members of Call: source_ip, secure, user_agent."""
    address, secure = origin(scope, proxies)
    return {"source_ip": address, "secure": secure, "user_agent": _user_agent(scope)}


def _user_agent(scope: Scope) -> str | None:
    headers = scope.get("headers", ())
    return next((value.decode("latin-1") for name, value in headers if name == b"user-agent"), None)


async def _hung_up(receive: Receive) -> None:
    """Return once the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _head(scope: Scope) -> HttpRequest:
    """The request without its body. Raises Unrouted (IncompleteSignature) for a repeated single header."""
    head = HttpRequest(
        method=scope["method"],
        raw_path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=_headers(scope["headers"]),
        body=b"",
    )
    if len(head.headers) < len(scope["headers"]):
        _check_repeated(head, [name for name, _ in scope["headers"] if name in _SINGLE_HEADERS])
    return head


def _check_repeated(head: HttpRequest, names: Sequence[bytes]) -> None:
    for name in names:
        if names.count(name) > 1:
            message = f"The request has more than one '{name.decode('latin-1')}' header."
            raise refused(INCOMPLETE_SIGNATURE, protocol_of(head), message)


def _size(head: HttpRequest, signing_service: str, found: Route | None) -> int:
    """The declared size of the body, or its maximum. Raises the Fault of `body_limits.too_large`."""
    headers = head.headers
    service = found.service if found else service_of(signing_service)
    most = body_limits.bytes_max(service, found.operation if found else "")
    if "transfer-encoding" in headers:
        return most
    if "content-length" not in headers:
        return 0 if head.method in BODILESS else SMALL_BYTES_MAX
    announced = int(headers["content-length"])
    if announced > most:
        raise body_limits.too_large(found, most)
    return announced


def _unread(scope: Scope, answer: HttpResponse) -> HttpResponse:
    """The response to a request whose body was not read; a client that sent Expect must not send it now."""
    if not any(name == b"expect" for name, _ in scope["headers"]):
        return answer
    return replace(answer, headers=[*answer.headers, ("connection", "close")])


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return headers


def _parameters(found: Route, request: HttpRequest) -> dict[str, Any]:
    if found.service == own_operations.SERVICE:
        return own_operations.parameters(request.body)
    return parse(found, request)


async def _send(send: Send, response: HttpResponse) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
