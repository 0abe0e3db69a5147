"""Brings clusters through their lives, in the background: a task for each that is not over.

What is to become of a cluster is decided in a transaction (lifecycle.py); here it is done. A server that was
killed finds its clusters in the store: it waits for the steps that still run, begins those whose program
never began, and fails honestly those that are gone. A step is RUNNING in the store before its program is
started, and its folder tells whether it was.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial

from passrole import disk
from passrole.clock import Clock
from passrole.config import Config
from passrole.runtimes.jobs import Jobs
from passrole.runtimes.spark import Spark
from passrole.services.context import CallOperation
from passrole.services.emr import lifecycle
from passrole.services.emr.lifecycle import Todo
from passrole.services.emr.records import CHANNEL, CLUSTERS, OVER, Cluster, EmrStep, steps_of
from passrole.store import Store
from passrole.worker.emr_step_runner import Outcome, StepRunner

log = logging.getLogger(__name__)

GRACE_SECONDS = 30.0
"""What a step that is interrupted has to come to its end."""

RETRY_SECONDS = 5.0
"""After what could not be done or recorded, as on a full disk."""

_INTERNAL = {"Reason": "Unknown Error", "Message": "The step failed because of an internal error."}


class ClusterController:
    """Works all clusters. `start` once the door is open, `close` before the store."""

    def __init__(self, store: Store, call: CallOperation, clock: Clock, config: Config) -> None:
        self._store = store
        self._clock = clock
        self._jobs = Jobs()
        self._runner = StepRunner(call, clock, config, self._jobs, Spark(config))
        self._wakes: dict[str, asyncio.Event] = {}
        self._drivers: dict[str, asyncio.Task[None]] = {}
        self._steps: dict[str, asyncio.Task[None]] = {}
        self._ending: dict[str, asyncio.TimerHandle] = {}
        self._deaf: Callable[[], None] | None = None
        self._closed = False

    async def start(self) -> None:
        """Take up every cluster that is not over, and hear of new ones."""
        self._deaf = self._store.listen(CHANNEL, self._wake)
        for key, cluster in await self._store.read(CLUSTERS.all):
            if cluster.state not in OVER:
                await self._take_up(cluster)
                self._wake(key)

    async def close(self) -> None:
        """End the programs that run; the next start says honestly that they did not come to their end."""
        self._closed = True
        if self._deaf is not None:
            self._deaf()
        drivers, steps = tuple(self._drivers.values()), tuple(self._steps.values())
        for task in drivers:
            task.cancel()
        for timer in self._ending.values():
            timer.cancel()
        await self._jobs.close()
        for task in steps:
            task.cancel()
        await asyncio.gather(*drivers, *steps, return_exceptions=True)

    async def _take_up(self, cluster: Cluster) -> None:
        for step in await self._store.read(lambda tx: steps_of(tx, cluster.key)):
            if step.state in ("RUNNING", "CANCEL_PENDING"):
                self._follow(cluster, step, self._runner.reattach)

    def _wake(self, key: str) -> None:
        if self._closed:
            return
        self._wakes.setdefault(key, asyncio.Event()).set()
        if key not in self._drivers:
            task = self._drivers[key] = asyncio.create_task(self._drive(key))
            task.add_done_callback(partial(self._driven, key))

    def _driven(self, key: str, task: "asyncio.Task[None]") -> None:
        self._drivers.pop(key, None)
        self._wakes.pop(key, None)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            disk.report(log, error, f"the cluster {key}")
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._wake, key)

    async def _drive(self, key: str) -> None:
        """Until the cluster is over."""
        wake = self._wakes[key]
        while True:
            wake.clear()
            todo = await self._store.write(lambda tx: lifecycle.settle(tx, key, self._clock()))
            if todo is None or todo.cluster.state in OVER:
                return
            if todo.cluster.state in ("STARTING", "BOOTSTRAPPING"):
                await self._begin(todo.cluster)
                wake.set()
            self._do(todo)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._patience(todo.cluster)):
                    await wake.wait()

    def _patience(self, cluster: Cluster) -> float | None:
        """Seconds until an idle cluster ends by itself."""
        if cluster.idle_seconds is None or cluster.idle_since is None:
            return None
        return max(0.05, cluster.idle_since + cluster.idle_seconds - self._clock())

    async def _begin(self, cluster: Cluster) -> None:
        """From STARTING to where steps may run, or to an early end."""
        problem, reason = await self._runner.check_roles(cluster), "VALIDATION_ERROR"
        if problem is None and await self._moved(cluster, "BOOTSTRAPPING"):
            problem, reason = await self._runner.bootstrap(cluster), "BOOTSTRAP_FAILURE"
        if problem is not None:
            said = problem
            await self._store.write(lambda tx: lifecycle.fail(tx, cluster.key, self._clock(), reason, said))
        else:
            await self._moved(cluster, "RUNNING")

    async def _moved(self, cluster: Cluster, state: str) -> bool:
        """Whether the cluster goes on; somebody may have terminated it meanwhile."""
        return await self._store.write(
            lambda tx: lifecycle.move(tx, cluster.key, state, self._clock()) is not None
        )

    def _do(self, todo: Todo) -> None:
        for step in todo.start:
            self._follow(todo.cluster, step, self._runner.run)
        for step in todo.end:
            self._end(todo.cluster, step)

    def _follow(self, cluster: Cluster, step: EmrStep, how: Callable[..., object]) -> None:
        if step.key not in self._steps:
            task = self._steps[step.key] = asyncio.create_task(self._carry_out(cluster, step, how))
            task.add_done_callback(partial(self._followed, step.key))

    def _followed(self, key: str, task: "asyncio.Task[None]") -> None:
        self._steps.pop(key, None)
        timer = self._ending.pop(key, None)
        if timer is not None:
            timer.cancel()
        if not task.cancelled() and task.exception() is not None:
            log.error("the end of step %s was not recorded", key, exc_info=task.exception())

    async def _carry_out(self, cluster: Cluster, step: EmrStep, how: Callable[..., object]) -> None:
        try:
            outcome: Outcome = await how(cluster, step)  # type: ignore[misc]
        except Exception as error:
            disk.report(log, error, f"step {step.key}")
            outcome = Outcome(None, _INTERNAL)
        code, details = outcome.exit_code, outcome.details
        while True:
            try:
                await self._store.write(
                    lambda tx: lifecycle.end_step(tx, cluster.key, step.key, self._clock(), code, details)
                )
                return
            except Exception as error:
                disk.report(log, error, f"recording the end of step {step.key}")
            await asyncio.sleep(RETRY_SECONDS)

    def _end(self, cluster: Cluster, step: EmrStep) -> None:
        """Once for each step: ask it to end, and after a while make it."""
        if step.key in self._ending or step.key not in self._steps:
            return
        self._runner.interrupt(cluster, step, step.interrupted)
        loop = asyncio.get_running_loop()
        self._ending[step.key] = loop.call_later(GRACE_SECONDS, self._runner.kill, cluster, step)
