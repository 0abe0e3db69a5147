"""Jobs of SageMaker: Create, Describe and Stop as the execution's role, which must be allowed all three.

A job's name is drawn from the execution's seed, so a submission that a crash had repeated finds the job of
that name already there. What a job has to do with its pipeline stands in its tags, as on AWS, and so AddTags
is asked of the role as well: https://github.com/getindata/kedro-sagemaker/issues/20
"""

from collections.abc import Mapping
from typing import Any

from passrole.arns import Account, Region
from passrole.clock import Clock
from passrole.engine.commands import CancelJob, SubmitJob
from passrole.engine.facts import JobCancelSent, JobEnded, JobSubmitted
from passrole.history import Task
from passrole.history.jobs import Job
from passrole.services.sagemaker.jobs.kinds import JobKind
from passrole.services.sagemaker.jobs.records import COMPLETED, ENDED
from passrole.services.sagemaker.jobs.states import ENDS
from passrole.worker.calls import Action, CallFailed, Calls
from passrole.worker.job_steps.job_step import caller_for, caller_of, left_to_policies
from passrole.worker.job_steps.tags import tags_of

ERRORS: Mapping[str, str] = {
    "InternalServerError": "SageMaker.JOB_INTERNAL_ERROR",
    "CapacityError": "SageMaker.CAPACITY_ERROR",
}
"""By how a FailureReason begins, what retry policies call the failure.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
"""


class SageMakerJobs:
    """See JobStep. A job's handle has its Arn; the step's metadata have it under `metadata` and `key`."""

    channels = (ENDS,)
    errors: Mapping[str, str] = ERRORS

    def __init__(
        self, kind: JobKind, calls: Calls, clock: Clock, metadata: str | None = None, key: str = "Arn"
    ) -> None:
        self._kind = kind
        self._member = kind.member
        self._metadata = metadata or kind.member
        self._key = key
        self._calls = calls
        self._clock = clock

    async def submit(self, task: Task, command: SubmitJob) -> JobSubmitted:
        """Create the job."""
        arn = await self._created(task, command)
        handle = {self._metadata: {self._key: arn}}
        return JobSubmitted(at=self._clock(), step=command.step, attempt=command.attempt, handle=handle)

    async def cancel(self, task: Task, command: CancelJob) -> JobCancelSent:
        """Stop the job; one that has just ended needs no stop."""
        named, caller = self._named(command.handle["Arn"]), caller_of(task)
        try:
            await self._calls.as_role(caller, self._action("Stop"), named)
        except CallFailed:
            described = await self._calls.as_role(caller, self._action("Describe"), named)
            if described[f"{self._member}Status"] not in ENDED:
                raise
        return JobCancelSent(at=self._clock(), step=command.step, attempt=command.attempt)

    async def look(self, job: Job) -> JobEnded | None:
        """Describe the job."""
        named = self._named(job.handle["Arn"])
        described = await self._calls.as_role(caller_for(job), self._action("Describe"), named)
        status = described[f"{self._member}Status"]
        if status not in ENDED:
            return None
        reason = None if status == COMPLETED else self._reason(job, status, described)
        return JobEnded(
            at=self._clock(),
            step=job.step,
            attempt=job.attempt,
            succeeded=status == COMPLETED,
            reason=None if reason is None else f"ClientError: {reason}",
            error=None if reason is None else self.errors.get(reason.partition(":")[0]),
            properties={**described, **(await self.results(job, described) if status == COMPLETED else {})},
        )

    async def results(self, _job: Job, _described: Mapping[str, Any]) -> Mapping[str, Any]:
        """What may be referenced of a job that has succeeded, beside its description. Raises CallFailed."""
        return {}

    async def give_up(self, job: Job) -> None:
        """Stop the job."""
        try:
            await self._calls.as_role(caller_for(job), self._action("Stop"), self._named(job.handle["Arn"]))
        except CallFailed:
            return  # the failure that led here is the one to report

    def concerns(self, notice: str, job: Job) -> bool:
        """A notice is the ARN of a job that has ended."""
        return notice == job.handle["Arn"]

    async def _created(self, task: Task, command: SubmitJob) -> str:
        given = {**command.request, f"{self._member}Name": command.name}
        parameters = {**given, "Tags": tags_of(task, command)}
        caller = caller_of(task)
        try:
            answer = await self._calls.as_role(
                caller, self._action("Create"), parameters, left=left_to_policies(command)
            )
        except CallFailed as failure:
            if failure.code != "ResourceInUse":
                raise
            return self._kind.arn(Region(caller.region), Account(caller.account), command.name)
        return str(answer[f"{self._member}Arn"])

    def _reason(self, job: Job, status: str, described: dict[str, Any]) -> str:
        """The job's FailureReason. A stop that the execution did not ask for fails the step."""
        if reason := described.get("FailureReason"):
            return str(reason)
        why = described.get("SecondaryStatus", status)
        return f"Job {self._named(job.handle['Arn'])[f'{self._member}Name']} {status}: {why}"

    def _action(self, verb: str) -> Action:
        operation = f"{verb}{self._member}"
        return Action("sagemaker", operation, f"sagemaker:{operation}")

    def _named(self, arn: Any) -> dict[str, str]:
        return {f"{self._member}Name": str(arn).rpartition("/")[2]}
