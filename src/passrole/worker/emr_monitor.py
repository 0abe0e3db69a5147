"""Follows EMR steps that executions wait for: told by the rules' events, and now and then of itself.

An event says that there is something to see; what there is, EMR is asked for as the execution's role. So an
event that is lost, late or forged changes nothing, and a rule that was deleted delays a step by
RECONCILE_SECONDS at most.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from passrole import history
from passrole.clock import Clock
from passrole.engine.facts import EmrEnded
from passrole.history.jobs import JOBS, Job, is_under_way, under_way
from passrole.services.events.destinations import NOTICES
from passrole.store import Store
from passrole.worker.calls import Action, Caller, CallFailed, Calls
from passrole.worker.emr_steps import EmrSteps
from passrole.worker.patience import THROTTLING

log = logging.getLogger(__name__)

RECONCILE_SECONDS = 60.0
STEP_OVER = ("COMPLETED", "CANCELLED", "FAILED", "INTERRUPTED")
CLUSTER_OVER = ("TERMINATED", "TERMINATED_WITH_ERRORS")

_DESCRIBE_STEP = Action("emr", "DescribeStep", "elasticmapreduce:DescribeStep")
_DESCRIBE_CLUSTER = Action("emr", "DescribeCluster", "elasticmapreduce:DescribeCluster")
_LIST_STEPS = Action("emr", "ListSteps", "elasticmapreduce:ListSteps")


class EmrMonitor:
    """Follows all EMR steps between `start` and `close`."""

    def __init__(self, store: Store, calls: Calls, emr_steps: EmrSteps, clock: Clock) -> None:
        self._store = store
        self._calls = calls
        self._emr_steps = emr_steps
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._looks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._deaf: list[Callable[[], None]] = []
        self._reconciler: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look after what an earlier process left, and hear of what is new."""
        self._deaf = [self._store.listen(JOBS, self._follow), self._store.listen(NOTICES, self._hear)]
        for job in await self._store.read(under_way):
            self._follow(job)
        self._reconciler = asyncio.create_task(self._reconcile())

    async def close(self) -> None:
        """Stop; who waits still waits at the next start."""
        for deaf in self._deaf:
            deaf()
        tasks = [*self._looks.values(), *([self._reconciler] if self._reconciler else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _reconcile(self) -> None:
        while True:
            await asyncio.sleep(RECONCILE_SECONDS)
            for job in tuple(self._jobs.values()):
                self._look(job)

    def _follow(self, job: Job) -> None:
        """Its events may have come before anybody knew whom they concern."""
        self._jobs[job.key] = job
        self._look(job)

    def _hear(self, event: Mapping[str, Any]) -> None:
        detail = event.get("detail", {})
        for job in tuple(self._jobs.values()):
            about_step = detail.get("stepId") in (None, job.emr_step_id)
            if detail.get("clusterId") == job.cluster_id and about_step:
                self._look(job)

    def _look(self, job: Job) -> None:
        """Once at a time for each; what is heard meanwhile has it looked at again."""
        if job.key in self._looks:
            self._again.add(job.key)
            return
        task = self._looks[job.key] = asyncio.create_task(self._looked(job))
        task.add_done_callback(partial(self._after, job))

    def _after(self, job: Job, task: "asyncio.Task[None]") -> None:
        self._looks.pop(job.key, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("an EMR step of `%s` was not looked at", job.execution, exc_info=task.exception())
        if job.key in self._again:
            self._again.discard(job.key)
            if job.key in self._jobs and not task.cancelled():
                self._look(job)

    async def _looked(self, job: Job) -> None:
        if not await self._store.read(lambda tx: is_under_way(tx, job)):
            self._jobs.pop(job.key, None)
            return
        try:
            ended = await (self._end_of_cluster(job) if job.owns_cluster else self._end_of_step(job))
        except CallFailed as failure:
            if failure.code in THROTTLING or not failure.is_final:
                return  # the next look may do better
            await self._emr_steps.give_up(
                _caller(job), job.cluster_id, None if job.owns_cluster else job.emr_step_id
            )
            ended = self._ended(job, succeeded=False, reason=failure.reason, step={})
        if ended is not None:
            await self._record(job, ended)

    async def _end_of_step(self, job: Job) -> EmrEnded | None:
        asked = {"ClusterId": job.cluster_id, "StepId": job.emr_step_id}
        step = (await self._call(job, _DESCRIBE_STEP, asked))["Step"]
        state = step["Status"]["State"]
        if state not in STEP_OVER:
            return None
        if state == "COMPLETED":
            return self._ended(job, succeeded=True, reason=None, step=step)
        reason = f"EMR step {job.emr_step_id} on cluster {job.cluster_id} ended in state {state}."
        return self._ended(job, succeeded=False, reason=_with_details(reason, step), step=step)

    async def _end_of_cluster(self, job: Job) -> EmrEnded | None:
        """The cluster that was made for the step is followed; the step itself is read off the list."""
        answer = await self._call(job, _DESCRIBE_CLUSTER, {"ClusterId": job.cluster_id})
        status = answer["Cluster"]["Status"]
        if status["State"] not in CLUSTER_OVER:
            return None
        listed = await self._call(job, _LIST_STEPS, {"ClusterId": job.cluster_id})
        mine = [each for each in listed["Steps"] if each["Id"] == job.emr_step_id]
        step: Mapping[str, Any] = mine[0] if mine else {}
        why = status.get("StateChangeReason", {})
        if status["State"] == "TERMINATED" and why.get("Code") == "ALL_STEPS_COMPLETED":
            return self._ended(job, succeeded=True, reason=None, step=step)
        reason = (
            f"EMR cluster {job.cluster_id} ended in state {status['State']}."
            f" Reason: {why.get('Code', 'UNKNOWN')}: {why.get('Message', '')}."
        )
        return self._ended(job, succeeded=False, reason=_with_details(reason, step), step=step)

    def _ended(self, job: Job, *, succeeded: bool, reason: str | None, step: Mapping[str, Any]) -> EmrEnded:
        details = step.get("Status", {}).get("FailureDetails", {})
        return EmrEnded(
            at=self._clock(),
            step=job.step,
            attempt=job.attempt,
            succeeded=succeeded,
            reason=reason,
            log_file=details.get("LogFile"),
            properties=step,
        )

    async def _record(self, job: Job, ended: EmrEnded) -> None:
        try:
            await self._store.write(lambda tx: history.advance(tx, job.execution, ended))
        except history.UnknownExecution:
            log.info("`%s` was deleted while its EMR step ran", job.execution)
        self._jobs.pop(job.key, None)

    async def _call(self, job: Job, action: Action, asked: Mapping[str, Any]) -> dict[str, Any]:
        return await self._calls.as_role(_caller(job), action, asked)


def _with_details(reason: str, step: Mapping[str, Any]) -> str:
    """The step's FailureReason: AWS documents none for EMR steps, so this is the form of its other
    failures.
    """
    details = step.get("Status", {}).get("FailureDetails", {})
    told = "".join(
        f" {word}: {details[member]}{'' if str(details[member]).endswith('.') else '.'}"
        for member, word in (("Reason", "Reason"), ("Message", "Message"), ("LogFile", "Log file"))
        if details.get(member)
    )
    return f"ClientError: {reason}{told}"


def _caller(job: Job) -> Caller:
    return Caller(job.role, job.execution, job.step)
