"""What the console costs: pages of large executions, and the engine while many pages are open.

The pages are asked over HTTP by one client that is signed in, as a browser asks for them.
"""

import http.client
import json
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlencode, urlsplit

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench import definitions
from bench.measure import p50, wait_until
from bench.server import Server
from bench.table import Figure, Peer, Row

STEPS, MANY_STEPS = 200, 1_990
STREAMS, BUSY_STREAMS = 100, 50
IDLE_SECONDS = 5
CHAIN, ROUNDS = 100, 9

_NOTHING = "def handler(event, context):\n    return {}\n"


def rows() -> Iterator[Row]:
    """Pages of two executions; then what open pages cost while nothing happens, and while much does."""
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder), *_WITH_PAGES) as server:
        function, pages = server.function("sagemaker-nothing", _NOTHING), Pages(server, Path(folder))
        for steps, calls, budget in ((STEPS, 31, 0.03), (MANY_STEPS, 5, 1.0)):
            path = f"/executions/{_run(server, f'of-{steps}', definitions.chain(function, steps))}"
            taken = p50(calls, lambda path=path: pages.get(path), warm_up=3)  # type: ignore[misc]
            yield Row(f"console: page of {steps:,} steps", Figure(taken, "s"), None, Figure(budget, "s"))
        yield from _idle_streams(server, pages)
        yield _busy_streams(server, pages, function)


class Pages:
    """A browser that is signed in as the administrator."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.at = urlsplit(json.loads((folder / "server.json").read_text())["console"])
        self._pool = urllib3.PoolManager()
        token = _link_token(server)
        link = f"{self.at.geturl()}/login?{urlencode({'token': token})}"
        answer = self._pool.request("GET", link, redirect=False)
        self.cookie = answer.headers["set-cookie"].partition(";")[0]

    def get(self, path: str) -> None:
        """Ask for a page, whole."""
        answer = self._pool.request("GET", self.at.geturl() + path, headers={"Cookie": self.cookie})
        if answer.status != http.client.OK:
            raise RuntimeError(f"{path} answered {answer.status}")

    @contextmanager
    def streams(self, count: int) -> Iterator[None]:
        """So many open pages hear of every change."""
        with ExitStack() as opened:
            for _ in range(count):
                stream = opened.enter_context(socket.create_connection((self.at.hostname, self.at.port)))
                head = f"GET /events HTTP/1.1\r\nHost: {self.at.netloc}\r\nCookie: {self.cookie}\r\n\r\n"
                stream.sendall(head.encode())
                if b"200 OK" not in stream.recv(4096):
                    raise RuntimeError("a stream was refused")
            yield


def _link_token(server: Server) -> str:
    url = f"{server.url}/_passrole/CreateConsoleSession"
    request = AWSRequest("POST", url, data="{}", headers={"Content-Type": "application/json"})
    keys = Credentials(server.access["access_key_id"], server.access["secret_access_key"])
    SigV4Auth(keys, "passrole", server.access["region"]).add_auth(request)
    answer = urllib3.request("POST", url, body=request.data, headers=dict(request.headers))
    return str(json.loads(answer.data)["Token"])


def _idle_streams(server: Server, pages: Pages) -> Iterator[Row]:
    before = server.resident_bytes
    with pages.streams(STREAMS):
        added, cpu = server.resident_bytes - before, server.cpu_seconds
        time.sleep(IDLE_SECONDS)
        used = (server.cpu_seconds - cpu) / IDLE_SECONDS
    what = f"console: {STREAMS} open pages,"
    yield Row(f"{what} idle CPU", Figure(used, "cores"), None, Figure(0.01, "cores"))
    yield Row(f"{what} memory added", Figure(max(0, added), "bytes"), None, Figure(20e6, "bytes"))


def _busy_streams(server: Server, pages: Pages, function: str) -> Row:
    """Rounds with and without take turns, so that what else the machine does is in both."""
    server.pipeline("busy", definitions.chain(function, CHAIN))
    _seconds(server, "busy")
    without, with_streams = list[float](), list[float]()
    for _ in range(ROUNDS):
        without.append(_seconds(server, "busy"))
        with pages.streams(BUSY_STREAMS):
            with_streams.append(_seconds(server, "busy"))
    peer = Peer("with none open", Figure(CHAIN / median(without), "/s"))
    least = Figure(0.95 * CHAIN / median(without), "/s")
    what = f"engine: steps a second, {BUSY_STREAMS} pages open"
    return Row(what, Figure(CHAIN / median(with_streams), "/s"), peer, least)


def _run(server: Server, name: str, definition: str) -> str:
    """The id of an execution of a new pipeline, which is over."""
    server.pipeline(name, definition)
    return _ended(server, name).rpartition("/")[2]


def _seconds(server: Server, pipeline: str) -> float:
    sagemaker = server.client("sagemaker")
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=_ended(server, pipeline))
    took: float = (described["LastModifiedTime"] - described["CreationTime"]).total_seconds()
    return took


def _ended(server: Server, pipeline: str) -> str:
    sagemaker = server.client("sagemaker")
    arn: str = sagemaker.start_pipeline_execution(PipelineName=pipeline)["PipelineExecutionArn"]

    def is_over() -> bool:
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        return bool(described["PipelineExecutionStatus"] == "Succeeded")

    wait_until(is_over, "the end of the execution", within=600)
    return arn


_WITH_PAGES = ("--console", "--console-port", "0")
