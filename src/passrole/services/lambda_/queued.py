"""Asynchronous invocations: a row before the 202, run once in the background, gone when done.

Killed in between: the row is still there and the function runs (again) at the next start, so an event
is delivered at least once, as AWS promises. Unlike AWS, a function that fails is not run again, and
there is no destination for what failed: both are said in docs/reference/parity.md.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from passrole.clock import Clock
from passrole.config import Config
from passrole.faults import Fault
from passrole.runtimes.interface import FunctionRuntime, Invocation
from passrole.services.lambda_ import qualified, running
from passrole.services.lambda_.registry import Function
from passrole.store import Collection, Store, Tx

log = logging.getLogger(__name__)

CHANNEL = "lambda-queued"
AT_ONCE_MAX = 8
THROTTLED_SECONDS = 1.0


@dataclass(frozen=True)
class Queued:
    """One event that waits. `function` is the function's key; `since` is epoch seconds; `arn` is the
    function as it was addressed, with `qualifier`, if there was one.
    """

    function: str
    request_id: str
    event: str
    since: float
    arn: str = ""
    qualifier: str | None = None


QUEUED = Collection("function-queued", Queued)


def add(tx: Tx, function: str, qualifier: str | None, invocation: Invocation, now: float) -> None:
    """Have the function under this key run soon after this transaction."""
    key = f"{now:017.6f}/{invocation.request_id}"
    event = invocation.payload.decode()
    queued = Queued(function, invocation.request_id, event, now, invocation.arn, qualifier)
    QUEUED.put(tx, key, queued)
    tx.notify(CHANNEL, (key, queued))


class QueuedInvocations:
    """Runs what is queued. `start` once the door is open, `close` before the runtime."""

    def __init__(
        self, store: Store, functions: FunctionRuntime, call: running.Call, clock: Clock, config: Config
    ) -> None:
        self._store = store
        self._functions = functions
        self._call = call
        self._clock = clock
        self._config = config
        self._running: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE_MAX)
        self._deaf: Callable[[], None] | None = None

    async def start(self) -> None:
        """Listen, and take up what an earlier process left."""
        self._deaf = self._store.listen(CHANNEL, lambda added: self._take_up(*added))
        for key, queued in await self._store.read(QUEUED.all):
            self._take_up(key, queued)

    async def close(self) -> None:
        """Stop; what has not ended runs again at the next start."""
        if self._deaf is not None:
            self._deaf()
        tasks = tuple(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take_up(self, key: str, queued: Queued) -> None:
        if key in self._running:
            return
        task = asyncio.create_task(self._settle(key, queued))
        self._running[key] = task
        task.add_done_callback(lambda _: self._running.pop(key, None))

    async def _settle(self, key: str, queued: Queued) -> None:
        async with self._turns:
            await self._run(queued)
        await self._store.write(lambda tx: QUEUED.delete(tx, key))

    async def _run(self, queued: Queued) -> None:
        draw = qualified.draw()
        function = await self._store.read(
            lambda tx: qualified.resolve(tx, queued.function, queued.qualifier, draw)
        )
        if function is None:
            log.warning("a queued invocation was dropped: %s was deleted", queued.function)
            return
        try:
            invocation = Invocation(queued.request_id, queued.event.encode(), queued.arn)
            failed = await self._invoked(function, invocation)
        except Fault as fault:
            failed = fault.message
        if failed:
            log.warning("queued invocation %s of %s failed: %s", queued.request_id, function.arn, failed)

    async def _invoked(self, function: Function, invocation: Invocation) -> str | None:
        """The function's own failure, if it failed. Waits as long as there is no room. Raises Fault."""
        while True:
            try:
                result = await running.run(
                    function,
                    invocation,
                    store=self._store,
                    functions=self._functions,
                    assume=running.assuming(self._call, function.region),
                    config=self._config,
                )
            except Fault as fault:
                if fault.code != "TooManyRequestsException":
                    raise
                await asyncio.sleep(THROTTLED_SECONDS)
                continue
            return result.payload.decode(errors="replace") if result.error else None
