"""Polls queues for the functions that are mapped to them (event source mappings).

Each enabled mapping has a supervised loop that waits in ReceiveMessage, which wakes at once and costs nothing
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
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from passrole import disk, ids
from passrole.clock import Clock
from passrole.config import Config
from passrole.faults import Fault
from passrole.runtimes.interface import FunctionRuntime, Invocation
from passrole.services.context import CallOperation
from passrole.services.lambda_ import filters, qualifiers, sqs_events
from passrole.services.lambda_.destinations import queue_url
from passrole.services.lambda_.mapping_records import CHANNEL, MAPPINGS, RESULTS, EventSourceMapping, Result
from passrole.services.lambda_.records import Function
from passrole.services.lambda_.run_function import run_function
from passrole.services.lambda_.sessions import session_request
from passrole.services.lambda_.sqs_events import Message
from passrole.services.service_sessions import SessionCache
from passrole.store import Store, Tx, share
from passrole.worker.due_keys import DueKeys
from passrole.worker.supervisor import Loop, Supervisor

log = logging.getLogger(__name__)

RECEIVE_MAX = 10
WAIT_SECONDS = 20
AT_ONCE_DEFAULT = 5  # as many pollers as Lambda begins with
PROBLEM_SECONDS_MIN, PROBLEM_SECONDS_MAX = 1.0, 30.0
OK = "OK"
CHANGED_MAX = 100
BATCHES_MAX = 100_000
"""Of all mappings; each mapping has a far lower limit of its own."""


class Problem(Exception):
    """Why a mapping cannot work at the moment; the message is AWS's LastProcessingResult."""


class QueuePollers:
    """Works all mappings: a supervised loop for each that is enabled, and one that hears of changes.

    `start` once the door is open; the supervisor is closed before the runtime.
    """

    def __init__(
        self, store: Store, functions: FunctionRuntime, call: CallOperation, clock: Clock, config: Config
    ) -> None:
        self._store = store
        self._functions = functions
        self._call = call
        self._sessions = SessionCache(call, clock)
        self._config = config
        self._changed = DueKeys(clock)
        self._rooms: defaultdict[str, _Room] = defaultdict(_Room)
        self._loops: dict[str, Loop] = {}
        self._known: dict[str, EventSourceMapping] = {}
        self._loop: Loop | None = None
        self._supervisor: Supervisor | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Take up every mapping, and hear of changes."""
        self._supervisor = supervisor
        self._loop = supervisor.start("event-source-mappings", self._run, at_once_max=BATCHES_MAX)

    async def _run(self) -> None:
        stops = [
            self._store.listen(CHANNEL, self._changed.add),
            self._store.listen(share.CHANNEL, lambda _: self._changed.look_again()),
        ]
        try:
            while True:
                await self._changed.look(self._other_than_known)
                for key in self._changed.take(CHANGED_MAX):
                    await self._restart(key)
                await self._changed.wait()
        finally:
            for stop in stops:
                stop()

    async def _other_than_known(self) -> list[str]:
        """Mappings that were made, changed or removed since their pollers were started, or became another
        server's.
        """
        has = self._store.share.has
        found = {key: each for key, each in await self._store.read(MAPPINGS.all) if has(key)}
        return [key for key in {**found, **self._known} if found.get(key) != self._known.get(key)]

    async def _restart(self, key: str) -> None:
        """With the mapping as it is now; batches that functions have end as they would."""
        if key in self._loops:
            await self._loops.pop(key).stop()
        try:
            mapping = await self._store.read(lambda tx: MAPPINGS.get(tx, key))
        except Exception as error:
            disk.report(log, error, f"event source mapping {key}")
            self._changed.retry(key, error)
            return
        self._changed.succeeded(key)
        if mapping is None or not self._store.share.has(key):
            mapping = None
            self._known.pop(key, None)
        else:
            self._known[key] = mapping
        if mapping is None or not mapping.enabled:
            if not self._rooms[key].taken:
                del self._rooms[key]
            return
        assert self._supervisor is not None and self._loop is not None
        poller = _Poller(
            self._store,
            self._functions,
            self._call,
            self._sessions,
            self._config,
            self._loop,
            self._rooms[key],
        )
        self._loops[key] = self._supervisor.start(f"event source mapping {key}", partial(poller.work, key))


class _Room:
    """How many batches of a mapping functions have, and may have; it outlives a change of the mapping."""

    def __init__(self) -> None:
        self.limit = AT_ONCE_DEFAULT
        self.taken = 0
        self._freed = asyncio.Event()

    async def wait(self) -> None:
        """Until another batch may begin."""
        while self.taken >= self.limit:
            self._freed.clear()
            await self._freed.wait()

    def free(self) -> None:
        """A batch has ended."""
        self.taken -= 1
        self._freed.set()


class _Poller:
    """One mapping's work; its batches are pieces of work of `loop`, which outlives the poller."""

    def __init__(
        self,
        store: Store,
        functions: FunctionRuntime,
        call: CallOperation,
        sessions: SessionCache,
        config: Config,
        loop: Loop,
        room: _Room,
    ) -> None:
        self._store = store
        self._functions = functions
        self._call = call
        self._sessions = sessions
        self._config = config
        self._stored = ""
        self._pause = PROBLEM_SECONDS_MIN
        self._loop = loop
        self._room = room

    async def work(self, key: str) -> None:
        """Until the mapping is gone or disabled. What is no Problem and no Fault starts it again."""
        while (mapping := await self._store.read(lambda tx: MAPPINGS.get(tx, key))) and mapping.enabled:
            self._room.limit = mapping.at_once_max or AT_ONCE_DEFAULT
            try:
                await self._receive_on(mapping)
            except (Problem, Fault) as problem:
                message = problem.message if isinstance(problem, Fault) else str(problem)
                await self._store_result(mapping, f"PROBLEM: {message}")
                await asyncio.sleep(self._pause)
                self._pause = min(self._pause * 2, PROBLEM_SECONDS_MAX)

    async def _receive_on(self, mapping: EventSourceMapping) -> None:
        """Batch after batch. Raises Problem, Fault."""
        while True:
            await self._room.wait()
            messages = await self._gathered(mapping, await self._function(mapping))
            self._pause = PROBLEM_SECONDS_MIN
            if messages:
                batch = self._loop.spawn(self._deliver(mapping, messages))
                self._room.taken += 1
                batch.add_done_callback(lambda _: self._room.free())

    async def _function(self, mapping: EventSourceMapping) -> Function:
        key = mapping.function_key
        draw = qualifiers.traffic_fraction()
        function = await self._store.read(lambda tx: qualifiers.resolve(tx, key, mapping.qualifier, draw))
        if function is None:
            raise Problem(f"Function not found: {mapping.function_arn}")
        return function

    async def _gathered(self, mapping: EventSourceMapping, function: Function) -> list[Message]:
        """A batch: the messages in the queue now, and those that arrive within the window.

        Raises what ReceiveMessage and DeleteMessageBatch raise.
        """
        found = await self._received(mapping, function, mapping.batch_size, WAIT_SECONDS)
        until = time.monotonic() + mapping.window_seconds
        while found and len(found) < mapping.batch_size and (left := until - time.monotonic()) > 0:
            wait = min(int(left) + 1, WAIT_SECONDS)
            try:
                more = await self._received(mapping, function, mapping.batch_size - len(found), wait)
            except Fault:  # the next receive reports it; what was received does not wait for that
                break
            found = sqs_events.newest([*found, *more])
        return found

    async def _received(
        self, mapping: EventSourceMapping, function: Function, limit: int, wait: int
    ) -> list[Message]:
        """Messages for the function; those that its filters do not want are deleted, as on AWS."""
        parameters = {
            "QueueUrl": queue_url(mapping.queue_arn),
            "AttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
            "MaxNumberOfMessages": min(limit, RECEIVE_MAX),
            "WaitTimeSeconds": wait,
        }
        answer = await self._as_role(mapping, function, "ReceiveMessage", parameters)
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
        await self._store_result(mapping, result)

    async def _failed(
        self, mapping: EventSourceMapping, function: Function, messages: Sequence[Message]
    ) -> frozenset[str]:
        """The ids of the messages that are not to be deleted. Raises what `run_function` raises."""
        event = sqs_events.event(messages, mapping.queue_arn, mapping.region)
        result = await run_function(
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
            parameters = {"QueueUrl": queue_url(mapping.queue_arn), "Entries": entries}
            answer = await self._as_role(mapping, function, "DeleteMessageBatch", parameters)
            if answer.get("Failed"):
                raise Problem(f"Messages could not be deleted: {answer['Failed'][0].get('Message', '')}")

    async def _as_role(
        self, mapping: EventSourceMapping, function: Function, operation: str, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        principal = await self._sessions.principal(session_request(function.role, function.arn))
        return await self._call("sqs", operation, parameters, principal, mapping.region)

    async def _store_result(self, mapping: EventSourceMapping, result: str) -> None:
        """Store LastProcessingResult, where it changes and the mapping still exists."""
        if result == self._stored:
            return
        if result != OK:
            log.warning("event source mapping %s: %s", mapping.arn, result)

        def write(tx: Tx) -> None:
            if MAPPINGS.get(tx, mapping.key) is not None:
                RESULTS.put(tx, mapping.key, Result(result))

        await self._store.write(write)
        self._stored = result


def _is_wanted(mapping: EventSourceMapping, message: Message) -> bool:
    record = sqs_events.record(message, mapping.queue_arn, mapping.region)
    return filters.wants(mapping.filters, record)
