"""What background work costs while it waits: undelivered events, asynchronous invocations to be retried.

They are written into the data folder as a server keeps them, due later than the bench lasts. What a server
that is started on them takes beside one that is started on the same folder without them is theirs.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bench.callbacks import idle_cores
from bench.server import Server
from bench.table import Figure, Peer, Row
from passrole.arns import Account, Region
from passrole.services.events import deliveries
from passrole.services.events.deliveries import Delivery
from passrole.services.lambda_ import async_invocations
from passrole.services.lambda_.async_invocations import AsyncInvocation
from passrole.store import SqliteStore, Tx

WAITING = 100_000
AT_ONCE = 1_000
INVOCATION_SECONDS, DELIVERY_SECONDS = 115.0, 590.0
"""Until the next attempt: less than the longest pause that either knows."""

ACCOUNT, REGION = Account("111122223333"), Region("us-east-1")

Keep = Callable[[Tx, int, float], None]


def rows() -> Iterator[Row]:
    """Memory and idle CPU of both, then how soon a server is ready on them."""
    yield from _waiting("undelivered events", _keep_delivery)
    yield from _waiting("asynchronous invocations", _keep_invocation)


def _waiting(name: str, keep: Keep) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        with Server(Path(folder)):
            pass  # a first start does more than the next ones
        with Server(Path(folder)) as server:
            without, empty = server.resident_bytes, server.ready_seconds
        asyncio.run(_fill(Path(folder), keep))
        with Server(Path(folder)) as server:
            ready, idle = server.ready_seconds, idle_cores(server)
            added = server.resident_bytes - without
    what = f"{WAITING:,} {name}"
    yield Row(f"{what}: memory added", Figure(added, "bytes"), None, Figure(10e6, "bytes"))
    yield Row(f"{what}: idle CPU", Figure(idle, "cores"), None, Figure(0.01, "cores"))
    peer = Peer("the start without them", Figure(empty, "s"))
    yield Row(f"{what}: restart until ready", Figure(ready, "s"), peer)


async def _fill(folder: Path, keep: Keep) -> None:
    store, now = SqliteStore(folder), time.time()

    def some(tx: Tx, *, first: int) -> None:
        for number in range(first, first + AT_ONCE):
            keep(tx, number, now)

    try:
        for first in range(0, WAITING, AT_ONCE):
            await store.write(partial(some, first=first))
    finally:
        await store.close()


def _keep_delivery(tx: Tx, number: int, now: float) -> None:
    target = {"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:full"}
    event = {"version": "0", "id": f"e-{number}", "source": "team", "detail": {"text": "x" * 200}}
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r"
    deliveries.keep(
        tx, Delivery(f"d-{number}", rule, target, event, now, attempts=12), now + DELIVERY_SECONDS
    )


def _keep_invocation(tx: Tx, number: int, now: float) -> None:
    invocation = AsyncInvocation(
        f"{ACCOUNT}/{REGION}/f", f"r-{number}", '{"text": "' + "x" * 200 + '"}', now, attempts=2
    )
    async_invocations.keep(tx, f"{now:017.6f}/r-{number}", invocation, now + INVOCATION_SECONDS)
