"""What the engine costs: real rules, journal, outbox, worker and SQLite, behind a door that answers at once.

No server and no function runs here. The peer is the disk: the same file, with one row a commit.
The database's log is first brought to its full length, as it is in any server that has run for a while:
a commit into a file that grows takes nearly twice as long as one that overwrites.
"""

import asyncio
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from bench import definitions
from bench.measure import collector_of_a_server
from bench.table import Figure, Peer, Row
from passrole import history, ids
from passrole.clock import system_clock
from passrole.engine.facts import ExecutionStarted
from passrole.history import ExecutionMetadata
from passrole.store import SqliteStore, Tx
from passrole.store.share import Share
from passrole.worker import Worker

STEPS = 100
AT_ONCE = 200
ROUNDS = 7
COMMITS = 200
SECONDS_MAX = 30
PAUSE_SECONDS = 0.001
"""Between two looks whether all is over: uvloop takes what is less for nothing, and asks all the time."""
LOG_BYTES = 20_000_000

FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:sagemaker-instant"
_PIPELINE = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/bench"
_ROLE = "arn:aws:iam::111122223333:role/bench"
ALONE = Share()


def rows() -> Iterator[Row]:
    """A chain, a fan-out, a loop, and many executions at once."""
    with (
        collector_of_a_server(),
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        commit, chain, fan_out, loop, crowd = runner.run(_measured(Path(folder)))
    peer = Peer("a bare commit", Figure(commit, "s"))
    budget = Figure(0.0005, "s")
    yield Row(f"engine: a step in a chain of {STEPS}", Figure(chain / STEPS, "s"), peer, budget)
    yield Row("engine: steps a second in that chain", Figure(STEPS / chain, "/s"))
    yield Row(f"engine: a step in a fan-out of {STEPS}", Figure(fan_out / STEPS, "s"), peer, budget)
    yield Row("engine: steps a second in that fan-out", Figure(STEPS / fan_out, "/s"))
    steps = Peer(f"{STEPS} Lambda steps", Figure(fan_out / STEPS, "s"))
    yield Row(f"engine: a step in a loop of {STEPS} items", Figure(loop / STEPS, "s"), steps)
    commits = Peer("bare commits", Figure(1 / commit, "/s"))
    what = f"engine: 1-step executions, {AT_ONCE} at once"
    yield Row(what, Figure(AT_ONCE / crowd, "/s"), commits, Figure(5_000, "/s"))


def executions_a_second() -> float:
    """Executions of one step, AT_ONCE of them, on the embedded store."""
    with (
        collector_of_a_server(),
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return AT_ONCE / runner.run(_crowd(Path(folder)))


async def _crowd(folder: Path) -> float:
    single = definitions.chain(FUNCTION, 1)
    async with _engine(folder) as engine:
        await engine.fill_the_log()
        await engine.seconds(single, 1, AT_ONCE)
        return median([await engine.seconds(single, 1, AT_ONCE) for _ in range(ROUNDS)])


async def _measured(folder: Path) -> tuple[float, float, float, float, float]:
    async with _engine(folder) as engine:
        chain = definitions.chain(FUNCTION, STEPS)
        fan_out = definitions.fan_out(FUNCTION, STEPS)
        loop = definitions.loop(FUNCTION, STEPS)
        single = definitions.chain(FUNCTION, 1)
        await engine.fill_the_log()
        commit = await engine.seconds_of_a_commit()
        await engine.seconds(chain, STEPS)  # the first execution loads what the others find loaded
        return (
            commit,
            median([await engine.seconds(chain, STEPS) for _ in range(ROUNDS)]),
            median([await engine.seconds(fan_out, STEPS) for _ in range(ROUNDS)]),
            median([await engine.seconds(loop, STEPS) for _ in range(ROUNDS)]),
            median([await engine.seconds(single, 1, AT_ONCE) for _ in range(ROUNDS)]),
        )


class InstantDoor:
    """Answers whatever the worker asks, at once, and tells when so many functions have been invoked."""

    def __init__(self) -> None:
        self._missing = 0
        self._all_invoked = asyncio.Event()

    def expect(self, invocations: int) -> asyncio.Event:
        """Set when that many more have been invoked."""
        self._missing = invocations
        self._all_invoked = asyncio.Event()
        return self._all_invoked

    async def __call__(self, service: str, operation: str, *_: Any, **__: Any) -> dict[str, Any]:
        """See CallOperation."""
        if operation == "Invoke":
            self._missing -= 1
            if not self._missing:
                self._all_invoked.set()
        return _ANSWERS[service, operation]


class NoWait:
    """See worker.invocations.Slots: every invocation begins at once."""

    def expecting(self, *_: object) -> AbstractContextManager["asyncio.Future[None]"]:
        """See there."""
        begun = asyncio.get_running_loop().create_future()
        begun.set_result(None)
        return nullcontext(begun)


_ANSWERS: dict[tuple[str, str], dict[str, Any]] = {
    ("sts", "AssumeRole"): {
        "AssumedRoleUser": {"Arn": f"{_ROLE}/SageMaker", "AssumedRoleId": "AROA:SageMaker"}
    },
    ("lambda", "GetFunction"): {"Configuration": {"State": "Active", "Timeout": 3}},
    ("lambda", "Invoke"): {"Payload": b"{}"},
}


class _Engine:
    def __init__(self, store: SqliteStore, door: InstantDoor) -> None:
        self._store = store
        self._door = door

    async def seconds(self, definition: str, steps: int, executions: int = 1) -> float:
        """From the first start to the last end."""
        digest = await self._store.write(lambda tx: history.definitions.keep(tx, definition))
        invoked = self._door.expect(steps * executions)
        began = time.perf_counter()
        starts = (self._store.write(lambda tx: start(tx, digest)) for _ in range(executions))
        await asyncio.gather(*starts)
        async with asyncio.timeout(SECONDS_MAX):
            await invoked.wait()
            while await self._store.read(_any_running):  # noqa: ASYNC110 (nobody announces an end)
                await asyncio.sleep(PAUSE_SECONDS)
        return time.perf_counter() - began

    async def fill_the_log(self) -> None:
        """One row larger than the log may become."""
        text = "x" * LOG_BYTES
        await self._store.write(lambda tx: history.definitions.keep(tx, text))

    async def seconds_of_a_commit(self) -> float:
        """The least that anything durable costs here: one row, one commit, waited for."""
        durations = []
        for number in range(COMMITS):
            began = time.perf_counter()
            await self._store.write(lambda tx, text=f"{number}": history.definitions.keep(tx, text))  # type: ignore[misc]
            durations.append(time.perf_counter() - began)
        return median(durations)


@asynccontextmanager
async def _engine(folder: Path) -> AsyncIterator[_Engine]:
    store, door = SqliteStore(folder), InstantDoor()
    worker = Worker(store, door, NoWait(), system_clock)
    try:
        await worker.start()
        yield _Engine(store, door)
    finally:
        await worker.close()
        await store.close()


def _any_running(tx: Tx) -> bool:
    return history.executions.any_running(tx, _PIPELINE)


def start(tx: Tx, digest: str, share: Share = ALONE) -> str:
    """The ARN of a new execution of the definition, which StartPipelineExecution draws in the same way."""
    arn = share.own(lambda: f"{_PIPELINE}/execution/{ids.execution_id(share.node)}")
    name = arn.rpartition("/")[2]
    fact = ExecutionStarted(
        at=system_clock(),
        seed=secrets.token_hex(16),
        pipeline_name="bench",
        pipeline_arn=_PIPELINE,
        execution_id=name,
        execution_arn=arn,
    )
    history.start(tx, fact, definition=digest, role=_ROLE, metadata=ExecutionMetadata(display_name=name))
    return arn
