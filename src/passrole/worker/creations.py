"""What steps create of SageMaker by one call, as the execution's role: models, packages of the registry, and
configurations of endpoints.

A creation may be performed twice after a crash. A model's name is drawn from the execution's seed, and a
package's ClientToken from the attempt, so that the second time finds what the first has made; a
configuration's name is the user's, and it is known by what it has and by when it was made.
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
from passrole.worker import lineage
from passrole.worker.calls import Action, CallFailed, Calls
from passrole.worker.job_steps.job_step import caller_of, left_to_policies
from passrole.worker.job_steps.tags import tags_of

Call = Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
Json = dict[str, Any]

_MODEL_TAKEN = "Cannot create already existing model"
_GROUP_TAKEN = "Model Package Group already exists"
_CONFIG_TAKEN = "Cannot create already existing endpoint configuration"
_NO_ARTEFACT = "Cannot find S3 object"


class Creations:
    """Performs CreateResource."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock

    async def create(self, task: Task, command: CreateResource) -> ResourceCreated:
        """Create it, then describe it. Raises CallFailed."""
        named, described = await KINDS[command.kind](partial(self._call, task, command), task, command)
        return ResourceCreated(
            at=self._clock(),
            step=command.step,
            attempt=command.attempt,
            metadata={command.kind: {"Arn": named} if isinstance(named, str) else named},
            properties=described,
        )

    async def _call(
        self, task: Task, command: CreateResource, operation: str, parameters: Mapping[str, Any]
    ) -> Json:
        action = Action("sagemaker", operation, f"sagemaker:{operation}")
        left = left_to_policies(command)
        return await self._calls.as_role(caller_of(task), action, parameters, left=left)


async def _model(call: Call, task: Task, command: CreateResource) -> tuple[str, Json]:
    request = {**command.request, "ModelName": command.name, "Tags": tags_of(task, command)}
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
    tags = tags_of(task, command)
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


async def _endpoint_config(call: Call, task: Task, command: CreateResource) -> tuple[str, Json]:
    request = {**command.request, "EndpointConfigName": command.name, "Tags": tags_of(task, command)}
    named = {"EndpointConfigName": command.name}
    try:
        await call("CreateEndpointConfig", request)
    except CallFailed as failure:
        if not failure.details.startswith(_CONFIG_TAKEN):
            raise
        described = await call("DescribeEndpointConfig", named)
        if not _is_own(described, command):
            raise
    else:
        described = await call("DescribeEndpointConfig", named)
    return str(described["EndpointConfigArn"]), described


def _is_own(described: Json, command: CreateResource) -> bool:
    """Whether an earlier performance of the command has made this configuration, which has the same variants
    and is not older than the step. Its name is the user's, so that others may have taken it.
    """
    asked: Any = command.request.get("ProductionVariants")
    wanted = [{"InitialVariantWeight": 1.0, **each} for each in asked]
    made = described["CreationTime"]
    return command.since is not None and made >= command.since and described["ProductionVariants"] == wanted


KINDS: Mapping[str, Callable[[Call, Task, CreateResource], Awaitable[tuple[str | Json, Json]]]] = {
    "Lineage": lineage.record,
    "Model": _model,
    "RegisterModel": _package,
    "EndpointConfig": _endpoint_config,
}
"""By the type of the step: the ARN of what was created, or more metadata, and its description."""
