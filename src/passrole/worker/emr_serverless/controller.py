"""The controller of EMR Serverless: compares job runs' rows with the programs that run, and starts what is
missing; it stops applications that are idle.

What is to become of them is decided in a transaction (services/emr_serverless/lifecycle.py). A job run is
RUNNING in the store before its program is started, and its folder tells whether it was: one that is RUNNING
and that nobody here follows is reattached. No failed write ends anything.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from passrole import disk
from passrole.clock import Clock
from passrole.config import Config
from passrole.runtimes.jobs import Jobs
from passrole.services.context import CallOperation
from passrole.services.emr_serverless import lifecycle
from passrole.services.emr_serverless.lifecycle import Todo
from passrole.services.emr_serverless.records import (
    ACTIVE_RUNS,
    APPLICATIONS,
    CHANNEL,
    STARTED,
    JobRun,
)
from passrole.store import Store, Tx
from passrole.worker import writes
from passrole.worker.claimed import Claimed
from passrole.worker.due_keys import DueKeys
from passrole.worker.emr_serverless.program import JobRunPrograms, Outcome
from passrole.worker.supervisor import Loop, Supervisor, was_asked_to_end

log = logging.getLogger(__name__)

CLAIMS = "emr-serverless"
"""The kind of what a server claims: a job run."""

SETTLED_AT_ONCE_MAX = 64
PROGRAMS_MAX = 10_000
"""Programs at the same time, of all applications."""

_ASK_AGAIN_SECONDS = 0.2
_INTERNAL = "The job run failed because of an internal error."

Follow = Callable[[JobRun], Awaitable[Outcome]]


@dataclass
class _Kill:
    """When a job run's program is killed, and whether it was asked to end before."""

    run: JobRun
    at: float
    is_asked: bool = False


class JobRunController:
    """Works all job runs. `start` once the door is open; the supervisor is closed before the store."""

    def __init__(self, store: Store, call: CallOperation, clock: Clock, config: Config, jobs: Jobs) -> None:
        self._store = store
        self._clock = clock
        self._jobs = jobs
        self._programs = JobRunPrograms(store, call, clock, config, jobs)
        self._due = DueKeys(clock)
        self._claimed = Claimed(store, CLAIMS)
        self._followed: dict[str, JobRun] = {}
        self._kills: dict[str, _Kill] = {}
        self._loop: Loop | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Take up every job run that is not over, and hear of new ones."""
        self._loop = supervisor.start("emr-serverless", self._run, at_once_max=PROGRAMS_MAX)

    async def _run(self) -> None:
        unsubscribe = self._store.listen(CHANNEL, self._due.add)
        try:
            while True:
                await self._due.look(self._active)
                await asyncio.gather(*(self._settle(key) for key in self._due.take(SETTLED_AT_ONCE_MAX)))
                self._kill_overdue()
                await self._due.wait()
        except asyncio.CancelledError as error:
            if was_asked_to_end(error):  # the next start says honestly what did not come to its end
                await self._jobs.close()
            raise
        finally:
            unsubscribe()

    async def _active(self) -> list[str]:
        """What is not over, and what runs here: another server may have said that it is."""
        return [*await self._store.read(_active), *self._followed]

    async def _settle(self, key: str) -> None:
        try:
            self._do(key, await self._store.write(partial(self._settled, key=key)))
            if key not in self._followed:  # else the end of its program says whether it fails on
                self._due.succeeded(key)
            await self._kill_lost(key)
        except (Exception, asyncio.CancelledError) as error:
            if was_asked_to_end(error):
                raise
            disk.report(log, error, f"EMR Serverless's {key}")
            self._due.retry(key, error)

    def _settled(self, tx: Tx, key: str) -> Todo:
        """Nothing of what another server has."""
        now = self._clock()
        if not self._claimed.is_ours(tx, key, lambda: lifecycle.lose(tx, key, now)):
            return Todo()
        todo = lifecycle.settle(tx, key, now)
        if todo.run is None:
            self._claimed.release(tx, key)  # it is over, waits, or is an application
        return todo

    def _do(self, key: str, todo: Todo) -> None:
        if todo.due is not None:
            self._due.add(key, todo.due)
        if todo.run is None:
            return
        self._follow(todo.run, self._programs.run if todo.start else self._programs.reattach)
        if todo.ends:
            self._end(todo.run)

    def _follow(self, run: JobRun, how: Follow) -> None:
        assert self._loop is not None
        if run.key in self._followed:
            return

        def ended(task: "asyncio.Task[None]") -> None:
            del self._followed[run.key]
            self._kills.pop(run.key, None)
            if self._due.ended(run.key, task):
                self._due.add(run.key)  # another attempt may be due

        self._loop.spawn(self._carry_out(run, how)).add_done_callback(ended)
        self._followed[run.key] = run

    async def _carry_out(self, run: JobRun, how: Follow) -> None:
        try:
            outcome = await how(run)
        except Exception as error:
            disk.report(log, error, f"the job run {run.arn}")
            outcome = Outcome(None, _INTERNAL)
        await writes.written(
            self._store,
            lambda tx: lifecycle.end(
                tx, run.key, run.attempt, self._clock(), outcome.exit_code, outcome.details
            ),
            f"recording the end of {run.arn}",
            retried=(Exception,),
        )

    def _end(self, run: JobRun) -> None:
        """Ask its program to end, once there is one, and after a while make it."""
        now = self._clock()
        kill = self._kills.setdefault(run.key, _Kill(run, now + run.grace))
        kill.is_asked = kill.is_asked or self._programs.interrupt(run)
        if now < kill.at:
            self._due.add(run.key, kill.at if kill.is_asked else now + _ASK_AGAIN_SECONDS)

    async def _kill_lost(self, key: str) -> None:
        """A program here of which another server has said that it is lost: a next attempt may write to the
        same place.
        """
        here = self._followed.get(key)
        if here is None or self._store.share.is_whole:
            return
        if not await self._store.read(lambda tx: lifecycle.is_under_way(tx, key, here.attempt)):
            self._programs.kill(here)

    def _kill_overdue(self) -> None:
        now = self._clock()
        for kill in tuple(self._kills.values()):
            if kill.at <= now:
                self._programs.kill(kill.run)


def _active(tx: Tx) -> list[str]:
    runs = [key for key, _ in ACTIVE_RUNS.all(tx)]
    return runs + [key for key, application in APPLICATIONS.all(tx) if application.state == STARTED]
