"""EMRServerless steps: submission, cancellation, how the job run ended, and the application made for it.

Both calls that make something are repeated under the same client token after a crash, by which EMR Serverless
knows a second call for one. An application of the step's own is stopped and deleted when its job run is over;
a role that may not do that leaves it, and it stops by itself.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from passrole import ids
from passrole.clock import Clock
from passrole.engine.commands import CancelJob, SubmitJob
from passrole.engine.facts import JobCancelSent, JobEnded, JobSubmitted
from passrole.history import Task
from passrole.history.jobs import Job
from passrole.services.emr_serverless.records import ENDS, OVER, SUCCESS
from passrole.worker.calls import Action, Caller, CallFailed, Calls
from passrole.worker.job_steps.job_step import caller_for, caller_of, left_to_policies

METADATA = "EMRServerless"
_OF_THE_STEP = ("applicationId", "executionRoleArn")
_NAME_MAX = 256


def _action(operation: str) -> Action:
    return Action("emr-serverless", operation, f"emr-serverless:{operation}")


class EmrServerlessSteps:
    """See JobStep. A job's handle has ApplicationId, JobRunId, and whether the application is the step's."""

    channels = (ENDS,)

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock

    async def submit(self, task: Task, command: SubmitJob) -> JobSubmitted:
        """Make the application if it is the step's own, and start the job run."""
        caller, config = caller_of(task), command.request.get("ApplicationConfig")
        token = ids.invocation_id(task.execution, command.step, command.attempt)
        left = left_to_policies(command)
        if config is None:
            application = str(command.request["ApplicationId"])
        else:
            application = await self._made(caller, config, token, left)
        given: Any = command.request["JobConfig"]
        job = {member: value for member, value in given.items() if member not in _OF_THE_STEP}
        name = str(job.get("name") or command.name)[:_NAME_MAX]
        parameters = {
            **job,
            "name": name,
            "applicationId": application,
            "clientToken": token,
            "executionRoleArn": command.request["ExecutionRoleArn"],
        }
        try:
            started = await self._calls.as_role(caller, _action("StartJobRun"), parameters, left=left)
        except CallFailed:
            if config is not None:
                await self._removed(caller, application)
            raise
        handle = {"ApplicationId": application, "JobRunId": str(started["jobRunId"]), "JobRunName": name}
        return JobSubmitted(
            at=self._clock(), step=command.step, attempt=command.attempt, handle={METADATA: handle}
        )

    async def cancel(self, task: Task, command: CancelJob) -> JobCancelSent:
        """Cancel the job run; one that has just ended needs no cancellation."""
        caller, named = caller_of(task), _named(command.handle)
        try:
            await self._calls.as_role(caller, _action("CancelJobRun"), named)
        except CallFailed:
            run = (await self._calls.as_role(caller, _action("GetJobRun"), named))["jobRun"]
            if run["state"] not in OVER:
                raise
        return JobCancelSent(at=self._clock(), step=command.step, attempt=command.attempt)

    async def look(self, job: Job) -> JobEnded | None:
        """The job run; its end is that of an application that was made for it."""
        caller, named = caller_for(job), _named(job.handle)
        run = (await self._calls.as_role(caller, _action("GetJobRun"), named))["jobRun"]
        state, log_file = run["state"], _log_file(run)
        if state not in OVER:
            return None
        if job.handle["OwnsApplication"]:
            await self._removed(caller, named["applicationId"])
        reason = (
            f"ClientError: EMR Serverless job run {named['jobRunId']} of application"
            f" {named['applicationId']} ended in state {state}."
        )
        details = f" Reason: {run['stateDetails']}" if run["stateDetails"] else ""
        return JobEnded(
            at=self._clock(),
            step=job.step,
            attempt=job.attempt,
            succeeded=state == SUCCESS,
            reason=None if state == SUCCESS else reason + details,
            metadata={METADATA: {"LogFilePath": log_file}} if log_file else {},
            properties={"jobRun": run},
        )

    async def give_up(self, job: Job) -> None:
        """Cancel the job run; its application stops by itself."""
        with suppress(CallFailed):  # the failure that led here is the one to report
            await self._calls.as_role(caller_for(job), _action("CancelJobRun"), _named(job.handle))

    def concerns(self, notice: str, job: Job) -> bool:
        """A notice is the ARN of a job run that has ended."""
        named = _named(job.handle)
        return notice.endswith(f"/applications/{named['applicationId']}/jobruns/{named['jobRunId']}")

    async def _made(self, caller: Caller, config: Any, token: str, left: frozenset[str]) -> str:
        parameters = {**config, "clientToken": token}
        made = await self._calls.as_role(caller, _action("CreateApplication"), parameters, left=left)
        application = str(made["applicationId"])
        try:
            named = {"applicationId": application}
            await self._calls.as_role(caller, _action("StartApplication"), named, left=left)
        except CallFailed:
            await self._removed(caller, application)
            raise
        return application

    async def _removed(self, caller: Caller, application: str) -> None:
        """Stop and delete it, as far as its state and the role allow."""
        for operation in ("StopApplication", "DeleteApplication"):
            with suppress(CallFailed):
                await self._calls.as_role(caller, _action(operation), {"applicationId": application})


def _named(handle: Mapping[str, Any]) -> dict[str, str]:
    return {"applicationId": str(handle["ApplicationId"]), "jobRunId": str(handle["JobRunId"])}


def _log_file(run: Mapping[str, Any]) -> str | None:
    """The driver's error log, where the job's own configuration says that logs are kept in S3."""
    monitoring = run.get("configurationOverrides", {}).get("monitoringConfiguration", {})
    uri = monitoring.get("s3MonitoringConfiguration", {}).get("logUri")
    if not uri:
        return None
    attempt = f"/attempts/{run['attempt']}" if run.get("retryPolicy", {}).get("maxAttempts", 1) > 1 else ""
    path = f"applications/{run['applicationId']}/jobs/{run['jobRunId']}{attempt}/SPARK_DRIVER/stderr.gz"
    return f"{str(uri).rstrip('/')}/{path}"
