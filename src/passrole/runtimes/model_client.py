"""Asks the server of a model, at a socket in the file system or at a port of loopback.

The server is a user's program, which may be hostile: an answer has a limit, and every wait a time. Its
connections stay open, and those that are not in use are used again. It knows no AWS.
"""

import asyncio
import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httptools

PING_SECONDS = 2.0
"""https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-algo-ping-requests.html"""

ANSWER_BYTES_MAX = 100 * 1024 * 1024
_READ_BYTES = 256 * 1024
_KEPT_MAX = 32
_OPENED = Path("/proc/self/fd")


class ServerGone(Exception):
    """Nothing answers, or what answers is not HTTP; the message says what happened."""


class NothingListens(ServerGone):
    """No server is there: it has not seen the request."""


class AnswerTooLarge(Exception):
    """The answer is larger than its limit."""


@dataclass(frozen=True)
class Place:
    """Where a server listens: a socket's path, or a port of 127.0.0.1."""

    socket: Path | None = None
    port: int | None = None


@dataclass
class Answer:
    """An answer to a request; the names of headers are in small letters."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def content_type(self) -> str | None:
        """Its Content-Type."""
        return self.headers.get("content-type")


class ModelClient:
    """A client of one server. Create it inside the event loop that will use it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._idle: list[_Connection] = []

    async def is_ready(self) -> bool:
        """Whether GET /ping is answered with 200 in time."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                return (await self.ask("GET", "/ping")).status == 200
        except (ServerGone, AnswerTooLarge, TimeoutError):
            return False

    async def invoke(
        self,
        body: bytes,
        headers: Mapping[str, str],
        *,
        seconds_max: float,
        bytes_max: int = ANSWER_BYTES_MAX,
    ) -> Answer:
        """POST /invocations. Raises ServerGone, AnswerTooLarge, TimeoutError."""
        async with asyncio.timeout(seconds_max):
            return await self.ask("POST", "/invocations", headers, body, bytes_max)

    async def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        bytes_max: int = ANSWER_BYTES_MAX,
    ) -> Answer:
        """One request. A connection that the server has closed since it was used last is made anew.

        Raises ServerGone, AnswerTooLarge, ValueError for a header that cannot be one.
        """
        head = _head(method, path, headers or {}, len(body))
        while True:
            is_new = not self._idle
            connection = await self._connection() if is_new else self._idle.pop()
            try:
                answer = await connection.ask(head, body, bytes_max)
            except _NothingAnswered as error:
                connection.close()
                if is_new:
                    raise ServerGone(str(error)) from error
                continue
            except BaseException:
                connection.close()
                raise
            if connection.stays_open and len(self._idle) < _KEPT_MAX:
                self._idle.append(connection)
            else:
                connection.close()
            return answer

    def close(self) -> None:
        """Close the connections that are not in use."""
        while self._idle:
            self._idle.pop().close()

    async def _connection(self) -> "_Connection":
        try:
            if self._place.socket is None:
                return _Connection(*await asyncio.open_connection("127.0.0.1", self._place.port))
            with _reachable(self._place.socket) as path:
                return _Connection(*await asyncio.open_unix_connection(path))
        except OSError as error:
            raise NothingListens(f"nothing listens: {error.strerror or error}") from error


@contextlib.contextmanager
def _reachable(socket: Path) -> Iterator[str]:
    """A path of the socket that is short enough for the system (108 bytes), however deep its folder is.

    The folder is the program's own to change: a link in its place is not followed.
    """
    try:
        folder = os.open(socket.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise NothingListens(f"nothing listens: {error.strerror}") from error
    try:
        short = _OPENED / str(folder)
        yield str((short if _OPENED.exists() else socket.parent) / socket.name)
    finally:
        os.close(folder)


def _head(method: str, path: str, headers: Mapping[str, str], length: int) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {length}"]
    for name, value in headers.items():
        if any(letter in f"{name}{value}" for letter in "\r\n\0"):
            raise ValueError(f"the header {name!r} has a line break")
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8")


class _NothingAnswered(Exception):
    """The connection ended before a byte of an answer came."""


class _Connection:
    """One connection, with one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.stays_open = False

    async def ask(self, head: bytes, body: bytes, bytes_max: int) -> Answer:
        reading = _Reading(bytes_max)
        reading.parser = parser = httptools.HttpResponseParser(reading)
        try:
            self._writer.writelines((head, body))
            await self._writer.drain()
        except OSError:  # it may have answered before it read everything
            pass
        try:
            while not reading.is_whole:
                piece = await self._reader.read(_READ_BYTES)
                if not piece:
                    return self._ended(reading)
                parser.feed_data(piece)
        except OSError as error:
            if not reading.has_begun:
                raise _NothingAnswered(str(error)) from error
            raise ServerGone(f"the connection broke off: {error}") from error
        except httptools.HttpParserError as error:
            if reading.is_too_large:
                raise AnswerTooLarge(f"the answer has more than {bytes_max} bytes") from None
            raise ServerGone(f"the answer is not HTTP: {error}") from error
        reading.answer.status = parser.get_status_code()
        self.stays_open = reading.keeps_open
        return reading.finished()

    def _ended(self, reading: "_Reading") -> Answer:
        """The server has closed the connection, which ends an answer that has no other end."""
        if not reading.has_begun:
            raise _NothingAnswered("the server closed the connection without an answer")
        if not reading.has_headers or {"content-length", "transfer-encoding"} & reading.answer.headers.keys():
            raise ServerGone("the server closed the connection before its answer was whole")
        reading.answer.status = reading.answer.status or 200
        return reading.finished()

    def close(self) -> None:
        self._writer.close()


class _Reading:
    """An answer while it comes; `parser` calls it."""

    parser: httptools.HttpResponseParser

    def __init__(self, bytes_max: int) -> None:
        self.answer = Answer()
        self.keeps_open = False
        self.is_whole = self.has_begun = self.has_headers = self.is_too_large = False
        self._left = bytes_max
        self._pieces: list[bytes] = []

    def finished(self) -> Answer:
        self.answer.body = b"".join(self._pieces)
        return self.answer

    def on_message_begin(self) -> None:
        self.has_begun = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self.answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.has_headers = True

    def on_body(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._left < 0:
            self.is_too_large = True
            raise ValueError
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        self.is_whole = True
        self.keeps_open = self.parser.should_keep_alive()  # it can be asked only here
