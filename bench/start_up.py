"""How soon `passrole serve` accepts calls, and how much memory it takes.

The peer is Python itself: an interpreter that starts, imports what every AWS client imports, and ends.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.measure import median_of, seconds
from bench.server import Server
from bench.table import Figure, Peer, Row

ROUNDS = 5
CALLS = 1_300


def rows() -> Iterator[Row]:
    """A first start, later starts, and memory before and after some use."""
    python = Peer("python -c 'import boto3'", Figure(median_of(ROUNDS, lambda: seconds(bare_python)), "s"))
    ready, resident = Figure(0.7, "s"), Figure(100e6, "bytes")
    with tempfile.TemporaryDirectory() as folder:
        with Server(Path(folder, "data")) as server:
            first = server.ready_seconds
        again = median_of(ROUNDS, lambda: _start(Path(folder, "data")))
        with Server(Path(folder, "data")) as server:
            idle = server.resident_bytes
            _use(server)
            used = server.resident_bytes
    yield Row("`serve` ready, on a new folder", Figure(first, "s"), python, ready)
    yield Row("`serve` ready, on a folder that is there", Figure(again, "s"), python, ready)
    yield Row("resident when ready", Figure(idle, "bytes"), None, resident)
    yield Row(f"resident after {CALLS:,} calls", Figure(used, "bytes"), None, resident)


def _start(folder: Path) -> float:
    with Server(folder) as server:
        return server.ready_seconds


def _use(server: Server) -> None:
    """SQS and IAM in turn."""
    sqs, iam = server.client("sqs"), server.client("iam")
    queue_url = sqs.create_queue(QueueName="bench")["QueueUrl"]
    for _ in range(CALLS // 2):
        sqs.send_message(QueueUrl=queue_url, MessageBody="x" * 200)
        iam.get_role(RoleName=server.access["role_name"])


def bare_python() -> None:
    """What every Python client of AWS waits for before it does anything."""
    subprocess.run([sys.executable, "-c", "import boto3"], check=True)
