"""What 100,000 executions that wait for a callback cost: bytes, memory of a server, idle CPU, its restart.

The engine itself writes their rows into a data folder, as it does in a server; then `passrole migrate` copies
them to PostgreSQL, on which two servers share the work.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from bench import definitions, engine
from bench.callbacks import idle_cores
from bench.nodes import two
from bench.postgres import of_the_tests
from bench.server import Server
from bench.table import Figure, Peer, Row
from passrole import history
from passrole.clock import system_clock
from passrole.engine.facts import CallbackSent
from passrole.store import SqliteStore, Tx

WAITING, AT_ONCE = 100_000, 500
_QUEUE = "http://sqs.us-east-1.amazonaws.com/111122223333/sagemaker-approvals"
_STEP = "Ask"


def rows() -> Iterator[Row]:
    """The embedded store, then PostgreSQL with two servers where there is one."""
    tests = of_the_tests()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Server(folder):
            pass  # a first start does more than the next ones
        with Server(folder) as server:
            without, empty = server.resident_bytes, server.ready_seconds
        before = _folder_bytes(folder)
        began = time.perf_counter()
        asyncio.run(_fill(folder))
        filled, size = WAITING / (time.perf_counter() - began), _folder_bytes(folder) - before
        yield Row(f"{WAITING:,} waiting: started and asked by the engine", Figure(filled, "/s"))
        with Server(folder) as server:
            yield from _at_rest(
                "embedded", server, without, Peer("the start on no rows", Figure(empty, "s")), size
            )
        try:
            with tests.cluster() as postgres:
                yield from _on_postgres(folder, postgres)
        except tests.PostgresMissing as missing:
            print(f"waiting: {missing}", file=sys.stderr)


def _at_rest(where: str, server: Server, without: int, start: Peer, size: float) -> Iterator[Row]:
    """`without` are the bytes of a server that has no such rows, `size` those of the rows."""
    what = f"{WAITING:,} waiting, {where}"
    idle, added = idle_cores(server), server.resident_bytes - without
    yield Row(f"{what}: memory added to a server", Figure(added, "bytes"), None, Figure(10e6, "bytes"))
    yield Row(f"{what}: database", Figure(size, "bytes"))
    yield Row(f"{what}: idle CPU of a server", Figure(idle, "cores"), None, Figure(0.01, "cores"))
    yield Row(f"{what}: restart until ready", Figure(server.ready_seconds, "s"), start)


def _on_postgres(folder: Path, postgres: Any) -> Iterator[Row]:
    """Servers on an empty database first."""
    with two(postgres.create("empty")) as (_, empty):
        without, start = empty.resident_bytes, Peer("the start on no rows", Figure(empty.ready_seconds, "s"))
    url, began = postgres.create("waiting"), time.perf_counter()
    words = [sys.executable, "-m", "passrole", "migrate", "--to", url, "--data", str(folder)]
    subprocess.run(words, check=True, capture_output=True)  # noqa: S603 (our own command)
    copied = time.perf_counter() - began
    yield Row(f"{WAITING:,} waiting: `passrole migrate` to PostgreSQL", Figure(copied, "s"))
    with two(url) as (_, second):
        with psycopg.connect(url) as seen:
            (size,) = seen.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
        yield from _at_rest("PostgreSQL, two servers", second, without, start, size)


async def _fill(folder: Path) -> None:
    """As StartPipelineExecution and the worker do it."""
    store = SqliteStore(folder)
    try:
        digest = await store.write(lambda tx: history.definitions.keep(tx, definitions.approval(_QUEUE)))
        for _ in range(0, WAITING, AT_ONCE):
            await store.write(partial(_begin, digest=digest))
    finally:
        await store.close()


def _begin(tx: Tx, digest: str) -> None:
    for _ in range(AT_ONCE):
        arn = engine.start(tx, digest)
        sent = CallbackSent(at=system_clock(), step=_STEP, attempt=1)
        assert history.advance(tx, arn, sent, finished=f"{_STEP}/1")


def _folder_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("passrole.db*"))
