"""Runs asynchronous invocations: up to three attempts, then the destinations and the dead-letter queue.

A function that fails runs again a minute later and once more two minutes after that, unless its event invoke
config says otherwise. How it ended goes to the destinations and, after the last failure, the event to the
dead-letter queue. Killed in between: the task is still there and the function runs (again) at the next
start, so an event is handled at least once, as AWS promises. What fails in passrole itself is no attempt.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from passrole.clock import Clock
from passrole.config import Config
from passrole.faults import Fault, Internal
from passrole.policy.request import Principal
from passrole.runtimes.interface import FunctionRuntime, Invocation
from passrole.services.context import CallOperation
from passrole.services.lambda_ import async_invocations, destinations, outcomes, qualifiers
from passrole.services.lambda_.async_invocations import KIND, AsyncInvocation
from passrole.services.lambda_.event_config_records import EventConfig, config_of
from passrole.services.lambda_.names import LATEST
from passrole.services.lambda_.outcomes import Attempt
from passrole.services.lambda_.records import Function
from passrole.services.lambda_.run_function import run_function
from passrole.services.lambda_.sessions import session_request
from passrole.services.service_sessions import SessionCache
from passrole.store import Store
from passrole.store.tasks import Task
from passrole.worker.supervisor import Supervisor
from passrole.worker.task_queue import Finish, TaskQueue

log = logging.getLogger(__name__)

AT_ONCE_MAX = 8
THROTTLED_SECONDS = 1.0
RETRY_SECONDS = (60.0, 120.0)


class AsyncInvocations:
    """Runs what waits, from `start` until the supervisor is closed; that comes before the runtime."""

    def __init__(
        self, store: Store, functions: FunctionRuntime, call: CallOperation, clock: Clock, config: Config
    ) -> None:
        self._store = store
        self._functions = functions
        self._call = call
        self._clock = clock
        self._config = config
        self._sessions = SessionCache(call, clock)

    def start(self, supervisor: Supervisor) -> None:
        """Once the door is open."""
        TaskQueue(
            self._store,
            KIND,
            self._handle,
            at_once_max=AT_ONCE_MAX,
            clock=self._clock,
            due_seconds_max=max(RETRY_SECONDS),
        ).start(supervisor)

    async def _handle(self, task: Task) -> Finish | None:
        """One attempt; where it fails and is not the last, the task is kept for the next."""
        invocation = async_invocations.read(task)
        attempt = await self._attempted(invocation)
        if attempt is None:
            return None
        invocation = replace(invocation, attempts=invocation.attempts + 1)
        settings = await self._settings(invocation, attempt.function)
        due = self._next(invocation, attempt, settings)
        if due is None:
            await self._conclude(invocation, attempt, settings)
            return None
        return partial(async_invocations.keep, key=task.key, invocation=invocation, due=due)

    async def _attempted(self, invocation: AsyncInvocation) -> Attempt | None:
        """One run of the function as it is now; None where it was deleted."""
        draw = qualifiers.traffic_fraction()
        function = await self._store.read(
            lambda tx: qualifiers.resolve(tx, invocation.function, invocation.qualifier, draw)
        )
        if function is None:
            log.warning("an asynchronous invocation was dropped: %s was deleted", invocation.function)
            return None
        try:
            attempt = await self._invoked(
                function, Invocation(invocation.request_id, invocation.event.encode(), invocation.arn)
            )
        except Fault as fault:
            attempt = outcomes.refused(function, fault)
        if attempt.error:
            failed = attempt.payload.decode(errors="replace")
            log.warning(
                "asynchronous invocation %s of %s failed: %s", invocation.request_id, function.arn, failed
            )
        return attempt

    async def _invoked(self, function: Function, invocation: Invocation) -> Attempt:
        """Waits while there is no free worker or passrole itself fails.

        Raises AccessDeniedException, ResourceNotFoundException where the function cannot run.
        """
        while True:
            try:
                result = await run_function(
                    function,
                    invocation,
                    store=self._store,
                    functions=self._functions,
                    call=self._call,
                    config=self._config,
                )
            except Fault as fault:
                if fault.code != "TooManyRequestsException" and not isinstance(fault, Internal):
                    raise
                await asyncio.sleep(THROTTLED_SECONDS)
                continue
            return Attempt(function, result.payload, result.error)

    async def _settings(self, invocation: AsyncInvocation, function: Function) -> EventConfig:
        found = await self._store.read(lambda tx: config_of(tx, invocation.function, invocation.qualifier))
        qualifier = invocation.qualifier or LATEST
        return found or EventConfig(function.account, function.region, function.name, qualifier, 0.0)

    def _next(self, invocation: AsyncInvocation, attempt: Attempt, settings: EventConfig) -> float | None:
        """When it is tried again, if it is: an event that would be too old by then is not."""
        if not attempt.error or invocation.attempts > settings.retries_max:
            return None
        due = self._clock() + RETRY_SECONDS[min(invocation.attempts, len(RETRY_SECONDS)) - 1]
        return due if due - invocation.since <= settings.age_seconds_max else None

    async def _conclude(self, invocation: AsyncInvocation, attempt: Attempt, settings: EventConfig) -> None:
        """Tell the destination how it ended; what cannot be told is logged and lost, as on AWS."""
        destination = settings.on_failure if attempt.error else settings.on_success
        dead_letters = attempt.function.dead_letters if attempt.error else None
        if dead_letters is not None:
            attributes = outcomes.attributes(invocation.request_id, attempt)
            await self._tell(
                invocation,
                attempt,
                lambda principal: destinations.send_dead_letter(
                    self._call, principal, dead_letters, invocation.event, attributes
                ),
            )
        if destination is not None:
            record = self._record(invocation, attempt, settings)
            await self._tell(
                invocation,
                attempt,
                lambda principal: destinations.deliver(self._call, principal, destination, record),
            )

    async def _tell(
        self, invocation: AsyncInvocation, attempt: Attempt, send: Callable[[Principal], Awaitable[None]]
    ) -> None:
        while True:
            try:
                function = attempt.function
                await send(await self._sessions.principal(session_request(function.role, function.arn)))
                return
            except Internal:  # passrole's own failure says nothing about the destination
                await asyncio.sleep(THROTTLED_SECONDS)
            except Fault as fault:
                log.warning(
                    "the outcome of asynchronous invocation %s could not be delivered: %s",
                    invocation.request_id,
                    fault.message,
                )
                return

    def _record(self, invocation: AsyncInvocation, attempt: Attempt, settings: EventConfig) -> dict[str, Any]:
        return outcomes.record(
            attempt,
            settings.arn,
            condition=outcomes.condition(attempt, invocation.attempts > settings.retries_max),
            request_id=invocation.request_id,
            event=invocation.event,
            count=invocation.attempts,
            now=self._clock(),
        )
