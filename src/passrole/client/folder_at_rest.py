"""The gateway of a data folder on which no server runs, in this process: requests without a network.

A request is signed, verified and authorised as at a server. The event loop has a thread of its own, so that
any thread may send, also one that runs a loop itself.
"""

import asyncio
import io
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from urllib3.response import HTTPResponse

from passrole import app
from passrole.config import Config
from passrole.gateway import Gateway

T = TypeVar("T")


@contextmanager
def opened(config: Config, *, writes: bool = False) -> Iterator["AtRest"]:
    """See `app.at_rest`. Raises DataFolderInUse, DataFolderUnusable."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="passrole-at-rest", daemon=True)
    thread.start()
    gateway = app.at_rest(config, writes=writes)
    try:
        found = AtRest(_on(loop, gateway.__aenter__()), loop)
        try:
            yield found
        finally:
            _on(loop, gateway.__aexit__(None, None, None))
    finally:
        _on(loop, loop.shutdown_default_executor())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class AtRest:
    """Sends requests to a gateway in this process."""

    def __init__(self, gateway: Gateway, loop: asyncio.AbstractEventLoop) -> None:
        self._gateway = gateway
        self._loop = loop

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """The answer, as botocore has it of a network."""
        return _on(self._loop, self._answer(request))

    async def _answer(self, request: AWSPreparedRequest) -> AWSResponse:
        body, sent = _bytes(request.body), list[Mapping[str, Any]]()
        unread = [body]

        async def receive() -> Mapping[str, Any]:
            if not unread:
                await asyncio.Event().wait()  # for a caller that hangs up, which this one never does
            return {"type": "http.request", "body": unread.pop(), "more_body": False}

        async def send(message: Mapping[str, Any]) -> None:
            sent.append(message)

        await self._gateway(_scope(request, body), receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in sent[0]["headers"]}
        content = b"".join(message.get("body", b"") for message in sent[1:])
        raw = HTTPResponse(io.BytesIO(content), headers, sent[0]["status"], preload_content=False)
        return AWSResponse(request.url, raw.status, HTTPHeaders.from_dict(headers), raw)


def _scope(request: AWSPreparedRequest, body: bytes) -> dict[str, Any]:
    """https://asgi.readthedocs.io/en/latest/specs/www.html#http-connection-scope"""
    url = urlsplit(request.url)
    headers = [(name.lower().encode(), _header(value)) for name, value in request.headers.items()]
    named = {name for name, _ in headers}
    if b"host" not in named:
        headers.append((b"host", url.netloc.encode()))
    if b"content-length" not in named:
        headers.append((b"content-length", str(len(body)).encode()))
    return {
        "type": "http",
        "method": request.method,
        "scheme": url.scheme,
        "raw_path": (url.path or "/").encode(),
        "query_string": url.query.encode(),
        "headers": headers,
        "client": ("127.0.0.1", 0),
    }


def _header(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("latin-1")


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    found = body if isinstance(body, str | bytes | bytearray) else body.read()
    return found.encode() if isinstance(found, str) else bytes(found)


def _on(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, loop).result()
