"""Asynchronous invocations: a row before the 202, run in the background, gone when all is done.

Killed in between: the row is still there and the function runs (again) at the next start, so an event
is delivered at least once, as AWS promises. A function that fails runs again a minute later and once more
two minutes after that, unless its event invoke config says otherwise; the moment is in the row. How it
ended goes to the destinations and, after the last failure, the event to the dead-letter queue.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from passrole.clock import Clock
from passrole.config import Config
from passrole.faults import Fault, Internal
from passrole.policy.request import Principal
from passrole.runtimes.interface import FunctionRuntime, Invocation
from passrole.services.lambda_ import destinations, outcomes, qualified, running
from passrole.services.lambda_.event_config_records import EventConfig, config_of
from passrole.services.lambda_.names import LATEST
from passrole.services.lambda_.outcomes import Attempt
from passrole.services.lambda_.records import Function
from passrole.services.lambda_.sessions import Sessions
from passrole.store import Collection, Store, Tx

log = logging.getLogger(__name__)

CHANNEL = "lambda-queued"
AT_ONCE_MAX = 8
THROTTLED_SECONDS = 1.0
RETRY_SECONDS = (60.0, 120.0)
WAIT_SECONDS_MAX = 30.0


@dataclass(frozen=True)
class Queued:
    """One event that waits. `function` is the function's key; `since` is epoch seconds; `arn` is the
    function as it was addressed, with `qualifier`, if there was one. `attempts` have failed so far, and
    `due`, epoch seconds, is when the next one may begin.
    """

    function: str
    request_id: str
    event: str
    since: float
    arn: str = ""
    qualifier: str | None = None
    attempts: int = 0
    due: float = 0.0


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
        self._sessions = Sessions(call, clock)
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
        task.add_done_callback(lambda ended: self._forget(key, ended))

    def _forget(self, key: str, task: "asyncio.Task[None]") -> None:
        self._running.pop(key, None)
        if not task.cancelled() and task.exception() is not None:  # its row is left for the next start
            log.error("queued invocation %s failed in passrole itself", key, exc_info=task.exception())

    async def _settle(self, key: str, queued: Queued) -> None:
        """Attempt after attempt, each failure stored with the moment of the next, until one is the last."""
        while True:
            await self._until(queued.due)
            async with self._turns:
                attempt = await self._attempted(queued)
            if attempt is None:
                break
            queued = replace(queued, attempts=queued.attempts + 1)
            settings = await self._settings(queued, attempt.function)
            due = self._next(queued, attempt, settings)
            if due is None:
                await self._conclude(queued, attempt, settings)
                break
            queued = replace(queued, due=due)
            await self._keep(key, queued)
        await self._store.write(lambda tx: QUEUED.delete(tx, key))

    async def _keep(self, key: str, queued: Queued) -> None:
        await self._store.write(lambda tx: QUEUED.put(tx, key, queued))

    async def _until(self, due: float) -> None:
        while (left := due - self._clock()) > 0:  # noqa: ASYNC110 (the wall clock may be set meanwhile)
            await asyncio.sleep(min(left, WAIT_SECONDS_MAX))

    async def _attempted(self, queued: Queued) -> Attempt | None:
        """One run of the function as it is now; None where it was deleted."""
        draw = qualified.draw()
        function = await self._store.read(
            lambda tx: qualified.resolve(tx, queued.function, queued.qualifier, draw)
        )
        if function is None:
            log.warning("a queued invocation was dropped: %s was deleted", queued.function)
            return None
        try:
            invocation = Invocation(queued.request_id, queued.event.encode(), queued.arn)
            attempt = await self._invoked(function, invocation)
        except Fault as fault:
            attempt = outcomes.refused(function, fault)
        if attempt.error:
            failed = attempt.payload.decode(errors="replace")
            log.warning("queued invocation %s of %s failed: %s", queued.request_id, function.arn, failed)
        return attempt

    async def _invoked(self, function: Function, invocation: Invocation) -> Attempt:
        """Waits while there is no room or passrole itself fails. Raises Fault where it cannot run."""
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
                if fault.code != "TooManyRequestsException" and not isinstance(fault, Internal):
                    raise
                await asyncio.sleep(THROTTLED_SECONDS)
                continue
            return Attempt(function, result.payload, result.error)

    async def _settings(self, queued: Queued, function: Function) -> EventConfig:
        found = await self._store.read(lambda tx: config_of(tx, queued.function, queued.qualifier))
        qualifier = queued.qualifier or LATEST
        return found or EventConfig(function.account, function.region, function.name, qualifier, 0.0)

    def _next(self, queued: Queued, attempt: Attempt, settings: EventConfig) -> float | None:
        """When it is tried again, if it is: an event that would be too old by then is not."""
        if not attempt.error or queued.attempts > settings.retries_max:
            return None
        due = self._clock() + RETRY_SECONDS[min(queued.attempts, len(RETRY_SECONDS)) - 1]
        return due if due - queued.since <= settings.age_seconds_max else None

    async def _conclude(self, queued: Queued, attempt: Attempt, settings: EventConfig) -> None:
        """Tell the destination how it ended; what cannot be told is logged and lost, as on AWS."""
        destination = settings.on_failure if attempt.error else settings.on_success
        dead_letters = attempt.function.dead_letters if attempt.error else None
        if dead_letters is not None:
            attributes = outcomes.attributes(queued.request_id, attempt)
            await self._tell(
                queued,
                attempt,
                lambda principal: destinations.send_dead_letter(
                    self._call, principal, dead_letters, queued.event, attributes
                ),
            )
        if destination is not None:
            record = self._record(queued, attempt, settings)
            await self._tell(
                queued,
                attempt,
                lambda principal: destinations.deliver(self._call, principal, destination, record),
            )

    async def _tell(
        self, queued: Queued, attempt: Attempt, send: Callable[[Principal], Awaitable[None]]
    ) -> None:
        try:
            await send(await self._sessions.principal(attempt.function))
        except Fault as fault:
            log.warning(
                "the outcome of queued invocation %s could not be delivered: %s",
                queued.request_id,
                fault.message,
            )

    def _record(self, queued: Queued, attempt: Attempt, settings: EventConfig) -> dict[str, Any]:
        return outcomes.record(
            attempt,
            settings.arn,
            condition=outcomes.condition(attempt, queued.attempts > settings.retries_max),
            request_id=queued.request_id,
            event=queued.event,
            count=queued.attempts,
            now=self._clock(),
        )
