"""The pool of warm workers for Lambda functions.

Every invocation holds a slot from its admission to its end, so that there are never more busy workers than
`lambda_workers_max`. An invocation with a slot but no warm worker starts one; if the pool is full, the worker
that has been idle longest is ended first. Waiting invocations take turns (turns.py). One more than
`lambda_invocations_max` is refused at once, as by AWS; a step's waits for its turn. The pool knows no roles:
the caller gives the credentials, once for each process.
"""

import asyncio
import math
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from passrole import trees
from passrole.clock import Clock, system_clock
from passrole.config import Config
from passrole.runtimes.environment import chosen_bootstrap
from passrole.runtimes.interface import (
    CodeRemoved,
    CredentialsSource,
    FunctionSpec,
    Invocation,
    InvocationResult,
    IsDue,
    TooManyInvocations,
)
from passrole.runtimes.process_limit import ProcessLimit
from passrole.runtimes.sandbox import machine
from passrole.runtimes.turns import NOBODY, Turns
from passrole.runtimes.worker_process import WorkerLost, WorkerProcess
from passrole.runtimes.worker_start import TASK_ROOT, Launch

SLOT_WAIT_SECONDS = 30.0


class Functions:
    """See interface.FunctionRuntime. Built inside the event loop that will use it."""

    def __init__(self, config: Config, clock: Clock = system_clock) -> None:
        """Raises ConfigError."""
        self._launch = Launch(
            endpoint_url=config.endpoint_url,
            bootstrap=chosen_bootstrap(config.lambda_bootstrap),
            sandbox=machine.sandbox(config),
            world=machine.world(config, TASK_ROOT),
            limit=ProcessLimit(config.processes_max),
        )
        self._clock = clock
        self._idle_seconds = config.lambda_idle_seconds
        self._workers_max = config.lambda_workers_max
        self._invocations_max = config.lambda_invocations_max or math.inf
        self._slots: Turns[asyncio.Future[None]] = Turns(int(min(self._workers_max, self._invocations_max)))
        # an interpreter that starts keeps a core busy: more at once would only make all of them late
        self._starts = asyncio.Semaphore(max(2, os.cpu_count() or 1))
        self._scratch = (config.data / "scratch").resolve()
        trees.remove(self._scratch)
        self._live: set[WorkerProcess] = set()
        self._idle: list[WorkerProcess] = []  # the longest idle first
        self._tasks: set[asyncio.Task[None]] = set()
        self._discarded: set[Path] = set()
        self._expected: dict[str, _Expected] = {}

    async def invoke(
        self, spec: FunctionSpec, credentials: CredentialsSource, invocation: Invocation
    ) -> InvocationResult:
        """Run the function once."""
        party = await self._take_slot(invocation.request_id)
        try:
            while True:
                worker = self._warm(spec) or await self._started(spec, credentials)
                try:
                    await self._check_due(invocation.request_id)
                    return await worker.run(invocation)
                except WorkerLost:
                    continue
                finally:
                    self._give_back(worker)
        finally:
            self._free_slot(party)

    @contextmanager
    def expecting(
        self, request_id: str, party: str = NOBODY, is_due: IsDue | None = None
    ) -> Iterator["asyncio.Future[None]"]:
        """See interface.FunctionRuntime."""
        begun = asyncio.get_running_loop().create_future()
        self._expected[request_id] = _Expected(party, begun, is_due)
        try:
            yield begun
        finally:
            del self._expected[request_id]
            begun.cancel()

    async def retire(self, arn: str) -> None:
        """End the function's idle workers, let the busy ones finish."""
        for worker in [worker for worker in self._live if worker.spec.arn == arn]:
            worker.retired = True
            if worker in self._idle:
                self._end(worker)

    async def discard(self, code: Path) -> None:
        """Remove a folder of unpacked code as soon as no worker runs from it."""
        self._discarded.add(code)
        self._sweep()

    async def close(self) -> None:
        """End every process that was started, and wait until they are gone."""
        for worker in tuple(self._live):
            self._end(worker)
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take_slot(self, request_id: str) -> str:
        """Wait for a slot; the party that has it. Raises TooManyInvocations."""
        expected = self._expected.get(request_id)
        party = NOBODY if expected is None else expected.party
        if expected is None and self._slots.taken + self._slots.waiting(NOBODY) >= self._invocations_max:
            raise TooManyInvocations
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._slots.add(party, granted)
        self._grant_slots()
        try:
            async with asyncio.timeout(SLOT_WAIT_SECONDS if expected is None else None):
                await granted
        except BaseException as error:
            if granted.done() and not granted.cancelled():
                self._free_slot(party)
            granted.cancel()
            if isinstance(error, TimeoutError):
                raise TooManyInvocations from None
            raise
        if expected is not None and not expected.begun.done():
            expected.begun.set_result(None)
        return party

    async def _check_due(self, request_id: str) -> None:
        """A worker may have taken a while to start. Raises CancelledError."""
        expected = self._expected.get(request_id)
        if expected is not None and expected.is_due is not None and not await expected.is_due():
            raise asyncio.CancelledError

    def _free_slot(self, party: str) -> None:
        self._slots.end(party)
        self._grant_slots()

    def _grant_slots(self) -> None:
        while (following := self._slots.begin()) is not None:
            party, granted = following
            if granted.done():  # who waited has gone away
                self._slots.end(party)
            else:
                granted.set_result(None)

    def _warm(self, spec: FunctionSpec) -> WorkerProcess | None:
        for worker in reversed(self._idle):
            if worker.spec.arn == spec.arn and worker.spec.revision == spec.revision:
                self._wake(worker)
                if worker.usable():
                    return worker
                self._end(worker)
                return None
        return None

    async def _started(self, spec: FunctionSpec, credentials: CredentialsSource) -> WorkerProcess:
        granted = await credentials()
        if spec.code in self._discarded or not spec.code.exists():
            raise CodeRemoved
        if len(self._live) >= self._workers_max:
            self._end(self._idle[0])
        worker = WorkerProcess(spec, granted, self._scratch / uuid.uuid4().hex, self._clock)
        self._live.add(worker)
        try:
            async with self._starts:
                await worker.start(self._launch)
        except BaseException:
            self._end(worker)
            raise
        assert worker.ended is not None
        worker.ended.add_done_callback(lambda _: self._forget(worker))
        return worker

    def _give_back(self, worker: WorkerProcess) -> None:
        if worker not in self._live:
            return
        if not worker.usable():
            self._end(worker)
            return
        self._idle.append(worker)
        loop = asyncio.get_running_loop()
        worker.idle_timer = loop.call_later(self._idle_seconds, self._end, worker)

    def _wake(self, worker: WorkerProcess) -> None:
        if worker in self._idle:
            self._idle.remove(worker)
        if worker.idle_timer is not None:
            worker.idle_timer.cancel()
            worker.idle_timer = None

    def _end(self, worker: WorkerProcess) -> None:
        worker.kill()
        self._forget(worker)
        if worker.ended is not None and not worker.ended.done():
            self._keep(worker.ended)

    def _forget(self, worker: WorkerProcess) -> None:
        self._wake(worker)
        self._live.discard(worker)
        self._sweep()

    def _sweep(self) -> None:
        """Remove discarded code that nobody runs any more."""
        used = {worker.spec.code for worker in self._live}
        for code in self._discarded - used:
            self._discarded.discard(code)
            self._keep(asyncio.create_task(asyncio.to_thread(trees.remove, code)))

    def _keep(self, task: "asyncio.Task[None]") -> None:
        """Hold on to a task until it is done: the loop itself would not."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Expected(NamedTuple):
    party: str
    begun: "asyncio.Future[None]"
    is_due: IsDue | None
