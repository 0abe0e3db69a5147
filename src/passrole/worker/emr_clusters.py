"""The controller of EMR clusters: compares their rows with the programs that run, and starts what is missing.

What is to become of a cluster is decided in a transaction (services/emr/lifecycle.py); here it is done. A
cluster is looked at when it was changed, when one of its steps has ended, when its idle timeout is over, and
at the start. A step that is RUNNING in the store and that nobody here follows is reattached: its program is
waited for, or begun if it never began, or fails honestly if it is gone. A step is RUNNING in the store before
its program is started, and its folder tells whether it was.

No failed write ends anything: the cluster is looked at again after a back-off, and a step's result is kept
until it is written.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from functools import partial
from typing import Any

from passrole import disk
from passrole.clock import Clock
from passrole.config import Config
from passrole.runtimes.jobs import Jobs
from passrole.runtimes.spark import Spark
from passrole.services.context import CallOperation
from passrole.services.emr import lifecycle
from passrole.services.emr.lifecycle import Todo
from passrole.services.emr.records import CHANNEL, CLUSTERS, OVER, Cluster, EmrStep
from passrole.store import Store, Tx
from passrole.worker import writes
from passrole.worker.claimed import Claimed
from passrole.worker.due_keys import DueKeys
from passrole.worker.emr_step_runner import Outcome, StepRunner
from passrole.worker.supervisor import Loop, Supervisor, was_asked_to_end

log = logging.getLogger(__name__)

GRACE_SECONDS = 30.0
"""What a step that is interrupted has to come to its end."""

CLAIMS = "emr-cluster"
"""The kind of what a server claims: a cluster, with all its steps."""

SETTLED_AT_ONCE_MAX = 64
PROGRAMS_MAX = 10_000
"""Steps and bootstrap actions at the same time, of all clusters; the others wait in the store."""

_INTERNAL = {"Reason": "Unknown Error", "Message": "The step failed because of an internal error."}

Follow = Callable[[Cluster, EmrStep], Awaitable[Outcome]]


class ClusterController:
    """Works all clusters. `start` once the door is open; the supervisor is closed before the store."""

    def __init__(
        self, store: Store, call: CallOperation, clock: Clock, config: Config, jobs: Jobs | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._jobs = jobs or Jobs(processes_max=config.processes_max)
        self._runner = StepRunner(store, call, clock, config, self._jobs, Spark(config))
        self._due = DueKeys(clock)
        self._claimed = Claimed(store, CLAIMS)
        self._followed: set[str] = set()
        self._programs: dict[str, tuple[Cluster, EmrStep]] = {}
        self._starting: set[str] = set()
        self._over: set[str] = set()
        self._kills: dict[str, tuple[float, Cluster, EmrStep]] = {}
        self._loop: Loop | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Take up every cluster that is not over, and hear of new ones."""
        self._loop = supervisor.start("emr-clusters", self._run, at_once_max=PROGRAMS_MAX)

    async def _run(self) -> None:
        unsubscribe = self._store.listen(CHANNEL, self._due.add)
        try:
            while True:
                await self._due.look(self._active)
                # A cluster that comes up is looked at when it is up, or has failed to be.
                keys = self._due.take(SETTLED_AT_ONCE_MAX, held=self._starting)
                await asyncio.gather(*(self._settle(key) for key in keys))
                self._kill_overdue()
                await self._due.wait(held=self._starting)
        except asyncio.CancelledError as error:
            if was_asked_to_end(error):  # the next start says honestly what did not come to its end
                await self._jobs.close()
            raise
        finally:
            unsubscribe()

    async def _active(self) -> list[str]:
        """Clusters that are not over, without reading again those that were; and those whose steps run here:
        another server may have said that they are over.
        """
        active, self._over = await self._store.read(partial(_active_and_over, over=self._over))
        return [*active, *{cluster.key for cluster, _ in self._programs.values()}.difference(active)]

    async def _settle(self, key: str) -> None:
        try:
            todo = await self._store.write(partial(self._settled, key=key))
            if todo is not None and todo.cluster.state not in OVER:
                self._do(todo)
            here = [each for each in self._programs.values() if each[0].key == key]
            if not here and key not in self._starting:  # else its programs' ends say whether it fails on
                self._due.succeeded(key)
            await self._kill_lost(key, here)
        except (Exception, asyncio.CancelledError) as error:
            if was_asked_to_end(error):
                raise
            disk.report(log, error, f"the cluster {key}")
            self._due.retry(key, error)

    def _settled(self, tx: Tx, key: str) -> Todo | None:
        """None where there is no such cluster, or another server has it."""
        now = self._clock()
        if not self._claimed.is_ours(tx, key, lambda: lifecycle.lose(tx, key, now)):
            return None
        todo = lifecycle.settle(tx, key, now)
        if todo is None or todo.cluster.state in OVER:
            self._claimed.release(tx, key)
        return todo

    def _do(self, todo: Todo) -> None:
        cluster = todo.cluster
        if cluster.state in lifecycle.COMING_UP:
            self._spawn(self._starting, cluster.key, cluster.key, self._bring_up(cluster))
        for step in todo.start:
            self._follow(cluster, step, self._runner.run)
        for step in todo.running:
            self._follow(cluster, step, self._runner.reattach)
        for step in todo.end:
            self._end(cluster, step)
        if cluster.idle_seconds is not None and cluster.idle_since is not None:
            self._due.add(cluster.key, cluster.idle_since + cluster.idle_seconds)

    def _follow(self, cluster: Cluster, step: EmrStep, how: Follow) -> None:
        self._programs[step.key] = (cluster, step)
        self._spawn(self._followed, step.key, cluster.key, self._carry_out(cluster, step, how))

    def _spawn(self, held: set[str], key: str, cluster: str, work: Coroutine[Any, Any, None]) -> None:
        """Begin work of a cluster unless it is `held` under the key; at its end the cluster is looked at."""
        assert self._loop is not None
        if key in held:
            work.close()
            return

        def ended(task: "asyncio.Task[None]") -> None:
            held.discard(key)
            self._kills.pop(key, None)
            self._programs.pop(key, None)
            if self._due.ended(cluster, task):
                self._due.add(cluster)

        self._loop.spawn(work).add_done_callback(ended)
        held.add(key)

    async def _bring_up(self, cluster: Cluster) -> None:
        """From STARTING to where steps may run, or to an early end."""
        problem, reason = await self._runner.check_roles(cluster), "VALIDATION_ERROR"
        if problem is None and await self._moved(cluster, "BOOTSTRAPPING"):
            problem, reason = await self._runner.bootstrap(cluster), "BOOTSTRAP_FAILURE"
        if problem is not None:
            message = problem
            await self._store.write(lambda tx: self._failed(tx, cluster.key, reason, message))
        else:
            await self._moved(cluster, "RUNNING")

    def _failed(self, tx: Tx, key: str, reason: str, message: str) -> None:
        if self._claimed.is_still_ours(tx, key):
            lifecycle.fail(tx, key, self._clock(), reason, message)

    async def _moved(self, cluster: Cluster, state: str) -> bool:
        """Whether the cluster goes on here; somebody may have terminated it, or taken it over, meanwhile."""

        def move(tx: Tx) -> bool:
            is_ours = self._claimed.is_still_ours(tx, cluster.key)
            return is_ours and lifecycle.move(tx, cluster.key, state, self._clock()) is not None

        return await self._store.write(move)

    async def _carry_out(self, cluster: Cluster, step: EmrStep, how: Follow) -> None:
        try:
            outcome = await how(cluster, step)
        except Exception as error:
            disk.report(log, error, f"step {step.key}")
            outcome = Outcome(None, _INTERNAL)
        code, details = outcome.exit_code, outcome.details
        await writes.written(
            self._store,
            lambda tx: lifecycle.end_step(tx, cluster.key, step.key, self._clock(), code, details),
            f"recording the end of step {step.key}",
            retried=(Exception,),
        )

    def _end(self, cluster: Cluster, step: EmrStep) -> None:
        """Once for each step: ask it to end, and after a while make it."""
        if step.key not in self._followed:
            return
        if step.key not in self._kills:
            self._kills[step.key] = (self._clock() + GRACE_SECONDS, cluster, step)
            self._runner.interrupt(cluster, step, step.interrupted)
        self._due.add(cluster.key, self._kills[step.key][0])

    async def _kill_lost(self, key: str, here: Sequence[tuple[Cluster, EmrStep]]) -> None:
        """Those of the programs here of steps of which another server has said that they are lost."""
        if not here or self._store.share.is_whole:
            return
        under_way = await self._store.read(lambda tx: lifecycle.keys_under_way(tx, key))
        for cluster, step in here:
            if step.key not in under_way:
                self._runner.kill(cluster, step)

    def _kill_overdue(self) -> None:
        now = self._clock()
        for at, cluster, step in tuple(self._kills.values()):
            if at <= now:
                self._runner.kill(cluster, step)


def _active_and_over(tx: Tx, over: Collection[str]) -> tuple[list[str], set[str]]:
    keys = CLUSTERS.keys(tx)
    found = {key: CLUSTERS.get(tx, key) for key in keys if key not in over}
    active = [key for key, cluster in found.items() if cluster is not None and cluster.state not in OVER]
    return active, set(keys).difference(active)
