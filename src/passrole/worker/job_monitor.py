"""Follows the jobs that executions wait for: looks at each on notices and every RECONCILE_SECONDS.

A notice says that something has changed; what it is, the service is asked for as the execution's role. So one
that is lost, late or forged changes nothing, and an EventBridge rule that was deleted delays a step by
RECONCILE_SECONDS at most. A look that fails, as when the fact cannot be written, is repeated with back-off.
What it knows of a type of job is in `job_steps`.
"""

import asyncio
import logging
from functools import partial

from passrole import history
from passrole.clock import Clock
from passrole.engine.facts import JobEnded
from passrole.history.jobs import JOBS, Job, execution_of, find, keys_under_way
from passrole.log_format import about
from passrole.store import Store, share
from passrole.worker.calls import CallFailed
from passrole.worker.due_keys import DueKeys
from passrole.worker.job_steps.job_step import JobSteps
from passrole.worker.supervisor import Loop, Supervisor

log = logging.getLogger(__name__)

RECONCILE_SECONDS = 60.0
LOOKS_MAX = 64


class JobMonitor:
    """Follows all jobs that executions wait for, while `run` does."""

    def __init__(self, store: Store, job_steps: JobSteps, clock: Clock) -> None:
        self._store = store
        self._job_steps = job_steps
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._due = DueKeys(clock)
        self._looked_at: set[str] = set()
        self._loop: Loop | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Follow what an earlier process left, and what is new."""
        self._loop = supervisor.start("job-monitor", self._run, at_once_max=LOOKS_MAX)

    async def _run(self) -> None:
        unsubscribe = [
            self._store.listen(channel, partial(self._on_notice, kind))
            for kind, step in self._job_steps.items()
            for channel in step.channels
        ]
        unsubscribe.append(self._store.listen(JOBS, self._on_job))
        unsubscribe.append(self._store.listen(share.CHANNEL, lambda _: self._due.look_again()))
        try:
            while True:
                await self._due.look(self._unknown)
                self._schedule_looks()
                await self._due.wait(held=self._looked_at, is_full=self._is_full)
        finally:
            for each in unsubscribe:
                each()

    @property
    def _is_full(self) -> bool:
        assert self._loop is not None
        return self._loop.free <= 0

    async def _unknown(self) -> list[str]:
        """Jobs that are waited for, and whose notice was not heard."""
        keys = await self._store.read(keys_under_way)
        return [key for key in keys if key not in self._jobs and self._is_ours(key)]

    def _is_ours(self, key: str) -> bool:
        """Whether another node does not follow it."""
        return self._store.share.has(execution_of(key))

    def _on_job(self, key: str) -> None:
        if self._is_ours(key):
            self._due.add(key)

    def _on_notice(self, kind: str, notice: str) -> None:
        """Notices of a channel are read by the kinds that listen to it, and by no other."""
        for job in tuple(self._jobs.values()):
            if job.kind == kind and self._job_steps[kind].concerns(notice, job):
                self._due.add(job.key)

    def _schedule_looks(self) -> None:
        """At most one look per job; a notice during a look triggers another."""
        assert self._loop is not None
        for key in self._due.take(self._loop.free, held=self._looked_at):
            self._loop.spawn(self._look(key)).add_done_callback(partial(self._looked_once, key))
            self._looked_at.add(key)

    def _looked_once(self, key: str, task: "asyncio.Task[None]") -> None:
        self._looked_at.discard(key)
        self._due.ended(key, task)
        if key in self._jobs:
            self._due.add(key, self._clock() + RECONCILE_SECONDS)
        self._due.wake()

    async def _look(self, key: str) -> None:
        job = await self._store.read(lambda tx: find(tx, key))
        if job is None or not self._is_ours(key):
            self._jobs.pop(key, None)
            return
        self._jobs[key] = job  # before the look, during which its notices may come
        with about(execution=job.execution):
            await self._looked(job)

    async def _looked(self, job: Job) -> None:
        step = self._job_steps[job.kind]
        try:
            ended = await step.look(job)
        except CallFailed as failure:
            if failure.kind is not None:
                return  # the next look may do better
            await step.give_up(job)
            ended = JobEnded(
                at=self._clock(), step=job.step, attempt=job.attempt, succeeded=False, reason=failure.reason
            )
        if ended is not None:
            await self._record(job, ended)

    async def _record(self, job: Job, ended: JobEnded) -> None:
        try:
            await self._store.write(lambda tx: history.advance(tx, job.execution, ended))
        except history.UnknownExecution:
            log.info("`%s` was deleted while its job ran", job.execution)
        self._jobs.pop(job.key, None)
