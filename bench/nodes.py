"""What several nodes on one PostgreSQL do, beside the embedded store in the same run.

PostgreSQL is started for it, syncs to the disk, and shares the machine with the nodes. Where there is none,
nothing is measured.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
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

PEERS_PYTHON = Path(__file__).parents[1] / ".venv-peers" / "bin" / "python"
OF_PEERS = (1, 2)
WORK_OF_PEERS = {"dbos": "workflows of one step", "procrastinate": "jobs"}

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
        own = Figure(_executions_a_second(url, count), "/s")
        what = f"PostgreSQL: 1-step executions, {_counted(count, 'node')}"
        yield Row(what, own, embedded, Figure(1_000, "/s") if count == 2 else None)
        if count in OF_PEERS and PEERS_PYTHON.exists():
            for name, work in WORK_OF_PEERS.items():
                peer = f"{name}: {work}, {_counted(count, 'process')}"
                done = _done_a_second(name, postgres.create(f"{name}_{count}"), count)
                yield Row("the same", own, Peer(peer, Figure(done, "/s")))
    if not PEERS_PYTHON.exists():
        print("nodes: DBOS and procrastinate are missing: make .venv-peers/.installed", file=sys.stderr)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}{'es' if what.endswith('s') else 's'}"


def _executions_a_second(url: str, count: int) -> float:
    module = [sys.executable, "-m", "bench.node_process", url]
    with psycopg.connect(url, autocommit=True) as seen:

        def ended() -> None:
            wait_until(lambda: seen.execute(_RUNNING).fetchone() == (0,), "the last execution", pause=0.01)

        return _a_second([[*module, f"bench-{number}", str(64 // count)] for number in range(count)], ended)


def _done_a_second(name: str, url: str, count: int) -> float:
    words = [str(PEERS_PYTHON), "-m", "bench.peers", name, url]
    with _process(words) as first:  # it makes the tables
        _told(first, "ready")
    return _a_second([words] * count, lambda: None)


def _a_second(commands: list[list[str]], ended: Callable[[], None]) -> float:
    """What processes do that say `ready`, and `begun` of what they are told; `ended` waits for its end."""
    count = len(commands)
    with ExitStack() as stack:
        processes = [stack.enter_context(_process(words)) for words in commands]
        for process in processes:
            _told(process, "ready")

        def once() -> float:
            began = time.perf_counter()
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(f"{EXECUTIONS // count} {AT_ONCE // count}\n")
                process.stdin.flush()
            for process in processes:
                _told(process, "begun")
            ended()
            return time.perf_counter() - began

        once()
        return EXECUTIONS / median(once() for _ in range(ROUNDS))


@contextmanager
def _process(words: list[str]) -> Iterator["subprocess.Popen[str]"]:
    quiet = subprocess.DEVNULL
    with subprocess.Popen(  # noqa: S603 (our own commands)
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=quiet, text=True
    ) as process:
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
