"""The three requests that SageMaker makes of a container, over a socket in the file system.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html#your-algorithms-inference-code-container-response
"""

from __future__ import annotations

import json
import logging
import socket
import threading
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, NamedTuple, Protocol

log = logging.getLogger("sagemaker-inference")

WAITING_MAX = 128
OWN_NAME = "local"


class Answer(NamedTuple):
    """What a request gets."""

    body: bytes
    content_type: str = "text/plain"
    status: int = 200


class Refused(Exception):
    """A request is refused with this status; the message is the body."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Model(Protocol):
    """What is served."""

    def invoke(self, body: bytes, content_type: str | None, accept: str | None) -> Answer:
        """The predictions for a request. Raises Refused, and whatever the user's code raises."""

    def execution_parameters(self) -> dict[str, Any] | None:
        """What a batch transform uses where it was not told; None where the model does not say."""


def serve(model: Model, path: str) -> None:
    """Answer requests at the socket `path`, for ever."""
    if Path(path).exists():
        Path(path).unlink()
    with Server(path, model) as server:
        server.serve_forever()


class Server(ThreadingMixIn, HTTPServer):
    """Answers each connection in a thread of its own; the model answers one request at a time."""

    address_family = socket.AF_UNIX
    request_queue_size = WAITING_MAX
    daemon_threads = True

    def __init__(self, path: str, model: Model) -> None:
        self.model = model
        self.turn = threading.Lock()
        super().__init__(path, Handler)  # type: ignore[arg-type, unused-ignore]  # the stubs know ports only

    def server_bind(self) -> None:
        """Without the names that a port has."""
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = OWN_NAME, 0

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """A client that has gone is no error of the model's."""
        log.debug("a connection was lost", exc_info=True)


class Handler(BaseHTTPRequestHandler):
    """One connection, which stays open between requests."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        """`/ping` and `/execution-parameters`."""
        if self.path == "/ping":
            self._send(Answer(b""))
            return
        found = None
        if self.path == "/execution-parameters":
            found = self._answered(self.server.model.execution_parameters)
        if isinstance(found, Answer):
            self._send(found)
        elif found is None:
            self._send(Answer(b"", status=404))
        else:
            self._send(Answer(json.dumps(found).encode(), "application/json"))

    def do_POST(self) -> None:
        """`/invocations`."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self.close_connection = True
            self._send(Answer(b"Content-Length is missing", status=411))
            return
        body = self.rfile.read(int(length))
        if self.path != "/invocations":
            self._send(Answer(b"", status=404))
            return
        given = self.headers.get("Content-Type"), self.headers.get("Accept")
        with self.server.turn:
            answer = self._answered(lambda: self.server.model.invoke(body, *given))
        self._send(answer)

    def _answered(self, ask: Any) -> Any:
        """What the model says, or an Answer that tells its error as AWS's server does: with a traceback."""
        try:
            return ask()
        except Refused as refused:
            log.warning("%s", refused)
            return Answer(str(refused).encode(), status=refused.status)
        except Exception as error:
            log.exception("the model failed")
            told = f"{error}\n{traceback.format_exc()}"
            return Answer(told.encode("utf-8", "replace"), status=500)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def address_string(self) -> str:
        """A client of such a socket has no address."""
        return OWN_NAME

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Requests that went well are not printed: a batch has thousands."""
