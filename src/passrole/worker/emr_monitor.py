"""Follows EMR steps that executions wait for: polls EMR on EventBridge events and every RECONCILE_SECONDS.

An event says that something has changed; what it is, EMR is asked for as the execution's role. So an event
that is lost, late or forged changes nothing, and a rule that was deleted delays a step by RECONCILE_SECONDS
at most. A poll that fails, as when the fact cannot be written, is repeated with back-off.
"""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from passrole import history
from passrole.arns import ExecutionArn
from passrole.clock import Clock
from passrole.engine.facts import EmrEnded
from passrole.history.jobs import JOBS, Job, is_under_way, under_way
from passrole.services.events.destinations import NOTICES
from passrole.store import Store
from passrole.worker.calls import Action, Caller, CallFailed, Calls
from passrole.worker.due_keys import DueKeys
from passrole.worker.emr_steps import EmrSteps
from passrole.worker.retry_policy import THROTTLING
from passrole.worker.supervisor import Loop, Supervisor

log = logging.getLogger(__name__)

RECONCILE_SECONDS = 60.0
POLLS_MAX = 64
STEP_OVER = ("COMPLETED", "CANCELLED", "FAILED", "INTERRUPTED")
CLUSTER_OVER = ("TERMINATED", "TERMINATED_WITH_ERRORS")

_DESCRIBE_STEP = Action("emr", "DescribeStep", "elasticmapreduce:DescribeStep")
_DESCRIBE_CLUSTER = Action("emr", "DescribeCluster", "elasticmapreduce:DescribeCluster")
_LIST_STEPS = Action("emr", "ListSteps", "elasticmapreduce:ListSteps")


class EmrMonitor:
    """Follows all EMR steps that executions wait for, while `run` does."""

    def __init__(self, store: Store, calls: Calls, emr_steps: EmrSteps, clock: Clock) -> None:
        self._store = store
        self._calls = calls
        self._emr_steps = emr_steps
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._due = DueKeys(clock)
        self._polled: set[str] = set()
        self._loop: Loop | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Follow what an earlier process left, and what is new."""
        self._loop = supervisor.start("emr-monitor", self._run, at_once_max=POLLS_MAX)

    async def _run(self) -> None:
        unsubscribe = [self._store.listen(JOBS, self._add), self._store.listen(NOTICES, self._on_event)]
        try:
            for job in await self._store.read(under_way):
                self._add(job)
            while True:
                self._schedule_polls()
                await self._due.wait(held=self._polled, is_full=self._is_full)
        finally:
            for each in unsubscribe:
                each()

    @property
    def _is_full(self) -> bool:
        assert self._loop is not None
        return self._loop.free <= 0

    def _add(self, job: Job) -> None:
        """Its events may have come before anybody knew whom they concern."""
        self._jobs[job.key] = job
        self._due.add(job.key)

    def _on_event(self, event: Mapping[str, Any]) -> None:
        detail = event.get("detail", {})
        for job in tuple(self._jobs.values()):
            about_step = detail.get("stepId") in (None, job.emr_step_id)
            if detail.get("clusterId") == job.cluster_id and about_step:
                self._due.add(job.key)

    def _schedule_polls(self) -> None:
        """At most one poll per job; an event during a poll triggers another."""
        assert self._loop is not None
        for key in self._due.take(self._loop.free, held=self._polled):
            job = self._jobs.get(key)
            if job is not None:
                self._loop.spawn(self._poll(job)).add_done_callback(partial(self._polled_once, job))
                self._polled.add(key)

    def _polled_once(self, job: Job, task: "asyncio.Task[None]") -> None:
        self._polled.discard(job.key)
        if task.cancelled() or task.exception() is not None:
            self._due.retry(job.key)
        else:
            self._due.succeeded(job.key)
        if job.key in self._jobs:
            self._due.add(job.key, self._clock() + RECONCILE_SECONDS)
        self._due.wake()

    async def _poll(self, job: Job) -> None:
        if not await self._store.read(lambda tx: is_under_way(tx, job)):
            self._jobs.pop(job.key, None)
            return
        try:
            ended = await (self._end_of_cluster(job) if job.owns_cluster else self._end_of_step(job))
        except CallFailed as failure:
            if failure.code in THROTTLING or not failure.is_final:
                return  # the next poll may do better
            await self._emr_steps.give_up(
                _caller(job), job.cluster_id, None if job.owns_cluster else job.emr_step_id
            )
            ended = self._ended(job, succeeded=False, reason=failure.reason, step={})
        if ended is not None:
            await self._record(job, ended)

    async def _end_of_step(self, job: Job) -> EmrEnded | None:
        parameters = {"ClusterId": job.cluster_id, "StepId": job.emr_step_id}
        step = (await self._call(job, _DESCRIBE_STEP, parameters))["Step"]
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

    async def _call(self, job: Job, action: Action, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return await self._calls.as_role(_caller(job), action, parameters)


def _with_details(reason: str, step: Mapping[str, Any]) -> str:
    """The step's FailureReason: AWS documents none for EMR steps, so this is the form of its other
    failures.
    """
    details = step.get("Status", {}).get("FailureDetails", {})
    details_text = "".join(
        f" {word}: {details[member]}{'' if str(details[member]).endswith('.') else '.'}"
        for member, word in (("Reason", "Reason"), ("Message", "Message"), ("LogFile", "Log file"))
        if details.get(member)
    )
    return f"ClientError: {reason}{details_text}"


def _caller(job: Job) -> Caller:
    return Caller(job.role, ExecutionArn(job.execution), job.step)
