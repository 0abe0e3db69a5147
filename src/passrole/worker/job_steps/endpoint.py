"""Endpoints of steps: created or, where there is one of that name, updated; then followed until in service.

All as the execution's role. A submission that a crash had repeated finds the endpoint on its way to the same
configuration. An endpoint in progress cannot be stopped, so that a stop waits for it, as on AWS.
"""

from typing import Any

from passrole import arns
from passrole.arns import Account, Region
from passrole.clock import Clock
from passrole.engine.commands import CancelJob, SubmitJob
from passrole.engine.facts import JobCancelSent, JobEnded, JobSubmitted
from passrole.history import Task
from passrole.history.jobs import Job
from passrole.services.sagemaker.hosting.records import CREATING, IN_SERVICE, UPDATING
from passrole.services.sagemaker.hosting.states import CHANGES
from passrole.worker.calls import Action, Caller, CallFailed, Calls, check_due
from passrole.worker.job_steps.job_step import caller_for, caller_of, left_to_policies
from passrole.worker.job_steps.tags import tags_of

_TAKEN = "Cannot create already existing endpoint"
_IN_PROGRESS = "Cannot update in-progress endpoint"
_OF_UPDATES = ("EndpointConfigName", "DeploymentConfig")


class EndpointSteps:
    """See JobStep. A step's handle has the endpoint's Arn."""

    channels = (CHANGES,)

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock

    async def submit(self, task: Task, command: SubmitJob) -> JobSubmitted:
        """Create the endpoint, or update it."""
        caller, left = caller_of(task), left_to_policies(command)
        given = {**command.request, "EndpointName": command.name}
        try:
            tagged = {**given, "Tags": tags_of(task, command)}
            await self._calls.as_role(caller, _action("CreateEndpoint"), tagged, left=left)
        except CallFailed as failure:
            if not failure.details.startswith(_TAKEN):
                raise
            await self._update(caller, command)
        arn = arns.endpoint(Region(caller.region), Account(caller.account), command.name)
        return JobSubmitted(
            at=self._clock(), step=command.step, attempt=command.attempt, handle={"Endpoint": {"Arn": arn}}
        )

    async def cancel(self, _task: Task, command: CancelJob) -> JobCancelSent:
        """Nothing ends it but its own end."""
        return JobCancelSent(at=self._clock(), step=command.step, attempt=command.attempt)

    async def look(self, job: Job) -> JobEnded | None:
        """Describe the endpoint: after an update that failed it is in service, and has a FailureReason."""
        described = await self._described(caller_for(job), _named(job.handle["Arn"]))
        status, reason = described["EndpointStatus"], described.get("FailureReason")
        if status in (CREATING, UPDATING):
            return None
        succeeded = status == IN_SERVICE and reason is None
        told = f"ClientError: {reason or f'The endpoint is {status}'}"
        return JobEnded(
            at=self._clock(),
            step=job.step,
            attempt=job.attempt,
            succeeded=succeeded,
            reason=None if succeeded else told,
            properties=described,
        )

    async def give_up(self, job: Job) -> None:
        """It goes on: what cannot be followed may serve others."""

    def concerns(self, notice: str, job: Job) -> bool:
        """A notice is the ARN of an endpoint that is in progress no more."""
        return bool(notice == job.handle["Arn"])

    async def _update(self, caller: Caller, command: SubmitJob) -> None:
        changed = {name: command.request[name] for name in _OF_UPDATES if name in command.request}
        request = {"EndpointName": command.name, **changed}
        left = left_to_policies(command)
        await check_due()  # else a server that was away would undo what came after
        try:
            await self._calls.as_role(caller, _action("UpdateEndpoint"), request, left=left)
        except CallFailed as failure:
            if not failure.details.startswith(_IN_PROGRESS):
                raise
            described = await self._described(caller, command.name)
            coming = described.get("PendingDeploymentSummary", described)
            if coming.get("EndpointConfigName") != command.request.get("EndpointConfigName"):
                raise

    async def _described(self, caller: Caller, name: str) -> dict[str, Any]:
        return await self._calls.as_role(caller, _action("DescribeEndpoint"), {"EndpointName": name})


def _action(operation: str) -> Action:
    return Action("sagemaker", operation, f"sagemaker:{operation}")


def _named(arn: Any) -> str:
    return str(arn).rpartition("/")[2]
