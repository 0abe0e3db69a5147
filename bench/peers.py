"""Durable work of one step by other libraries, run by the interpreter that has them and not passrole.

    .venv-peers/bin/python -m bench.peers dbos URL

It says `ready`, and for each line of two numbers has so many workflows of one step run, so many at once; when
they have all ended it says `begun`, as bench/node_process.py does. It ends with its input.

- DBOS: a workflow whose one step returns at once. Its rows are the workflow, the step's result, the end.
- procrastinate: a job whose task returns at once: a queue's work, without the workflow.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Begin = Callable[[int], Awaitable[None]]
"""Has so many run, and returns when they have ended."""


async def main(name: str, url: str) -> None:
    """One of PEERS, at a database of its own."""
    async with PEERS[name](url) as run:
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            executions, at_once = map(int, line.split())
            for _ in range(0, executions, at_once):
                await run(at_once)
            print("begun", flush=True)


@asynccontextmanager
async def _dbos(url: str) -> AsyncIterator[Begin]:
    from dbos import DBOS

    DBOS(
        config={"name": "bench", "system_database_url": url, "run_admin_server": False, "log_level": "ERROR"}
    )

    step = DBOS.step()(_nothing)

    async def of_one_step(number: int) -> None:
        await step(number)

    workflow = DBOS.workflow()(of_one_step)

    async def one(number: int) -> None:
        handle = await DBOS.start_workflow_async(workflow, number)
        await handle.get_result()

    async def run(count: int) -> None:
        await asyncio.gather(*map(one, range(count)))

    DBOS.launch()
    try:
        yield run
    finally:
        DBOS.destroy()


@asynccontextmanager
async def _procrastinate(url: str) -> AsyncIterator[Begin]:
    from procrastinate import App, PsycopgConnector

    app = App(connector=PsycopgConnector(conninfo=url, max_size=10))

    task = app.task(_nothing)

    async def run(count: int) -> None:
        await asyncio.gather(*(task.defer_async(number=number) for number in range(count)))
        await app.run_worker_async(
            wait=False, concurrency=count, install_signal_handlers=False, listen_notify=False
        )

    async with app.open_async():
        if not await app.check_connection_async():
            await app.schema_manager.apply_schema_async()
        yield run


async def _nothing(number: int) -> None:
    """What is measured is the rows' way."""


PEERS = {"dbos": _dbos, "procrastinate": _procrastinate}

if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
