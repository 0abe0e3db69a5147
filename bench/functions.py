"""What a warm Lambda invocation costs, as boto3 sees it, beside the least that any other process costs.

The function returns its event. The peer is a line of JSON through a pipe to a Python child and back.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.measure import p50
from bench.server import Server
from bench.table import Figure, Peer, Row

CALLS = 400
WARM_UP = 50
EVENT = json.dumps({"a": 1}).encode()
ECHO = "def handler(event, context):\n    return event\n"

_ECHO_LINES = "import sys\nfor line in sys.stdin.buffer:\n sys.stdout.buffer.write(line)\n sys.stdout.flush()"


def rows() -> Iterator[Row]:
    """The invocation, and how much of it any call through boto3 would take."""
    pipe = Peer("a bare pipe round trip", Figure(_seconds_of_a_pipe(), "s"))
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        server.function("sagemaker-echo", ECHO)
        lambda_, sts = server.client("lambda"), server.client("sts")
        identity = p50(CALLS, sts.get_caller_identity, warm_up=WARM_UP)
        invocation = p50(
            CALLS, lambda: lambda_.invoke(FunctionName="sagemaker-echo", Payload=EVENT), warm_up=WARM_UP
        )
    yield Row("warm Lambda invocation through boto3, p50", Figure(invocation, "s"), pipe, Figure(0.003, "s"))
    yield Row("of it: what any call takes (GetCallerIdentity), p50", Figure(identity, "s"), pipe)


def _seconds_of_a_pipe() -> float:
    command = [sys.executable, "-c", _ECHO_LINES]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:  # noqa: S603
        assert child.stdin is not None and child.stdout is not None
        to_child, from_child = child.stdin, child.stdout

        def round_trip() -> None:
            to_child.write(EVENT + b"\n")
            to_child.flush()
            from_child.readline()

        return p50(CALLS * 10, round_trip, warm_up=WARM_UP)
