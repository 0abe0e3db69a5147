"""What steps create of SageMaker by one call, as the execution's role: models, and packages of the registry.

A creation may be performed twice after a crash. A model's name is drawn from the execution's seed, and a
package's ClientToken from the attempt, so that the second time finds what the first has made.
A missing group is made for its first version. A version has its group's tags, so what SageMaker Pipelines
tags is the group, and a package without one.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from passrole import arns, ids
from passrole.arns import Account, Region
from passrole.clock import Clock
from passrole.engine.commands import CreateResource
from passrole.engine.facts import ResourceCreated
from passrole.history import Task
from passrole.needs.table import EXECUTION_TAG, STEP_TAG
from passrole.worker.calls import Action, CallFailed, Calls
from passrole.worker.job_steps.job_step import caller_of, left_to_policies

Call = Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
Json = dict[str, Any]

_MODEL_TAKEN = "Cannot create already existing model"
_GROUP_TAKEN = "Model Package Group already exists"
_NO_ARTEFACT = "Cannot find S3 object"


class Creations:
    """Performs CreateResource."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock

    async def create(self, task: Task, command: CreateResource) -> ResourceCreated:
        """Create it, then describe it. Raises CallFailed."""
        arn, described = await KINDS[command.kind](partial(self._call, task, command), task, command)
        return ResourceCreated(
            at=self._clock(),
            step=command.step,
            attempt=command.attempt,
            metadata={command.kind: {"Arn": arn}},
            properties=described,
        )

    async def _call(
        self, task: Task, command: CreateResource, operation: str, parameters: Mapping[str, Any]
    ) -> Json:
        action = Action("sagemaker", operation, f"sagemaker:{operation}")
        left = left_to_policies(command)
        return await self._calls.as_role(caller_of(task), action, parameters, left=left)


async def _model(call: Call, task: Task, command: CreateResource) -> tuple[str, Json]:
    request = {**command.request, "ModelName": command.name, "Tags": _tags(task, command)}
    try:
        arn = str((await call("CreateModel", request))["ModelArn"])
    except CallFailed as failure:
        if not failure.details.startswith(_MODEL_TAKEN):
            raise
        caller = caller_of(task)
        arn = arns.model(Region(caller.region), Account(caller.account), command.name)
    return arn, await call("DescribeModel", {"ModelName": command.name})


async def _package(call: Call, task: Task, command: CreateResource) -> tuple[str, Json]:
    request: Json = dict(command.request)
    tags = _tags(task, command)
    group = request.get("ModelPackageGroupName")
    if group:
        request.pop("Tags", None)
        await _keep_group(call, str(group), tags)
    else:
        request["Tags"] = tags
    given = request.get("MetadataProperties", {})
    request["MetadataProperties"] = {"GeneratedBy": str(task.execution), **given}
    request["ClientToken"] = ids.invocation_id(task.execution, command.step, command.attempt)
    try:
        arn = str((await call("CreateModelPackage", request))["ModelPackageArn"])
    except CallFailed as failure:
        if failure.details.startswith(_NO_ARTEFACT):
            failure.reason = f"ClientError: {failure.details}"  # as such a step's reason was seen on AWS
        raise
    return arn, await call("DescribeModelPackage", {"ModelPackageName": arn})


async def _keep_group(call: Call, group: str, tags: list[Any]) -> None:
    """An ARN means a group that is there."""
    if arns.parse(group) is not None:
        return
    try:
        await call("CreateModelPackageGroup", {"ModelPackageGroupName": group, "Tags": tags})
    except CallFailed as failure:
        if not failure.details.startswith(_GROUP_TAKEN):
            raise


def _tags(task: Task, command: CreateResource) -> list[Any]:
    """The step's own, and those of everything that Pipelines creates."""
    given = command.request.get("Tags")
    own = given if isinstance(given, list) else []
    return [
        *own,
        {"Key": EXECUTION_TAG, "Value": str(task.execution)},
        {"Key": STEP_TAG, "Value": command.step},
    ]


KINDS: Mapping[str, Callable[[Call, Task, CreateResource], Awaitable[tuple[str, Json]]]] = {
    "Model": _model,
    "RegisterModel": _package,
}
"""By the type of the step."""
