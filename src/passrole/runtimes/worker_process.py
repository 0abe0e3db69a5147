"""One warm worker: a process in a session of its own, its Runtime API, its log and its limits.

    starting ──polled──> idle ──run──> busy ──answered──> idle
        │                  │             │
        └── failed ────────┴── ended ────┴── timed out, too much memory: killed

A worker whose process ended is not reused; the pool starts another one. How a process is started, and that it
ends with the server, is in worker_start.py.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from passrole.clock import Clock, system_clock
from passrole.invocation_lines import start_line
from passrole.runtimes import environment, failures, processes
from passrole.runtimes.broker import Broker, NextInvocation
from passrole.runtimes.interface import Credentials, FunctionSpec, Invocation, InvocationResult
from passrole.runtimes.logs import Report, WorkerLog
from passrole.runtimes.process_limit import ProcessLimit
from passrole.runtimes.worker_start import Launch, Place, Started, start

INIT_SECONDS = 10.0
"""AWS's limit of the init phase; a longer initialisation continues in the invocation's time."""

CREDENTIALS_MARGIN_SECONDS = 300.0
WATCH_SECONDS = 0.1
_MB = 1_048_576


class WorkerLost(Exception):
    """The process had ended before it received the invocation, which another worker may run."""


@dataclass(frozen=True)
class _Answer:
    payload: bytes | None
    failed: bool


@dataclass(frozen=True)
class _Ended:
    code: int


class _TimedOut:
    pass


_InvocationEnd = _Answer | _Ended | _TimedOut


class WorkerProcess:
    """`start` once, then `run` one invocation at a time, and `kill`. `ended` completes with the process."""

    def __init__(self, spec: FunctionSpec, credentials: Credentials, scratch: Path, clock: Clock) -> None:
        self.spec = spec
        self.retired = False
        self._killed = False
        self.idle_timer: asyncio.TimerHandle | None = None
        self.ended: asyncio.Task[None] | None = None
        self._credentials = credentials
        self._scratch = scratch
        self._clock = clock
        day = datetime.fromtimestamp(clock(), UTC)
        self._log_stream = f"{day:%Y/%m/%d}/[{spec.version}]{scratch.name}"
        self._loop = asyncio.get_running_loop()
        self._broker = Broker(self)
        self._log = WorkerLog()
        self._initialised: asyncio.Future[None] = self._loop.create_future()
        self._init_began = self._init_ms = 0.0
        self._init_reported = False
        self._final: _Answer | _Ended | None = None
        self._current: asyncio.Future[_InvocationEnd] | None = None
        self._started: Started | None = None
        self._used_bytes = 0
        self._exceeded = ""

    async def start(self, launch: Launch) -> None:
        """Start the process, and wait at most INIT_SECONDS until it polls, fails or ends."""
        api = await self._broker.listen()
        place = Place(self.spec.code, self._scratch, launch.sandbox.confines, self.spec.opt)
        opt = place.opt_inside
        context = environment.WorkerContext(
            api, launch.endpoint_url, place.code_inside, place.scratch_inside, self._log_stream, opt
        )
        for warning in filter(None, (environment.runtime_warning(self.spec.runtime), self.spec.remark)):
            self._log.line(warning)
        command = environment.command(self.spec, launch.bootstrap, opt)
        variables = environment.variables(self.spec, self._credentials, context)
        self._init_began = perf_counter()
        try:
            self._started = await start(command, variables, place, launch, self._log.writing)
        finally:
            self._log.started()
        self.ended = self._loop.create_task(self._watch_end(self._started, launch.limit))
        await asyncio.wait([self._initialised], timeout=INIT_SECONDS)

    async def run(self, invocation: Invocation) -> InvocationResult:
        """Run one invocation. Raises WorkerLost."""
        if self._final is not None and self._initialised_well():
            raise WorkerLost
        at, began = self._clock(), perf_counter()
        self._log.line(start_line(invocation.request_id, self.spec.version))
        try:
            outcome = await self._outcome(invocation)
        except BaseException:  # the caller was cancelled, so the response would be lost
            self.kill()
            raise
        result = self._result(invocation.request_id, outcome, (perf_counter() - began) * 1000)
        return replace(result, began=at)

    def usable(self) -> bool:
        """Whether it can run another invocation.

        The system is asked whether the process lives: one that has just died looks idle until the loop hears
        of it, and an invocation that is handed to it is lost.
        """
        if self._final is not None or self.retired or self._killed:
            return False
        fresh = self._credentials.expires - self._clock() > CREDENTIALS_MARGIN_SECONDS
        return fresh and self._started is not None and not self._started.has_ended()

    def kill(self) -> None:
        """Kill the process and its descendants; `ended` completes when that is done."""
        self._killed = True
        if self._started is None:
            self._clean_up()
        else:
            self._started.kill()

    def polled(self) -> None:
        """The runtime asks for an invocation (broker.Listener)."""
        if self._started is not None:
            self._started.look_inside()
        if not self._initialised.done():
            self._init_ms = (perf_counter() - self._init_began) * 1000
            self._initialised.set_result(None)

    def answered(self, payload: bytes | None, *, failed: bool) -> None:
        """The function answered (broker.Listener)."""
        self._settle(_Answer(payload, failed))

    def failed_to_initialise(self, payload: bytes) -> None:
        """The function could not be loaded (broker.Listener)."""
        self._finish(_Answer(payload, failed=True))

    def _initialised_well(self) -> bool:
        return self._init_ms > 0

    async def _watch_end(self, started: Started, limit: ProcessLimit) -> None:
        def end() -> None:
            self._exceeded = limit.message("the function")
            started.kill()

        with limit.over(started.pid, end):
            code = await started.ended()
        if self._exceeded:
            self._log.line(f"passrole: {self._exceeded}")
        self._finish(_Ended(code))
        self._clean_up()
        await started.clean_up()

    def _finish(self, outcome: _Answer | _Ended) -> None:
        """Mark the worker as ended; the first reason is kept."""
        if self._final is None:
            self._final = outcome
        if not self._initialised.done():
            self._initialised.set_result(None)
        self._settle(self._final)

    def _settle(self, outcome: _InvocationEnd) -> None:
        if self._current is not None and not self._current.done():
            self._current.set_result(outcome)

    def _clean_up(self) -> None:
        self._broker.close()
        self._log.drain()
        self._log.close()

    async def _outcome(self, invocation: Invocation) -> _InvocationEnd:
        if self._final is not None:
            return self._final
        self._current = self._loop.create_future()
        deadline = self._loop.time() + self.spec.timeout_seconds
        watch = _Watch(self, deadline)
        deadline_ms = int((system_clock() + self.spec.timeout_seconds) * 1000)
        arn = invocation.arn or self.spec.arn
        self._broker.offer(NextInvocation(invocation.request_id, arn, deadline_ms, invocation.payload))
        try:
            outcome = await self._current
        finally:
            watch.stop()
            self._current = None
        if isinstance(outcome, _Ended) and self._initialised_well() and not self._broker.is_out:
            raise WorkerLost
        return outcome

    def check_limits(self, deadline: float) -> None:
        """Enforce the limits of time and memory. Called every WATCH_SECONDS while an invocation runs."""
        if self._loop.time() >= deadline:
            self._settle(_TimedOut())
            return
        if self._started is not None:
            used = processes.resident_bytes(self._started.pid)
            self._used_bytes = max(self._used_bytes, used)
            if used > self.spec.memory_mb * _MB:
                self.kill()

    def _result(self, request_id: str, outcome: _InvocationEnd, duration_ms: float) -> InvocationResult:
        status, error = None, None
        match outcome:
            case _Answer(payload, failed):
                error = "Unhandled" if failed or payload is None else None
                payload = failures.too_large() if payload is None else payload
            case _Ended(code):
                payload, error, status = failures.exited(request_id, code), "Unhandled", "error"
            case _TimedOut():
                seconds = self.spec.timeout_seconds
                payload, error, status = failures.timed_out(request_id, seconds), "Unhandled", "timeout"
                self._log.line(f"{request_id} {failures.timeout_message(seconds)}")
                self.kill()
        self._log.line(f"END RequestId: {request_id}")
        self._log.line(self._report(request_id, duration_ms, status).line())
        return InvocationResult(payload, error, self._log.take(), self._log_stream)

    def _report(self, request_id: str, duration_ms: float, status: str | None) -> Report:
        if self._started is not None:
            used = processes.resident_bytes_alone(self._started.program)
            self._used_bytes = max(self._used_bytes, used)
        first, self._init_reported = not self._init_reported, True
        return Report(
            request_id=request_id,
            duration=duration_ms,
            memory_mb=self.spec.memory_mb,
            used_mb=-(-self._used_bytes // _MB),
            init_duration=self._init_ms if first and self._initialised_well() else None,
            status=status,
        )


class _Watch:
    """Checks the limits every WATCH_SECONDS while an invocation runs; a warm one costs two timer calls."""

    def __init__(self, worker: WorkerProcess, deadline: float) -> None:
        self._worker = worker
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_at(self._next(), self._look)

    def stop(self) -> None:
        self._timer.cancel()

    def _next(self) -> float:
        return min(self._deadline, self._loop.time() + WATCH_SECONDS)

    def _look(self) -> None:
        self._timer = self._loop.call_at(self._next(), self._look)
        self._worker.check_limits(self._deadline)
