"""What functions write goes to CloudWatch Logs, as calls of their own roles.

It stands around the runtime: each result brings the log of its invocation, which is delivered later, in the
background and several at once, so that no invocation waits for it. A role that may not write logs has none
and its function runs all the same, as on AWS; the denial is in the audit trail, and is asked for again only
after a while. What passrole itself fails to store, as on a full disk, is delivered once it can be. Killed in
between, the server loses the logs of the last moment and nothing else.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from passrole import arns, disk
from passrole.clock import Clock
from passrole.faults import Fault
from passrole.invocation_lines import is_start
from passrole.policy.request import Principal
from passrole.runtimes.interface import (
    CredentialsSource,
    FunctionRuntime,
    FunctionSpec,
    Invocation,
    InvocationResult,
    IsDue,
)
from passrole.services.context import CallOperation
from passrole.services.lambda_.records import FUNCTIONS
from passrole.services.lambda_.run_function import SOURCE_FUNCTION
from passrole.services.lambda_.sessions import session_request
from passrole.services.service_sessions import SessionCache
from passrole.store import Store
from passrole.worker.supervisor import Supervisor, was_asked_to_end

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.5
REFUSED_SECONDS = 60.0
CLOSE_SECONDS = 5.0
WAITING_BYTES_MAX = 16 * 1_048_576
LINE_BYTES_MAX = 262_000  # PutLogEvents takes a little more
BATCH_BYTES_MAX, BATCH_EVENTS_MAX, EVENT_OVERHEAD_BYTES = 1_000_000, 10_000, 26

Event = dict[str, Any]


class _LogStream(NamedTuple):
    """A worker's log stream, and whose it is."""

    function_arn: str
    name: str
    stream_name: str

    @property
    def group(self) -> str:
        return f"/aws/lambda/{self.name}"


class _Written(NamedTuple):
    """The log of one invocation, and when that began and ended."""

    log: bytes
    began: float
    ended: float


class LoggedFunctions:
    """A FunctionRuntime whose logs are delivered; `start` once the door is open, `close` before the store."""

    def __init__(self, inner: FunctionRuntime, store: Store, clock: Clock) -> None:
        self._inner = inner
        self._store = store
        self._clock = clock
        self._call: CallOperation | None = None
        self._waiting: defaultdict[_LogStream, list[_Written]] = defaultdict(list)
        self._waiting_bytes = 0
        self._there: set[_LogStream] = set()
        self._sessions: SessionCache | None = None
        self._refused: dict[_LogStream, float] = {}
        self._added = asyncio.Event()
        self._undelivered: defaultdict[_LogStream, list[Event]] = defaultdict(list)

    async def invoke(
        self, spec: FunctionSpec, credentials: CredentialsSource, invocation: Invocation
    ) -> InvocationResult:
        """Run the function, and have its log delivered."""
        result = await self._inner.invoke(spec, credentials, invocation)
        self._take(_LogStream(spec.arn, spec.name, result.log_stream), result.log, result.began)
        return result

    def expecting(
        self, request_id: str, party: str = "", is_due: IsDue | None = None
    ) -> AbstractContextManager["asyncio.Future[None]"]:
        """See the runtime."""
        return self._inner.expecting(request_id, party, is_due)

    async def retire(self, arn: str) -> None:
        """See the runtime."""
        await self._inner.retire(arn)

    async def discard(self, code: Path) -> None:
        """See the runtime."""
        await self._inner.discard(code)

    def start(self, supervisor: Supervisor, call: CallOperation) -> None:
        """Deliver from now on, through the door."""
        self._call = call
        self._sessions = SessionCache(call, self._clock)
        supervisor.start("log-delivery", self._run)

    async def close(self) -> None:
        """End the runtime, then deliver what waits: the supervisor is closed, and nothing else delivers."""
        await self._inner.close()
        if self._call is not None:
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._deliver_all()
            except TimeoutError:
                log.warning("the last logs of functions were not delivered in time")
            except Exception as error:
                disk.report(log, error, "the delivery of the last logs of functions")

    def _take(self, stream: _LogStream, written: bytes, began: float) -> None:
        if self._refused.get(stream, 0) > self._clock() or not written:
            return
        if self._waiting_bytes > WAITING_BYTES_MAX:
            log.warning("logs of %s were dropped: they come faster than they can be stored", stream.name)
            return
        self._waiting[stream].append(_Written(written, began, self._clock()))
        self._waiting_bytes += len(written)
        self._added.set()

    async def _run(self) -> None:
        while True:
            await self._added.wait()
            await asyncio.sleep(GATHER_SECONDS)
            await self._deliver_all()

    async def _deliver_all(self) -> None:
        """Raises what failed in passrole itself, once all were tried; those logs wait on."""
        waiting, self._waiting = self._waiting, defaultdict(list)
        self._waiting_bytes = 0
        self._added.clear()
        for stream, logs in waiting.items():
            self._undelivered[stream].extend(event for each in logs for event in events_of(*each))
        problem: BaseException | None = None
        for stream in tuple(self._undelivered):
            try:
                await self._deliver(stream)
            except Fault as fault:
                if not fault.sender:  # it says nothing about the role
                    problem = fault
                    continue
                log.info("logs of %s are not kept: %s", stream.name, fault.message)
                self._refused[stream] = self._clock() + REFUSED_SECONDS
            except (Exception, asyncio.CancelledError) as error:
                if was_asked_to_end(error):
                    raise
                problem = error
                continue
            del self._undelivered[stream]
        if problem is not None:
            kept = (event for events in self._undelivered.values() for event in events)
            self._waiting_bytes += sum(len(event["message"]) for event in kept)
            self._added.set()
            raise problem

    async def _deliver(self, stream: _LogStream) -> None:
        """Raises Fault as the first call that is refused; what was delivered by then is not kept."""
        arn = arns.parse(stream.function_arn)
        assert arn is not None, "the runtime is given ARNs"
        key = f"{arn.account}/{arn.region}/{stream.name}"
        function = await self._store.read(lambda tx: FUNCTIONS.get(tx, key))
        if function is None:
            return
        assert self._sessions is not None, "nothing is delivered before the start"
        session = await self._sessions.principal(session_request(function.role, function.arn))
        # "Lambda also injects the source function ARN" into the calls that store logs, and into no others.
        principal = replace(session, keys={SOURCE_FUNCTION: function.arn})
        left = batches(self._undelivered[stream])
        while left:
            batch, *left = left
            self._undelivered[stream] = [event for each in left for event in each]
            try:
                await self._put(stream, batch, principal, arn.region)
            except (Exception, asyncio.CancelledError) as error:
                if not was_asked_to_end(error):
                    self._undelivered[stream][:0] = batch
                raise

    async def _put(
        self, stream: _LogStream, batch: Sequence[Event], principal: Principal, region: str
    ) -> None:
        named = {"logGroupName": stream.group, "logStreamName": stream.stream_name}
        for is_last in (False, True):  # somebody may have deleted the group since
            if stream not in self._there:
                await self._made("CreateLogGroup", {"logGroupName": stream.group}, principal, region)
                await self._made("CreateLogStream", named, principal, region)
                self._there.add(stream)
            try:
                await self._called("logs", "PutLogEvents", {**named, "logEvents": batch}, principal, region)
            except Fault as fault:
                self._there.discard(stream)
                if is_last or fault.code != "ResourceNotFoundException":
                    raise
            else:
                return

    async def _made(
        self, operation: str, parameters: Mapping[str, Any], principal: Principal, region: str
    ) -> None:
        try:
            await self._called("logs", operation, parameters, principal, region)
        except Fault as fault:
            # a role may be allowed to write to a group and not to make one
            if fault.code not in ("ResourceAlreadyExistsException", "AccessDeniedException"):
                raise

    async def _called(
        self, service: str, operation: str, parameters: Mapping[str, Any], principal: Principal, region: str
    ) -> dict[str, Any]:
        assert self._call is not None, "nothing is delivered before the start"
        return await self._call(service, operation, parameters, principal, region)


def events_of(written: bytes, began: float, ended: float) -> list[Event]:
    """A log, line by line; the START line and what came before it have the time of the beginning."""
    lines = written.decode(errors="replace").splitlines()
    start = next((i for i, line in enumerate(lines) if is_start(line)), -1)
    return [
        {"timestamp": int((began if i <= start else ended) * 1000), "message": _cut(line)}
        for i, line in enumerate(lines)
        if line
    ]


def batches(events: Sequence[Event]) -> list[list[Event]]:
    """In order of time, as much to each as PutLogEvents takes."""
    made: list[list[Event]] = []
    size = 0
    for event in sorted(events, key=lambda event: int(event["timestamp"])):
        needed = len(event["message"].encode()) + EVENT_OVERHEAD_BYTES
        if not made or size + needed > BATCH_BYTES_MAX or len(made[-1]) == BATCH_EVENTS_MAX:
            made.append([])
            size = 0
        made[-1].append(event)
        size += needed
    return made


def _cut(line: str) -> str:
    raw = line.encode()
    return line if len(raw) <= LINE_BYTES_MAX else raw[:LINE_BYTES_MAX].decode(errors="ignore")
