"""The Lambda Runtime API (2018-06-01) for one worker: sends invocations and receives responses.

It is raw HTTP/1.1 over asyncio.Protocol, since every warm invocation uses it. A listener belongs to one
worker. Every user of the machine can reach its port, so the API is below a random path, which is in the
worker's environment and visible only to the worker's user. The Host header must be ours, so that no page in a
browser can use it by DNS rebinding. It knows no processes: the worker offers invocations and gets the
results. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

    GET  runtime/invocation/next            200 once there is one (long poll)
    POST runtime/invocation/{id}/response   202
    POST runtime/invocation/{id}/error      202
    POST runtime/init/error                 202
"""

import asyncio
import hmac
from dataclasses import dataclass
from typing import NamedTuple, Protocol, cast

from passrole import ids
from passrole.runtimes.failures import RESPONSE_BYTES_MAX

STRANGER_BYTES_MAX = 16_384
STRANGER_SECONDS_MAX = 10.0
_RUNTIME = b"/2018-06-01/runtime/"
_INVOCATION = _RUNTIME + b"invocation/"
_HEAD_BYTES_MAX = 2_097_152  # awslambdaric sends an X-Ray cause of up to 1 MiB as a header
_ACCEPTED = (
    b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
)
_LENGTH_DIGITS_MAX = 18  # more bytes than any machine has
_REFUSED = b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class NextInvocation:
    """One invocation for the runtime; the deadline is in milliseconds since the epoch."""

    request_id: str
    function_arn: str
    deadline_ms: int
    payload: bytes

    def as_response(self) -> bytes:
        """The response to GET next."""
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Lambda-Runtime-Aws-Request-Id: {self.request_id}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {self.deadline_ms}\r\n"
            f"Lambda-Runtime-Invoked-Function-Arn: {self.function_arn}\r\n"
            f"Content-Length: {len(self.payload)}\r\n\r\n"
        )
        return head.encode() + self.payload


class Listener(Protocol):
    """Gets the runtime's messages. A payload of None exceeded the limit and was dropped."""

    def polled(self) -> None:
        """The runtime polls for an invocation: its initialisation is complete."""

    def answered(self, payload: bytes | None, *, failed: bool) -> None:
        """The current invocation ended."""

    def failed_to_initialise(self, payload: bytes) -> None:
        """The function could not be loaded."""


class Broker:
    """The API's state: the polling connection, and the current invocation."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._path = f"/{ids.secret_path()}".encode()
        self._host = b""
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._waiting: _Connection | None = None
        self._offered: NextInvocation | None = None
        self._out: bytes | None = None

    async def listen(self) -> str:
        """Start listening; returns the value of AWS_LAMBDA_RUNTIME_API: `127.0.0.1:port/path`."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        self._host = f"{host}:{port}".encode()
        return f"{host}:{port}{self._path.decode()}"

    def offer(self, handout: NextInvocation) -> None:
        """Send this invocation, now or at the runtime's next poll."""
        assert self._offered is None and self._out is None
        self._offered = handout
        self._hand_out()

    @property
    def is_out(self) -> bool:
        """Whether the runtime has received the invocation and not responded yet."""
        return self._out is not None

    def close(self) -> None:
        """Stop listening and close all connections."""
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._connections):
            connection.hang_up()

    def admits(self, head: "Head") -> bool:
        """Whether the request is the worker's: it has the secret path, compared in constant time."""
        below = self._path + b"/"
        knows = hmac.compare_digest(head.path[: len(below)], below)
        return knows and head.host == self._host

    def connected(self, connection: "_Connection") -> None:
        """Add a connection; a runtime has one for its polls and short ones for errors."""
        self._connections.add(connection)

    def disconnected(self, connection: "_Connection") -> None:
        """Remove a connection, also as the polling one."""
        self._connections.discard(connection)
        if self._waiting is connection:
            self._waiting = None

    def requested(self, connection: "_Connection", head: "Head", body: bytes | None) -> None:
        """Serve one request of the worker."""
        path = head.path[len(self._path) :]
        if head.method == b"GET" and path == _INVOCATION + b"next":
            self._waiting = connection
            self._listener.polled()
            self._hand_out()
        elif head.method == b"POST" and path == _RUNTIME + b"init/error":
            connection.send(_ACCEPTED)
            self._listener.failed_to_initialise(body or b"{}")
        elif head.method == b"POST" and path.startswith(_INVOCATION):
            self._answered(connection, path[len(_INVOCATION) :], body)
        else:
            connection.send(_REFUSED % (404, b"Not Found"))

    def _hand_out(self) -> None:
        if self._waiting is None or self._offered is None:
            return
        handout, self._offered = self._offered, None
        connection, self._waiting = self._waiting, None
        self._out = handout.request_id.encode()
        connection.send(handout.as_response())

    def _answered(self, connection: "_Connection", rest: bytes, body: bytes | None) -> None:
        request_id, _, kind = rest.partition(b"/")
        if self._out is None or request_id != self._out or kind not in (b"response", b"error"):
            connection.send(_REFUSED % (400, b"Bad Request"))
            return
        self._out = None
        connection.send(_ACCEPTED)  # also if it was too large, so that the worker stays warm
        self._listener.answered(body, failed=kind == b"error")


class Head(NamedTuple):
    """The relevant parts of a request's head."""

    method: bytes
    path: bytes
    host: bytes
    length: int
    expects_continue: bool


class _Connection(asyncio.Protocol):
    """Parses requests. A body over the limit is counted and dropped.

    Until its first head has the secret path, a connection is limited in bytes and time.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._head: Head | None = None
        self._dropped = 0
        self._stranger: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's class has the same methods
        self._stranger = asyncio.get_running_loop().call_later(STRANGER_SECONDS_MAX, self.hang_up)
        self._broker.connected(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        self._is_known()
        self._broker.disconnected(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._take_request():
            pass

    def send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _take_request(self) -> bool:
        if self._head is None:
            self._head = self._take_head()
        if self._head is None or not self._body_is_here(self._head):
            return False
        head, self._head = self._head, None
        dropped, self._dropped = self._dropped, 0
        body = None if dropped else bytes(self._buffer[: head.length])
        if not dropped:
            del self._buffer[: head.length]
        self._broker.requested(self, head, body)
        return True

    def _take_head(self) -> Head | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > (_HEAD_BYTES_MAX if self._stranger is None else STRANGER_BYTES_MAX):
                self.hang_up()
            return None
        head = _parsed(bytes(self._buffer[:end]))
        if head is None:
            self.hang_up()
            return None
        if not self._broker.admits(head):
            self._refuse()
            return None
        self._is_known()
        del self._buffer[: end + 4]
        if head.expects_continue:
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return head

    def _refuse(self) -> None:
        self._buffer.clear()
        if self._transport is not None:
            self._transport.write(_REFUSED % (403, b"Forbidden"))
            self._transport.close()

    def _is_known(self) -> None:
        if self._stranger is not None:
            self._stranger.cancel()
            self._stranger = None

    def _body_is_here(self, head: Head) -> bool:
        if head.length <= RESPONSE_BYTES_MAX:
            return len(self._buffer) >= head.length
        taken = min(len(self._buffer), head.length - self._dropped)
        self._dropped += taken
        del self._buffer[:taken]
        return self._dropped == head.length


def _parsed(text: bytes) -> Head | None:
    """The head; None if it is not HTTP or has no valid length."""
    first, *lines = text.split(b"\r\n")
    words = first.split(b" ")
    if len(words) != 3:
        return None
    headers = {
        name.strip().lower(): value.strip()
        for name, found, value in (line.partition(b":") for line in lines)
        if found
    }
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or len(length) > _LENGTH_DIGITS_MAX or b"transfer-encoding" in headers:
        return None
    host = headers.get(b"host", b"")
    return Head(words[0], words[1], host, int(length), headers.get(b"expect", b"").lower() == b"100-continue")
