"""What many executions cost beside each other: the time of a fact, and memory of those that are over.

Rules, journal and SQLite alone; nothing is performed. The collector works as in a server.
"""

import asyncio
import json
import secrets
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import psutil  # type: ignore[import-untyped,unused-ignore]
import uvloop

from bench import definitions
from bench.measure import collector_of_a_server
from bench.table import Figure, Peer, Row
from passrole import history
from passrole.clock import system_clock
from passrole.engine.facts import ExecutionStarted, LambdaReturned
from passrole.history import ExecutionMetadata
from passrole.store import SqliteStore, Tx

STEPS = 60
FEW, MANY = 900, 2_000
FACTS = 3
AT_ONCE = 250
ENDED = 300
RESULT_BYTES = 1_000_000
WARM_UP = 20

_FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:sagemaker-instant"
_PIPELINE = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/bench"
_ROLE = "arn:aws:iam::111122223333:role/bench"


def rows() -> Iterator[Row]:
    """Few and many executions under way, then executions with large results that are over."""
    with collector_of_a_server():
        few, many = _in_a_folder(_seconds_of_a_fact, FEW), _in_a_folder(_seconds_of_a_fact, MANY)
        added = _in_a_folder(_bytes_of_ended, ENDED)
    what = f"a fact, {MANY:,} active executions of {STEPS} steps"
    yield Row(what, Figure(many, "s"), Peer(f"{FEW} of them", Figure(few, "s")), Figure(2 * few, "s"))
    what = f"{ENDED} ended executions of 1 MB results: memory added"
    yield Row(what, Figure(added, "bytes"), None, Figure(50e6, "bytes"))


def _in_a_folder(
    measured: Callable[[SqliteStore, int], Coroutine[Any, Any, float]], executions: int
) -> float:
    async def run(folder: Path) -> float:
        store = SqliteStore(folder)
        try:
            return await measured(store, executions)
        finally:
            await store.close()

    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(run(Path(folder)))


async def _seconds_of_a_fact(store: SqliteStore, executions: int) -> float:
    """Of the last facts of executions that take turns, all but FACTS of their steps being done."""
    digest = await _kept(store, definitions.chain(_FUNCTION, STEPS))
    done = STEPS - 1 - FACTS
    arns = await _written(store, [lambda tx: _begun(tx, digest, done) for _ in range(executions)])
    rounds = []
    for number in range(done, done + FACTS):
        began = time.perf_counter()
        await _written(store, [lambda tx, arn=arn, n=number: _return(tx, arn, n) for arn in arns])  # type: ignore[misc]
        rounds.append((time.perf_counter() - began) / executions)
    return median(rounds)


async def _bytes_of_ended(store: SqliteStore, executions: int) -> float:
    step = json.loads(definitions.chain(_FUNCTION, 1))["Steps"][0]
    outputs = [{"OutputName": "x", "OutputType": "String"}]
    digest = await _kept(store, definitions.text([{**step, "OutputParameters": outputs}]))
    payload = json.dumps({"x": "r" * RESULT_BYTES})

    async def ended(count: int) -> None:
        for _ in range(count):
            arn = await store.write(lambda tx: _begun(tx, digest, 0))
            await store.write(lambda tx, arn=arn: _return(tx, arn, 0, payload))  # type: ignore[misc]

    process = psutil.Process()
    await ended(WARM_UP)
    before = process.memory_info().rss
    await ended(executions)
    return float(process.memory_info().rss - before)


async def _kept(store: SqliteStore, text: str) -> str:
    return await store.write(lambda tx: history.definitions.keep(tx, text))


async def _written(store: SqliteStore, wanted: Sequence[Callable[[Tx], str]]) -> list[str]:
    written: list[str] = []
    for first in range(0, len(wanted), AT_ONCE):
        written += await asyncio.gather(*map(store.write, wanted[first : first + AT_ONCE]))
    return written


def _begun(tx: Tx, digest: str, steps: int) -> str:
    """The ARN of a new execution of which so many steps are done."""
    name = secrets.token_hex(6)
    arn = f"{_PIPELINE}/execution/{name}"
    fact = ExecutionStarted(
        at=system_clock(),
        seed=secrets.token_hex(16),
        pipeline_name="bench",
        pipeline_arn=_PIPELINE,
        execution_id=name,
        execution_arn=arn,
    )
    history.start(tx, fact, definition=digest, role=_ROLE, metadata=ExecutionMetadata(display_name=name))
    for number in range(steps):
        _return(tx, arn, number)
    return arn


def _return(tx: Tx, arn: str, number: int, payload: str = "{}") -> str:
    step = f"S{number}"
    fact = LambdaReturned(at=system_clock(), step=step, attempt=1, payload=payload)
    assert history.advance(tx, arn, fact, finished=f"{step}/1")
    return arn
