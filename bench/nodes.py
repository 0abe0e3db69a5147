"""What several nodes on one PostgreSQL do, beside the embedded store in the same run.

PostgreSQL is started for it, syncs to the disk, and shares the machine with the nodes. Where there is none,
nothing is measured.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from bench import callbacks, definitions, engine, queues
from bench.measure import p50, wait_until
from bench.postgres import of_the_tests
from bench.server import Server
from bench.table import Figure, Peer, Row

NODES = (1, 2, 4)
EXECUTIONS, AT_ONCE, ROUNDS = 2_000, 200, 3
CALLS, ANSWERS = 400, 31
COMMITS, WITHIN_SECONDS = 300, 120

_RUNNING = "SELECT count(*) FROM tasks"


def rows() -> Iterator[Row]:
    """Executions of one step by 1, 2 and 4 nodes; a queue's message; an answer that another node is given."""
    tests = of_the_tests()
    try:
        with tests.cluster() as postgres:
            yield from _executions(postgres)
            yield from _notices(postgres)
            yield from _calls(postgres)
    except tests.PostgresMissing as missing:
        print(f"nodes: {missing}", file=sys.stderr)


def _executions(postgres: Any) -> Iterator[Row]:
    embedded = Peer("embedded, one process", Figure(engine.executions_a_second(), "/s"))
    for count in NODES:
        url = postgres.create(f"nodes_{count}")
        budget = Figure(1_000, "/s") if count == 2 else None
        what = f"PostgreSQL: 1-step executions, {count} node{'s' if count > 1 else ''}"
        yield Row(what, Figure(_executions_a_second(url, count), "/s"), embedded, budget)


def _executions_a_second(url: str, count: int) -> float:
    with ExitStack() as stack, psycopg.connect(url, autocommit=True) as seen:
        nodes = [stack.enter_context(_node(url, number, 64 // count)) for number in range(count)]
        for node in nodes:
            _told(node, "ready")

        def once() -> float:
            began = time.perf_counter()
            for node in nodes:
                assert node.stdin is not None
                node.stdin.write(f"{EXECUTIONS // count} {AT_ONCE // count}\n")
                node.stdin.flush()
            for node in nodes:
                _told(node, "begun")
            wait_until(lambda: seen.execute(_RUNNING).fetchone() == (0,), "the last execution", pause=0.01)
            return time.perf_counter() - began

        once()
        return EXECUTIONS / median(once() for _ in range(ROUNDS))


@contextmanager
def _node(url: str, number: int, shards: int) -> Iterator["subprocess.Popen[str]"]:
    words = [sys.executable, "-m", "bench.node_process", url, f"bench-{number}", str(shards)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            yield process
        finally:
            process.kill()


def _told(node: "subprocess.Popen[str]", word: str) -> None:
    assert node.stdout is not None
    line = node.stdout.readline()
    if line.strip() != word:
        raise RuntimeError(f"a node ended before it was {word}")


def _notices(postgres: Any) -> Iterator[Row]:
    """A commit with a notice, sent as ours are, and in the commit itself."""
    url = postgres.create("notices")
    with psycopg.connect(url, autocommit=True) as one, psycopg.connect(url, autocommit=True) as other:
        one.execute("CREATE TABLE journal (number bigserial, line text)")

        def commit(*, notifies: bool) -> None:
            with one.transaction():
                one.execute("INSERT INTO journal (line) VALUES ('x')")
                if notifies:
                    one.execute("NOTIFY bench")

        def apart() -> None:
            commit(notifies=False)
            other.execute("NOTIFY bench")

        bare = p50(COMMITS, lambda: commit(notifies=False))
        inside = Peer("NOTIFY in the commit", Figure(p50(COMMITS, lambda: commit(notifies=True)), "s"))
        yield Row("PostgreSQL: a commit", Figure(bare, "s"))
        yield Row(
            "PostgreSQL: a commit, then NOTIFY by another connection",
            Figure(p50(COMMITS, apart), "s"),
            inside,
        )


def _calls(postgres: Any) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        embedded = _seconds_of_send_message(server)
    with two(postgres.create("calls")) as (one, other):
        sent = _seconds_of_send_message(one)
        answered = _seconds_to_next(one, other)
    peer = Peer("embedded", Figure(embedded, "s"))
    yield Row("PostgreSQL: SendMessage through boto3, two nodes", Figure(sent, "s"), peer)
    what = "PostgreSQL: callback answered at the other node, to next step's function running"
    yield Row(what, Figure(answered, "s"), None, Figure(0.02, "s"))


@contextmanager
def two(url: str) -> Iterator[tuple[Server, Server]]:
    """Two servers of the database, once they share the work; S3's objects are another server's."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        base = Path(folder)
        objects = stack.enter_context(Server(base / "objects", "--only", "s3"))
        keys = {
            "PASSROLE_S3_ACCESS_KEY_ID": objects.access["access_key_id"],
            "PASSROLE_S3_SECRET_ACCESS_KEY": objects.access["secret_access_key"],
        }
        options = ("--store", url, "--s3-endpoint", objects.url)
        one, other = (
            stack.enter_context(Server(base / name, *options, environment=keys)) for name in ("one", "other")
        )
        shares = "SELECT count(*) FROM leases WHERE node > 0 AND is_closing = 0 GROUP BY node"
        with psycopg.connect(url, autocommit=True) as seen:
            wait_until(lambda: seen.execute(shares).fetchall() == [(32,), (32,)], "the shares", pause=0.1)
        yield one, other


def _seconds_of_send_message(server: Server) -> float:
    sqs = server.client("sqs")
    queue_url = sqs.create_queue(QueueName="bench")["QueueUrl"]
    return p50(CALLS, lambda: sqs.send_message(QueueUrl=queue_url, MessageBody=queues.BODY))


def _seconds_to_next(one: Server, other: Server) -> float:
    """Of executions that one is told to start, whose answers the other is given."""
    function = one.function("sagemaker-now", callbacks.NOW)
    queue_url = one.client("sqs").create_queue(QueueName="sagemaker-approvals")["QueueUrl"]
    one.pipeline("approval", definitions.approval(queue_url, function))
    clients: tuple[Any, Any] = other.client("sagemaker"), one.client("sqs")
    for _ in range(8):  # until each node has the function's process
        callbacks.seconds_to_next(*clients, queue_url)
    return median(callbacks.seconds_to_next(*clients, queue_url) for _ in range(ANSWERS))
