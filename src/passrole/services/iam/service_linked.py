"""CreateServiceLinkedRole, DeleteServiceLinkedRole, GetServiceLinkedRoleDeletionStatus.

The role trusts its service and has no policy here, for no service here acts by one. Only these operations
change it; its deletion is done when the task's id is answered.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from passrole import arns, ids
from passrole.identities import records
from passrole.identities.records import Role
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.iam import kinds, refusals, shapes
from passrole.services.iam.kinds import ROLE, SERVICE_LINKED_PATH, resource
from passrole.services.operation import Parameters, operation
from passrole.store import Collection, Tx

NAME_LENGTH_MAX = 64
_AWS: Final = ".amazonaws.com"
_PREFIX: Final = "AWSServiceRoleFor"
_TASK: Final = "task"


@dataclass(frozen=True)
class Deletion:
    """A role that was deleted; `id` is the task's."""

    id: str


DELETIONS = Collection("service-linked-role-deletion", Deletion)


def _path(parameters: Parameters) -> str:
    return f"{SERVICE_LINKED_PATH}{parameters['aws_service_name']}/"


def _new(ctx: Context, parameters: Parameters) -> str:
    name = _name(str(parameters["aws_service_name"]), parameters.get("custom_suffix"))
    return arns.iam(ctx.account, "role", _path(parameters), name)


def _keys(_ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {"iam:AWSServiceName": str(parameters["aws_service_name"])}


def _of_task(ctx: Context, parameters: Parameters) -> str:
    """The role that a task's id names."""
    parts = str(parameters["deletion_task_id"]).split("/")
    if len(parts) != 5:
        return arns.iam(ctx.account, "role", "/", "*")
    _, _, service, name, _ = parts
    return arns.iam(ctx.account, "role", f"{SERVICE_LINKED_PATH}{service}/", name)


@operation("iam:CreateServiceLinkedRole", resource=_new, keys=_keys)
async def create_service_linked_role(
    ctx: Context, *, aws_service_name: str, description: str = "", custom_suffix: str | None = None
) -> dict[str, Any]:
    """The role of a service, under the name that the service has for it."""
    if not aws_service_name.endswith(_AWS):
        raise refusals.invalid_input(f"{aws_service_name} is not the name of a service.")
    if custom_suffix and aws_service_name not in _SUFFIXED:
        raise refusals.invalid_input(f"Custom suffix is not allowed for {aws_service_name}")
    name = _name(aws_service_name, custom_suffix)
    if len(name) > NAME_LENGTH_MAX:
        raise refusals.invalid_input(f"The role name {name} has over {NAME_LENGTH_MAX} characters.")
    role = Role(
        account=ctx.account,
        name=name,
        path=f"{SERVICE_LINKED_PATH}{aws_service_name}/",
        id=ids.unique_id("AROA"),
        created=float(int(ctx.clock())),
        trust=_trust(aws_service_name),
        description=description,
    )
    if not await ctx.store.write(lambda tx: records.add(tx, records.ROLES, role)):
        raise refusals.invalid_input(
            f"Service role name {name} has been taken in this account, please try a different suffix."
        )
    return {"Role": shapes.full_role(role)}


@operation("iam:DeleteServiceLinkedRole", resource=resource(ROLE, "role_name"))
async def delete_service_linked_role(ctx: Context, *, role_name: str) -> dict[str, Any]:
    """Remove the role; the answer is the id of a task that is done."""

    def delete(tx: Tx) -> str:
        role = kinds.existing(tx, ROLE, ctx.account, role_name)
        if not kinds.is_service_linked(role):
            raise refusals.invalid_input(f"The role {role.name} is not a service-linked role.")
        records.remove(tx, records.ROLES, role)
        task = f"{_TASK}{role.path}{role.name}/{ids.request_id()}"
        DELETIONS.put(tx, f"{ctx.account}/{task}", Deletion(task))
        return task

    return {"DeletionTaskId": await ctx.store.write(delete)}


@operation("iam:GetServiceLinkedRoleDeletionStatus", resource=_of_task)
async def get_service_linked_role_deletion_status(ctx: Context, *, deletion_task_id: str) -> dict[str, Any]:
    """Done, for every task that there was."""
    key = f"{ctx.account}/{deletion_task_id}"
    if await ctx.store.read(lambda tx: DELETIONS.get(tx, key)) is None:
        raise refusals.no_such(f"The deletion task {deletion_task_id} cannot be found.")
    return {"Status": "SUCCEEDED"}


def _name(service: str, suffix: str | None) -> str:
    """The role's name; of a service whose name for it is not in the table, one made of the service's."""
    words = service.removesuffix(_AWS).replace(".", "-").split("-")
    known = _NAMES.get(service) or "".join(word[:1].upper() + word[1:] for word in words)
    return f"{_PREFIX}{known}_{suffix}" if suffix else f"{_PREFIX}{known}"


def _trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


_SUFFIXED: Final = frozenset({"autoscaling.amazonaws.com", "lexv2.amazonaws.com", "connect.amazonaws.com"})

# As the services' own guides name them, behind the common prefix.
_NAMES: Final[Mapping[str, str]] = {
    f"{label}{_AWS}": name
    for label, name in {
        "apidestinations.events": "AmazonEventBridgeApiDestinations",
        "autoscaling": "AutoScaling",
        "batch": "Batch",
        "comprehend.application-autoscaling": "ApplicationAutoScaling_ComprehendEndpoint",
        "config": "Config",
        "connect": "AmazonConnect",
        "dynamodb.application-autoscaling": "ApplicationAutoScaling_DynamoDBTable",
        "ecs": "ECS",
        "ecs.application-autoscaling": "ApplicationAutoScaling_ECSService",
        "eks": "AmazonEKS",
        "eks-nodegroup": "AmazonEKSNodegroup",
        "elasticache": "ElastiCache",
        "elasticloadbalancing": "ElasticLoadBalancing",
        "elasticmapreduce": "EMRCleanup",
        "emr-containers": "AmazonEMRContainers",
        "es": "AmazonElasticsearchService",
        "events": "CloudWatchEvents",
        "lambda.application-autoscaling": "ApplicationAutoScaling_LambdaConcurrency",
        "lexv2": "LexV2Bots",
        "opensearchservice": "AmazonOpenSearchService",
        "ops.apigateway": "APIGateway",
        "ops.emr-serverless": "AmazonEMRServerless",
        "rds": "RDS",
        "redshift": "Redshift",
        "replicator.lambda": "LambdaReplicator",
        "sagemaker": "AmazonSageMakerNotebooks",
        "sagemaker.application-autoscaling": "ApplicationAutoScaling_SageMakerEndpoint",
        "spot": "EC2Spot",
        "spotfleet": "EC2SpotFleet",
        "ssm": "AmazonSSM",
    }.items()
}
