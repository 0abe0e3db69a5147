"""One node of bench/nodes.py: rules, journal, outbox, worker and PostgreSQL; its door answers at once.

    python -m bench.node_process URL NAME SHARDS

It says `ready` when it has so many shards, and for each line of two numbers begins so many executions of one
step, so many at once; then it says `begun`. It ends with its input.
"""

import asyncio
import sys

import uvloop

from bench import definitions
from bench.engine import FUNCTION, InstantDoor, NoWait, start
from passrole import history
from passrole.clock import system_clock
from passrole.store import shards
from passrole.store.postgres import PostgresStore
from passrole.worker import Worker
from passrole.worker.among_others import among_others


async def _run(url: str, name: str, wanted: int) -> None:
    store = PostgresStore(url, is_shared=True, name=name)
    worker = Worker(store, InstantDoor(), NoWait(), system_clock)
    try:
        await worker.start()
        async with among_others(store, _nothing_written):
            while len(await store.read(lambda tx: shards.borrowed(tx, store.share.node))) != wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            print("ready", flush=True)
            while line := await asyncio.to_thread(sys.stdin.readline):
                await _begin(store, *map(int, line.split()))
                print("begun", flush=True)
    finally:
        await worker.close()
        await store.close()


def _nothing_written() -> None:
    """No disk can be in the way."""


async def _begin(store: PostgresStore, executions: int, at_once: int) -> None:
    digest = await store.write(lambda tx: history.definitions.keep(tx, definitions.chain(FUNCTION, 1)))
    for first in range(0, executions, at_once):
        some = range(first, min(first + at_once, executions))
        await asyncio.gather(*(store.write(lambda tx: start(tx, digest, store.share)) for _ in some))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(sys.argv[1], sys.argv[2], int(sys.argv[3])))
