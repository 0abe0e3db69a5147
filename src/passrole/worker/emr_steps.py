"""Calls for an EMR step: the EventBridge rule for its end, its submission, its cancellation.

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
from passrole.engine.commands import CancelEmrStep, SubmitEmrStep
from passrole.engine.facts import EmrCancelSent, EmrSubmitted
from passrole.history import Task
from passrole.needs.emr import CLUSTER_RULE, RULES, STEP_RULE
from passrole.worker.calls import Action, Caller, CallFailed, Calls

TARGET_ID = "SageMakerPipelineExecutionEvents"


def _emr(operation: str) -> Action:
    return Action("emr", operation, f"elasticmapreduce:{operation}")


def _events(operation: str) -> Action:
    return Action("events", operation, f"events:{operation}")


class EmrSteps:
    """Submits and cancels EMR steps as the execution's role. Its methods raise CallFailed."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock

    async def submit(self, task: Task, command: SubmitEmrStep) -> EmrSubmitted:
        """Keep the rule, then submit."""
        await self._keep_rule(task, STEP_RULE if command.cluster_config is None else CLUSTER_RULE)
        submitted = self._on_a_cluster if command.cluster_config is None else self._on_its_own
        cluster, step = await submitted(task, command)
        return EmrSubmitted(
            at=self._clock(),
            step=command.step,
            attempt=command.attempt,
            cluster_id=cluster,
            emr_step_id=step,
            emr_step_name=command.emr_step_name,
        )

    async def cancel(self, task: Task, command: CancelEmrStep) -> EmrCancelSent:
        """Ask for the end of the EMR step, or of the cluster that was made for it."""
        if command.owns_cluster:
            await self._call(task, _emr("TerminateJobFlows"), {"JobFlowIds": [command.cluster_id]})
        else:
            parameters = {"ClusterId": command.cluster_id, "StepIds": [command.emr_step_id]}
            await self._call(task, _emr("CancelSteps"), parameters)
        return EmrCancelSent(at=self._clock(), step=command.step, attempt=command.attempt)

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
        caller = _caller(task)
        target = Arn(arns.PARTITION, "sagemaker", caller.region, caller.account, arns.PIPELINE_EVENTS)
        parameters = {"Rule": name, "Targets": [{"Id": TARGET_ID, "Arn": str(target)}]}
        await self._call(task, _events("PutTargets"), parameters)

    async def _on_a_cluster(self, task: Task, command: SubmitEmrStep) -> tuple[str, str]:
        cluster = command.cluster_id or ""
        role = {"ExecutionRoleArn": command.role} if command.role else {}
        config = _config(command, on_failure="CONTINUE")
        parameters = {"JobFlowId": cluster, "Steps": [config], **role}
        answer = await self._submitted(task, command, _emr("AddJobFlowSteps"), parameters)
        return cluster, str(answer["StepIds"][0])

    async def _on_its_own(self, task: Task, command: SubmitEmrStep) -> tuple[str, str]:
        """A cluster with the step inside, which ends with it."""
        config = dict(command.cluster_config or {})
        instances = config.get("Instances")
        parameters = {
            **config,
            "Name": command.emr_step_name,
            "Steps": [_config(command, on_failure="TERMINATE_CLUSTER")],
            "Instances": {
                **(instances if isinstance(instances, dict) else {}),
                "KeepJobFlowAliveWhenNoSteps": False,
                "TerminationProtected": False,
            },
        }
        answer = await self._submitted(task, command, _emr("RunJobFlow"), parameters)
        cluster = str(answer["JobFlowId"])
        try:
            listed = await self._call(task, _emr("ListSteps"), {"ClusterId": cluster})
        except CallFailed:
            await self.give_up(_caller(task), cluster, None)
            raise
        return cluster, str(listed["Steps"][-1]["Id"])

    async def give_up(self, caller: Caller, cluster: str, step: str | None) -> None:
        """End what cannot be followed, as far as the role may: a step, or with None its whole cluster."""
        action, parameters = (
            (_emr("TerminateJobFlows"), {"JobFlowIds": [cluster]})
            if step is None
            else (_emr("CancelSteps"), {"ClusterId": cluster, "StepIds": [step]})
        )
        try:
            await self._calls.as_role(caller, action, parameters)
        except CallFailed:
            return  # the failure that led here is the one to report

    async def _submitted(
        self, task: Task, command: SubmitEmrStep, action: Action, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        request_id = ids.invocation_id(task.execution, command.step, command.attempt)
        return await self._calls.as_role(_caller(task), action, parameters, request_id, command.retries)

    async def _call(self, task: Task, action: Action, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return await self._calls.as_role(_caller(task), action, parameters)


def _config(command: SubmitEmrStep, on_failure: str) -> dict[str, Any]:
    """The StepConfig with the name that SageMaker gives it; on a cluster of others a failure must not end
    it.
    """
    return {"ActionOnFailure": on_failure, **command.step_config, "Name": command.emr_step_name}


def _caller(task: Task) -> Caller:
    return Caller(task.role, task.execution, task.command.step)
