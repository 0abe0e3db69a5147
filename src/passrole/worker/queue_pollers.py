"""Brings the messages of queues to the functions that are mapped to them.

Each enabled mapping has a task that waits in ReceiveMessage, which wakes at once and costs nothing
meanwhile. Receiving and deleting go through the door as the function's own role, so its permissions are
really decided, each time. A message is deleted once the function has succeeded with it; whatever happens
else, this process being killed included, the queue gives it out again after its visibility timeout, and
counts, so that a dead-letter queue gets what never succeeds.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from passrole import ids
from passrole.clock import Clock
from passrole.config import Config
from passrole.faults import Fault
from passrole.runtimes.interface import FunctionRuntime, Invocation
from passrole.services.context import CallOperation
from passrole.services.lambda_ import filters, qualifiers, running, sqs_events
from passrole.services.lambda_.destinations import queue_url
from passrole.services.lambda_.mapping_records import CHANNEL, MAPPINGS, RESULTS, EventSourceMapping, Result
from passrole.services.lambda_.records import Function
from passrole.services.lambda_.sessions import session_request
from passrole.services.lambda_.sqs_events import Message
from passrole.services.service_sessions import SessionCache
from passrole.store import Store, Tx

log = logging.getLogger(__name__)

RECEIVE_MAX = 10
WAIT_SECONDS = 20
AT_ONCE_DEFAULT = 5  # as many pollers as Lambda begins with
PROBLEM_SECONDS_MIN, PROBLEM_SECONDS_MAX = 1.0, 30.0
OK = "OK"


class Problem(Exception):
    """Why a mapping cannot work at the moment; the message is AWS's LastProcessingResult."""


class QueuePollers:
    """Works all mappings. `start` once the door is open, `close` before the runtime."""

    def __init__(
        self, store: Store, functions: FunctionRuntime, call: CallOperation, clock: Clock, config: Config
    ) -> None:
        self._store = store
        self._functions = functions
        self._call = call
        self._sessions = SessionCache(call, clock)
        self._config = config
        self._batches: set[asyncio.Task[None]] = set()
        self._rooms: defaultdict[str, _Room] = defaultdict(_Room)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._deaf: Callable[[], None] | None = None

    async def start(self) -> None:
        """Take up every mapping, and hear of changes."""
        self._deaf = self._store.listen(CHANNEL, self._restart)
        for key, _ in await self._store.read(MAPPINGS.all):
            self._restart(key)

    async def close(self) -> None:
        """Stop; the messages that functions have come back by themselves."""
        if self._deaf is not None:
            self._deaf()
        tasks = (*self._tasks.values(), *self._batches)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _restart(self, key: str) -> None:
        """With the mapping as it is now; batches that functions have end as they would."""
        running_one = self._tasks.pop(key, None)
        if running_one is not None:
            running_one.cancel()
        poller = _Poller(
            self._store,
            self._functions,
            self._call,
            self._sessions,
            self._config,
            self._batches,
            self._rooms[key],
        )
        self._tasks[key] = asyncio.create_task(poller.work(key))
        self._tasks[key].add_done_callback(lambda task: self._forget(key, task))

    def _forget(self, key: str, task: "asyncio.Task[None]") -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
            if not self._rooms[key].taken:
                del self._rooms[key]
        if not task.cancelled() and task.exception() is not None:
            log.error("event source mapping %s ended", key, exc_info=task.exception())


class _Room:
    """How many batches of a mapping functions have, and may have; it outlives a change of the mapping."""

    def __init__(self) -> None:
        self.limit = AT_ONCE_DEFAULT
        self.taken = 0
        self._freed = asyncio.Event()

    async def there(self) -> None:
        """Wait until another batch may begin."""
        while self.taken >= self.limit:
            self._freed.clear()
            await self._freed.wait()

    def free(self) -> None:
        """A batch has ended."""
        self.taken -= 1
        self._freed.set()


class _Poller:
    """One mapping's work; `batches` are the tasks of those that functions have."""

    def __init__(
        self,
        store: Store,
        functions: FunctionRuntime,
        call: CallOperation,
        sessions: SessionCache,
        config: Config,
        batches: set[asyncio.Task[None]],
        room: _Room,
    ) -> None:
        self._store = store
        self._functions = functions
        self._call = call
        self._sessions = sessions
        self._config = config
        self._told = ""
        self._pause = PROBLEM_SECONDS_MIN
        self._batches = batches
        self._room = room

    async def work(self, key: str) -> None:
        """Until the mapping is gone or disabled."""
        while (mapping := await self._store.read(lambda tx: MAPPINGS.get(tx, key))) and mapping.enabled:
            self._room.limit = mapping.at_once_max or AT_ONCE_DEFAULT
            try:
                await self._receive_on(mapping)
            except (Problem, Fault) as problem:
                message = problem.message if isinstance(problem, Fault) else str(problem)
                await self._tell(mapping, f"PROBLEM: {message}")
                await asyncio.sleep(self._pause)
                self._pause = min(self._pause * 2, PROBLEM_SECONDS_MAX)

    async def _receive_on(self, mapping: EventSourceMapping) -> None:
        """Batch after batch. Raises Problem, Fault."""
        while True:
            await self._room.there()
            messages = await self._gathered(mapping, await self._function(mapping))
            self._pause = PROBLEM_SECONDS_MIN
            if messages:
                self._room.taken += 1
                batch = asyncio.create_task(self._deliver(mapping, messages))
                self._batches.add(batch)
                batch.add_done_callback(self._ended)

    def _ended(self, batch: "asyncio.Task[None]") -> None:
        self._batches.discard(batch)
        self._room.free()
        if not batch.cancelled() and batch.exception() is not None:
            log.error("a batch failed in passrole itself", exc_info=batch.exception())

    async def _function(self, mapping: EventSourceMapping) -> Function:
        key = mapping.function_key
        draw = qualifiers.draw()
        function = await self._store.read(lambda tx: qualifiers.resolve(tx, key, mapping.qualifier, draw))
        if function is None:
            raise Problem(f"Function not found: {mapping.function_arn}")
        return function

    async def _gathered(self, mapping: EventSourceMapping, function: Function) -> list[Message]:
        """A batch: what is there now, or within the window all that still comes. Raises Fault."""
        found = await self._received(mapping, function, mapping.batch_size, WAIT_SECONDS)
        until = time.monotonic() + mapping.window_seconds
        while found and len(found) < mapping.batch_size and (left := until - time.monotonic()) > 0:
            wait = min(int(left) + 1, WAIT_SECONDS)
            try:
                more = await self._received(mapping, function, mapping.batch_size - len(found), wait)
            except Fault:  # it is told when it happens again; what was received is not to wait for that
                break
            found = sqs_events.newest([*found, *more])
        return found

    async def _received(
        self, mapping: EventSourceMapping, function: Function, limit: int, wait: int
    ) -> list[Message]:
        """Messages for the function; those that its filters do not want are deleted, as on AWS."""
        asked = {
            "QueueUrl": queue_url(mapping.queue_arn),
            "AttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
            "MaxNumberOfMessages": min(limit, RECEIVE_MAX),
            "WaitTimeSeconds": wait,
        }
        answer = await self._as_role(mapping, function, "ReceiveMessage", asked)
        found = list(answer.get("Messages") or ())
        wanted = [message for message in found if _is_wanted(mapping, message)]
        if len(wanted) < len(found):
            await self._delete(mapping, function, [each for each in found if each not in wanted])
        return wanted

    async def _deliver(self, mapping: EventSourceMapping, messages: Sequence[Message]) -> None:
        """Run the function, as it is now, with the batch and delete what it succeeded with; the rest comes
        again. A FIFO queue's order ends at the first failure.
        """
        result = OK
        try:
            function = await self._function(mapping)
            for part in sqs_events.parts(messages, mapping.queue_arn, mapping.region):
                kept = await self._failed(mapping, function, part)
                done = [message for message in part if message["MessageId"] not in kept]
                await self._delete(mapping, function, done)
                if kept:
                    result = "PROBLEM: Function call failed"
                    if mapping.queue_arn.endswith(".fifo"):
                        break
        except (Problem, Fault) as problem:
            result = f"PROBLEM: {problem.message if isinstance(problem, Fault) else problem}"
        await self._tell(mapping, result)

    async def _failed(
        self, mapping: EventSourceMapping, function: Function, messages: Sequence[Message]
    ) -> frozenset[str]:
        """The ids of the messages that are not to be deleted. Raises Fault."""
        event = sqs_events.event(messages, mapping.queue_arn, mapping.region)
        result = await running.run(
            function,
            Invocation(ids.request_id(), event, mapping.function_arn),
            store=self._store,
            functions=self._functions,
            call=self._call,
            config=self._config,
        )
        if result.error:
            log.info("%s failed with messages of %s", function.arn, mapping.queue_arn)
            return frozenset(message["MessageId"] for message in messages)
        return sqs_events.failed(messages, result.payload) if mapping.partial else frozenset()

    async def _delete(
        self, mapping: EventSourceMapping, function: Function, messages: Sequence[Message]
    ) -> None:
        for start in range(0, len(messages), RECEIVE_MAX):
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages[start : start + RECEIVE_MAX])
            ]
            asked = {"QueueUrl": queue_url(mapping.queue_arn), "Entries": entries}
            answer = await self._as_role(mapping, function, "DeleteMessageBatch", asked)
            if answer.get("Failed"):
                raise Problem(f"Messages could not be deleted: {answer['Failed'][0].get('Message', '')}")

    async def _as_role(
        self, mapping: EventSourceMapping, function: Function, operation: str, asked: Mapping[str, Any]
    ) -> dict[str, Any]:
        principal = await self._sessions.principal(session_request(function.role, function.arn))
        return await self._call("sqs", operation, asked, principal, mapping.region)

    async def _tell(self, mapping: EventSourceMapping, result: str) -> None:
        """LastProcessingResult; written only when it changes, unless the mapping is gone."""
        if result == self._told:
            return
        self._told = result
        if result != OK:
            log.warning("event source mapping %s: %s", mapping.arn, result)

        def write(tx: Tx) -> None:
            if MAPPINGS.get(tx, mapping.key) is not None:
                RESULTS.put(tx, mapping.key, Result(result))

        await self._store.write(write)


def _is_wanted(mapping: EventSourceMapping, message: Message) -> bool:
    record = sqs_events.record(message, mapping.queue_arn, mapping.region)
    return filters.wants(mapping.filters, record)
