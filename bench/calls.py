"""What a call costs the server in processor time, beside a bare server on the same stack and MiniStack.

One boto3 client calls; what is counted is the process of the server alone. passrole verifies the signature,
decides, writes a line of the audit trail, and has a message on the disk when it answers. The bare server does
none of this, nor does MiniStack, which has all in memory.
"""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psutil  # type: ignore[import-untyped,unused-ignore]
from botocore.config import Config

from bench.bare_server import MESSAGE
from bench.measure import median_of, wait_until
from bench.server import Server
from bench.table import Figure, Peer, Row

MINISTACK = Path(__file__).parents[1] / ".venv-peers" / "bin" / "ministack"
CALLS, ROUNDS = 600, 5
BUDGETS = {"GetCallerIdentity": 0.000_240, "SendMessage": 0.000_450}
_CONFIG = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False)


def rows() -> Iterator[Row]:
    """Each call beside each peer."""
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        own = _costs(lambda: server.cpu_seconds, server.client)
    peers = {"a bare server of constants": _costs_of_constants()}
    if MINISTACK.exists():
        peers["MiniStack"] = _costs_of_ministack()
    else:
        print("calls: MiniStack is missing: make .venv-peers/.installed", file=sys.stderr)
    for call, seconds in own.items():
        for name, costs in peers.items():
            what, peer = f"server CPU of a {call}, embedded store", Peer(name, Figure(costs[call], "s"))
            yield Row(what, Figure(seconds, "s"), peer, Figure(BUDGETS[call], "s"))


def _costs_of_constants() -> dict[str, float]:
    words = [sys.executable, "-m", "bench.bare_server"]
    with _ended(subprocess.Popen(words, stdout=subprocess.PIPE, text=True)) as process:  # noqa: S603 (our own)
        assert process.stdout is not None
        return _costs_at(process.stdout.readline().strip(), process.pid)


def _costs_of_ministack() -> dict[str, float]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    environment = {**os.environ, "GATEWAY_PORT": str(port)}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([MINISTACK], env=environment, stdout=quiet, stderr=quiet)  # noqa: S603 (a peer)
    with _ended(process):
        wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "MiniStack")
        return _costs_at(f"http://127.0.0.1:{port}", process.pid)


@contextmanager
def _ended(process: "subprocess.Popen[Any]") -> Iterator["subprocess.Popen[Any]"]:
    """At the end of the block."""
    with process:
        try:
            yield process
        finally:
            process.kill()


def _costs_at(url: str, pid: int) -> dict[str, float]:
    """Of a server that believes any key."""
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name="us-east-1")

    def cpu_seconds() -> float:
        server = psutil.Process(pid)
        times = [each.cpu_times() for each in (server, *server.children(recursive=True))]
        return sum(float(each.user + each.system) for each in times)

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=url, config=_CONFIG)  # type: ignore[call-overload]

    return _costs(cpu_seconds, client)


def _costs(cpu_seconds: Callable[[], float], client: Callable[[str], Any]) -> dict[str, float]:
    """Processor seconds of each call."""
    sts, sqs = client("sts"), client("sqs")
    queue_url = sqs.create_queue(QueueName="bench")["QueueUrl"]

    def cost(call: Callable[[], object]) -> float:
        def once() -> float:
            before = cpu_seconds()
            for _ in range(CALLS):
                call()
            return (cpu_seconds() - before) / CALLS

        once()
        return median_of(ROUNDS, once)

    return {
        "GetCallerIdentity": cost(sts.get_caller_identity),
        "SendMessage": cost(lambda: sqs.send_message(QueueUrl=queue_url, MessageBody=MESSAGE)),
    }
