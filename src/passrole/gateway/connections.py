"""uvicorn's connection with limits: size and time of a request's head, and silence during its body.

The head of an answer and its body are sent together: uvicorn writes them one after the other, and a client
whose server is killed between the two has a success without a body, which botocore takes for an empty one.

It does not know what requests mean. A slow client that keeps sending is served; one that sends nothing for
SILENT_SECONDS_MAX within a request is disconnected, and so is one whose head never ends. Time in which the
server itself does not read does not count as silence.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 65_536
HEAD_PIECE_BYTES = 8_192
WAITING_MAX = 100
"""Pipelined requests, which no SDK sends."""
HEAD_SECONDS_MAX = 20.0
SILENT_SECONDS_MAX = 30.0
SWEEP_SECONDS = 5.0
LINGER_SECONDS = 2.0
TOGETHER_BYTES_MAX = 65_536
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Connection(HttpToolsProtocol):
    """The protocol class for uvicorn's setting `http`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._in_head = True  # a client that connects is about to send one
        self._in_body = False
        self._is_refused = False
        self._head_bytes = 0
        self._began = self._received = self.loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answers go by way of a Joined transport."""
        joined = Joined(cast(asyncio.Transport, transport), self.loop)
        super().connection_made(cast(asyncio.Transport, joined))

    def data_received(self, data: bytes) -> None:
        """Feed received bytes in pieces, since many small heads cost far more than their bytes."""
        start = 0
        while start < len(data):
            end = start + (HEAD_BYTES_MAX if self._in_body else HEAD_PIECE_BYTES)
            self._read(data[start:end])
            start = end

    def _read(self, data: bytes) -> None:
        """Feed one piece. A head that begins in the same piece as a body ends is not counted yet."""
        if self._is_refused:
            return
        self._received = self.loop.time()
        counted = self._head_bytes + len(data) if self._in_head else 0
        super().data_received(data)
        self._head_bytes = counted if self._in_head else 0
        is_too_much = self._head_bytes > HEAD_BYTES_MAX or len(self.pipeline) > WAITING_MAX
        if is_too_much and not self.transport.is_closing():
            self._refuse()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head, self._began = True, self._received
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head, self._in_body = False, True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._in_body = False
        super().on_message_complete()

    def _refuse(self) -> None:
        """Send 431 and ignore further bytes: after closing at once the client could not read the response."""
        self._is_refused = True
        self.pipeline.clear()
        self.transport.write(_TOO_LARGE)
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def is_overdue(self, now: float) -> bool:
        """Whether the client has exceeded the time for its head, or its silence within a body."""
        if self._in_head:
            return now - self._began > HEAD_SECONDS_MAX
        return self._in_body and not self.flow.read_paused and now - self._received > SILENT_SECONDS_MAX


class Joined:
    """A transport that sends at once what is written in one turn of the loop, TOGETHER_BYTES_MAX at the least
    before it sends in between.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._waiting: list[bytes] = []
        self._bytes = 0

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's own."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send it together with what is written before the loop's next turn."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)
        self._bytes += len(data)
        if self._bytes >= TOGETHER_BYTES_MAX:
            self._flush()

    def close(self) -> None:
        """Send what waits, and close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        together, self._waiting, self._bytes = self._waiting, [], 0
        if together and not self._transport.is_closing():
            self._transport.writelines(together)


async def sweep(connections: Iterable[Any]) -> None:
    """Close overdue connections every SWEEP_SECONDS, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        now = loop.time()
        for connection in [found for found in connections if isinstance(found, Connection)]:
            if connection.is_overdue(now):
                connection.transport.abort()
