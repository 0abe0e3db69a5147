"""EMR steps: the EventBridge rule for their end, submission, cancellation, and how they ended.

The rule comes first, so that a role that may not keep it starts no work. Both ways to submit are repeated
under the same request id after a crash, by which EMR knows a second call for one. What was begun and cannot
be followed is ended again: nothing is left behind.
"""

import json
from collections.abc import Mapping
from typing import Any

from passrole import arns, ids
from passrole.arns import Arn
from passrole.clock import Clock
from passrole.engine.commands import CancelJob, SubmitJob
from passrole.engine.facts import JobCancelSent, JobEnded, JobSubmitted
from passrole.history import Task
from passrole.history.jobs import Job
from passrole.needs.emr import CLUSTER_RULE, RULES, STEP_RULE
from passrole.services.events.destinations import NOTICES
from passrole.worker.calls import Action, Caller, CallFailed, Calls
from passrole.worker.job_steps.job_step import caller_for, caller_of, left_to_policies

TARGET_ID = "SageMakerPipelineExecutionEvents"
STEP_OVER = ("COMPLETED", "CANCELLED", "FAILED", "INTERRUPTED")
CLUSTER_OVER = ("TERMINATED", "TERMINATED_WITH_ERRORS")


def _emr(operation: str) -> Action:
    return Action("emr", operation, f"elasticmapreduce:{operation}")


def _events(operation: str) -> Action:
    return Action("events", operation, f"events:{operation}")


class EmrSteps:
    """See JobStep. A job's handle has ClusterId, StepId, and whether its cluster was made for it."""

    channels = (NOTICES,)

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock

    async def submit(self, task: Task, command: SubmitJob) -> JobSubmitted:
        """Keep the rule, then submit."""
        is_own = "ClusterConfig" in command.request
        await self._keep_rule(task, CLUSTER_RULE if is_own else STEP_RULE)
        cluster, step = await (self._on_its_own if is_own else self._on_a_cluster)(task, command)
        handle = {"ClusterId": cluster, "StepId": step, "StepName": command.name}
        return JobSubmitted(
            at=self._clock(), step=command.step, attempt=command.attempt, handle={"EMR": handle}
        )

    async def cancel(self, task: Task, command: CancelJob) -> JobCancelSent:
        """Ask for the end of the EMR step, or of the cluster that was made for it."""
        await self._calls.as_role(caller_of(task), *_ending(command.handle))
        return JobCancelSent(at=self._clock(), step=command.step, attempt=command.attempt)

    async def look(self, job: Job) -> JobEnded | None:
        """The step, or the cluster that was made for it."""
        return await (self._end_of_cluster(job) if job.handle["OwnsCluster"] else self._end_of_step(job))

    async def give_up(self, job: Job) -> None:
        """End the step, or its whole cluster."""
        await self._give_up(caller_for(job), job.handle)

    def concerns(self, notice: str, job: Job) -> bool:
        """An event of its cluster, and of this step if it is a step's."""
        cluster, _, step = notice.partition(" ")
        return cluster == job.handle["ClusterId"] and step in ("", job.handle["StepId"])

    async def _keep_rule(self, task: Task, name: str) -> None:
        """DescribeRule, PutRule where it is not there as it should be, PutTargets."""
        pattern = json.dumps(RULES[name])
        try:
            rule = await self._call(task, _events("DescribeRule"), {"Name": name})
        except CallFailed as failure:
            if failure.code != "ResourceNotFoundException":
                raise
            rule = {}
        if rule.get("EventPattern") != pattern or rule.get("State") != "ENABLED":
            await self._call(task, _events("PutRule"), {"Name": name, "EventPattern": pattern})
        caller = caller_of(task)
        target = Arn(arns.PARTITION, "sagemaker", caller.region, caller.account, arns.PIPELINE_EVENTS)
        parameters = {"Rule": name, "Targets": [{"Id": TARGET_ID, "Arn": str(target)}]}
        await self._call(task, _events("PutTargets"), parameters)

    async def _on_a_cluster(self, task: Task, command: SubmitJob) -> tuple[str, str]:
        cluster, request = str(command.request["ClusterId"]), command.request
        role = {name: request[name] for name in ("ExecutionRoleArn",) if request.get(name)}
        config = _config(command, on_failure="CONTINUE")
        parameters = {"JobFlowId": cluster, "Steps": [config], **role}
        answer = await self._submitted(task, command, _emr("AddJobFlowSteps"), parameters)
        return cluster, str(answer["StepIds"][0])

    async def _on_its_own(self, task: Task, command: SubmitJob) -> tuple[str, str]:
        """A cluster with the step inside, which ends with it."""
        config = _object(command.request["ClusterConfig"])
        parameters = {
            **config,
            "Name": command.name,
            "Steps": [_config(command, on_failure="TERMINATE_CLUSTER")],
            "Instances": {
                **_object(config.get("Instances")),
                "KeepJobFlowAliveWhenNoSteps": False,
                "TerminationProtected": False,
            },
        }
        answer = await self._submitted(task, command, _emr("RunJobFlow"), parameters)
        cluster = str(answer["JobFlowId"])
        try:
            listed = await self._call(task, _emr("ListSteps"), {"ClusterId": cluster})
        except CallFailed:
            await self._give_up(caller_of(task), {"ClusterId": cluster, "OwnsCluster": True})
            raise
        return cluster, str(listed["Steps"][-1]["Id"])

    async def _end_of_step(self, job: Job) -> JobEnded | None:
        cluster, id_ = job.handle["ClusterId"], job.handle["StepId"]
        step = (await self._look_at(job, "DescribeStep", ClusterId=cluster, StepId=id_))["Step"]
        state = step["Status"]["State"]
        if state not in STEP_OVER:
            return None
        if state == "COMPLETED":
            return self._ended(job, step)
        return self._ended(job, step, f"EMR step {id_} on cluster {cluster} ended in state {state}.")

    async def _end_of_cluster(self, job: Job) -> JobEnded | None:
        """The cluster that was made for the step is followed; the step itself is read off the list."""
        cluster = job.handle["ClusterId"]
        status = (await self._look_at(job, "DescribeCluster", ClusterId=cluster))["Cluster"]["Status"]
        if status["State"] not in CLUSTER_OVER:
            return None
        listed = await self._look_at(job, "ListSteps", ClusterId=cluster)
        mine = [each for each in listed["Steps"] if each["Id"] == job.handle["StepId"]]
        step: Mapping[str, Any] = mine[0] if mine else {}
        why = status.get("StateChangeReason", {})
        if status["State"] == "TERMINATED" and why.get("Code") == "ALL_STEPS_COMPLETED":
            return self._ended(job, step)
        reason = (
            f"EMR cluster {cluster} ended in state {status['State']}."
            f" Reason: {why.get('Code', 'UNKNOWN')}: {why.get('Message', '')}."
        )
        return self._ended(job, step, reason)

    def _ended(self, job: Job, step: Mapping[str, Any], failure: str | None = None) -> JobEnded:
        log_file = step.get("Status", {}).get("FailureDetails", {}).get("LogFile")
        return JobEnded(
            at=self._clock(),
            step=job.step,
            attempt=job.attempt,
            succeeded=failure is None,
            reason=None if failure is None else _with_details(failure, step),
            metadata={"EMR": {"LogFilePath": log_file}} if log_file else {},
            properties=step,
        )

    async def _give_up(self, caller: Caller, handle: Mapping[str, Any]) -> None:
        try:
            await self._calls.as_role(caller, *_ending(handle))
        except CallFailed:
            return  # the failure that led here is the one to report

    async def _submitted(
        self, task: Task, command: SubmitJob, action: Action, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        request_id = ids.invocation_id(task.execution, command.step, command.attempt)
        left = left_to_policies(command)
        return await self._calls.as_role(caller_of(task), action, parameters, request_id, left)

    async def _look_at(self, job: Job, operation: str, **parameters: Any) -> dict[str, Any]:
        return await self._calls.as_role(caller_for(job), _emr(operation), parameters)

    async def _call(self, task: Task, action: Action, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return await self._calls.as_role(caller_of(task), action, parameters)


def _ending(handle: Mapping[str, Any]) -> tuple[Action, dict[str, Any]]:
    """The call that ends the step, or the cluster that was made for it."""
    if handle["OwnsCluster"]:
        return _emr("TerminateJobFlows"), {"JobFlowIds": [handle["ClusterId"]]}
    return _emr("CancelSteps"), {"ClusterId": handle["ClusterId"], "StepIds": [handle["StepId"]]}


def _config(command: SubmitJob, on_failure: str) -> dict[str, Any]:
    """The StepConfig with the name that SageMaker gives it; on a cluster of others a failure must not end
    it.
    """
    return {"ActionOnFailure": on_failure, **_object(command.request["StepConfig"]), "Name": command.name}


def _object(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


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
