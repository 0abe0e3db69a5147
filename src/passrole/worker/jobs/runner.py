"""Runs the jobs of every kind, each as a task until its end is written and its files are removed.

Killed before a job's program began: all is made anew. Killed while it ran: the program goes on, is found
again (runtimes/jobs), and no second one is started. Killed while outputs went: they go again, and so the
files are removed after the end was written.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from passrole import disk
from passrole.faults import Fault
from passrole.runtimes import transfer
from passrole.runtimes.jobs import job_folder
from passrole.services.sagemaker.jobs import lookup, states
from passrole.services.sagemaker.jobs.kinds import KINDS, JobKind
from passrole.services.sagemaker.jobs.records import FAILED, STOPPED, STOPPING, Job
from passrole.store import Store, Tx, shared_files, tasks
from passrole.store.tasks import Task
from passrole.worker import writes
from passrole.worker.claimed import ASK_AGAIN_SECONDS, Claimed
from passrole.worker.due_keys import DueKeys
from passrole.worker.jobs.contracts import CONTRACTS
from passrole.worker.jobs.failures import LOST, JobFailed
from passrole.worker.jobs.run import WRITE_SECONDS_MAX, JobRun, Means, clean, discard, instances_of
from passrole.worker.jobs.tuner import Tuner
from passrole.worker.supervisor import Loop, Supervisor
from passrole.worker.task_queue import Finish, TaskQueue

log = logging.getLogger(__name__)

AT_ONCE_MAX, _CLAIMED_MAX = 32, 1_000
"""Jobs of a kind under way; the others wait as rows."""

LOOK_SECONDS = 30.0
"""How often to look for what is claimed and does not go on."""


class _Running(NamedTuple):
    kind: JobKind
    key: str
    arn: str
    stop: asyncio.Event


class JobRunner:
    """Takes the tasks of every kind. Programs go on when it is closed."""

    def __init__(self, store: Store, means: Means) -> None:
        self._store = store
        self._means = means
        self._stops: dict[str, _Running] = {}
        self._stopping = DueKeys(means.clock)
        self._claimed = {resource: Claimed(store, resource) for resource in CONTRACTS}
        self._held: set[tuple[str, str]] = set()
        self._going_on: Loop | None = None
        self._unsubscribe: Callable[[], None] = lambda: None

    def start(self, supervisor: Supervisor) -> None:
        """Take up what an earlier process left, and run what is created from now on."""
        self._unsubscribe = self._store.listen(lookup.STOPS, self._stop)
        for kind in (KINDS[resource] for resource in CONTRACTS):
            run = partial(self._run, kind)
            queue = TaskQueue(
                self._store, kind.resource, run, at_once_max=AT_ONCE_MAX, clock=self._means.clock, stays=True
            )
            queue.start(supervisor)
        self._going_on = supervisor.start("claimed-jobs", self._look_at_claimed, at_once_max=_CLAIMED_MAX)
        supervisor.start("sagemaker-job-stops", self._hear_stops)
        Tuner(self._store, self._means).start(supervisor)

    def close(self) -> None:
        """Hear of no more stops."""
        self._unsubscribe()

    def _stop(self, arn: str) -> None:
        if arn in self._stops:
            self._stops[arn].stop.set()

    async def _hear_stops(self) -> None:
        """What no notice told of is seen in the rows."""
        while True:
            await self._stopping.look(partial(self._store.read, self._asked_to_stop))
            for arn in self._stopping.take(sys.maxsize):
                self._stop(arn)
            await self._stopping.wait()

    def _asked_to_stop(self, tx: Tx) -> list[str]:
        """Those that run here and are to stop; one that has ended was given up by another server."""
        rows = [(each, each.kind.collection.get(tx, each.key)) for each in tuple(self._stops.values())]
        return [each.arn for each, job in rows if job is None or job.status == STOPPING or job.has_ended]

    async def _look_at_claimed(self) -> None:
        """Go on with what an earlier server of this folder had, whoever has the shards of its tasks now; and
        with what this one let fall for an outage, as the others leave alone what it has claimed.
        """
        assert self._going_on is not None
        while not self._store.share.is_whole:
            for kind in (KINDS[resource] for resource in CONTRACTS):
                for key in await self._claimed[kind.resource].ours():
                    if self._going_on.free > 0 and (kind.resource, key) not in self._held:
                        self._going_on.spawn(self._go_on(kind, key))
            await asyncio.sleep(LOOK_SECONDS)

    async def _go_on(self, kind: JobKind, key: str) -> None:
        if (kind.resource, key) not in self._held:
            await self._carried_out(kind, key)

    async def _run(self, kind: JobKind, task: Task) -> Finish | None:
        if await self._is_ours(kind, task.key) and (kind.resource, task.key) not in self._held:
            return await self._carried_out(kind, task.key)
        due = self._means.clock() + ASK_AGAIN_SECONDS
        return lambda tx: tasks.add(tx, kind.resource, task.key, task.body, due)

    async def _is_ours(self, kind: JobKind, key: str) -> bool:
        """Whether the job is to be run here; one that another server has lost ends as failed."""
        lost = {"status": FAILED, "failure_reason": LOST}
        return self._store.share.is_whole or await self._store.write(
            lambda tx: self._claimed[kind.resource].is_ours(
                tx, key, lambda: self._finish(tx, kind, key, lost)
            )
        )

    async def _carried_out(self, kind: JobKind, key: str) -> Finish | None:
        """Run the job to its end, or go on with it."""
        self._held.add((kind.resource, key))
        try:
            return await self._its_end(kind, key)
        finally:
            self._held.discard((kind.resource, key))

    async def _its_end(self, kind: JobKind, key: str) -> Finish | None:
        stop = asyncio.Event()
        job = await self._store.read(lambda tx: kind.collection.get(tx, key))
        if job is None:
            return None
        if job.has_ended:
            await clean(instances_of(kind, job, self._means.config))
            await self._release(kind, key)
            return None
        self._stops[job.arn] = _Running(kind, key, job.arn, stop)
        try:
            if (await self._store.read(lambda tx: kind.collection.get(tx, key)) or job).status == STOPPING:
                stop.set()  # before this process could hear of it
            members = await self._members(kind, job, stop)
        finally:
            del self._stops[job.arn]
        return await self._ended(kind, job, members)

    async def _members(self, kind: JobKind, job: Job, stop: asyncio.Event) -> Mapping[str, Any]:
        """How the job ended, as fields of its record. Whatever happens is an end: it is not run again."""
        try:
            return await JobRun(kind, job, self._store, self._means, stop).to_its_end()
        except JobFailed as error:
            reason = str(error)
        except Fault as fault:  # such as a role that cannot be assumed any more
            reason = f"ClientError: {fault.message}" if fault.sender else LOST
        except OSError as error:
            disk.report(log, error, f"the job {job.arn}")
            reason = f"ClientError: {error.strerror}"
        except Exception:
            log.exception("the job %s failed in passrole itself", job.arn)
            reason = LOST
        return {"status": FAILED, "failure_reason": reason}

    async def _ended(self, kind: JobKind, job: Job, members: Mapping[str, Any]) -> Finish | None:
        """Write the end, then remove the files; a disk that the files may fill gets them removed first."""
        instances = instances_of(kind, job, self._means.config)

        def finish(tx: Tx) -> None:
            self._finish(tx, kind, job.key, members)

        what = f"the end of the job `{job.name}`"
        try:
            await writes.written(self._store, finish, what, seconds_max=WRITE_SECONDS_MAX)
        except writes.REFUSED:
            await discard(instances)
            if self._store.share.is_whole:
                return finish
            await writes.written(self._store, finish, what)  # its task may be another server's to end
        await clean(instances)
        await self._release(kind, job.key)
        return None

    async def _release(self, kind: JobKind, key: str) -> None:
        if not self._store.share.is_whole:
            await self._store.write(lambda tx: self._claimed[kind.resource].release(tx, key))

    def _finish(self, tx: Tx, kind: JobKind, key: str, members: Mapping[str, Any]) -> None:
        data = self._means.config.data
        file = job_folder(data, kind.resource, key) / transfer.FILE
        shared_files.forget(tx, shared_files.name_of(data, file))
        job, now = kind.collection.get(tx, key), self._means.clock()
        if job is None or job.has_ended:
            return
        given = {**members, "status": STOPPED} if job.status == STOPPING else dict(members)
        states.update(tx, kind, states.ended(kind, job, given.pop("status"), now, **given), now)
