"""Pipelines as they are stored, and which one a name or an ARN means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from passrole import arns
from passrole.faults import Fault
from passrole.policy.request import Principal
from passrole.services.context import Context
from passrole.services.operation import Parameters
from passrole.store import Collection, Tx


@dataclass(frozen=True)
class Pipeline:
    """A document of the store. `definition` is the text's digest; users are AWS's UserContext."""

    name: str
    arn: str
    definition: str
    role_arn: str
    created: float
    modified: float
    created_by: Mapping[str, Any]
    modified_by: Mapping[str, Any]
    display_name: str | None = None
    description: str | None = None
    parallelism: Mapping[str, Any] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    version: int = 1


PIPELINES = Collection("pipeline", Pipeline)


def pipeline_arn(ctx: Context, parameters: Parameters) -> str:
    """The resource of a call that names a pipeline, by its name or by its ARN."""
    given = str(parameters.get("pipeline_name") or parameters["pipeline_arn"])
    return given if arns.parse(given) else arns.pipeline(ctx.region, ctx.account, given)


def execution_arn(ctx: Context, parameters: Parameters) -> str:
    """The resource of a call that names an execution; any execution where it names none."""
    return str(parameters.get("pipeline_execution_arn") or arns.execution(ctx.region, ctx.account, "*", "*"))


def require(tx: Tx, ctx: Context, name_or_arn: str) -> Pipeline:
    """The pipeline of the caller's account and region. Raises ResourceNotFound."""
    pipeline = find(tx, ctx, name_or_arn)
    if pipeline is None:
        raise Fault("ResourceNotFound", f"Pipeline with name {_name(ctx, name_or_arn)} does not exist.")
    return pipeline


def find(tx: Tx, ctx: Context, name_or_arn: str) -> Pipeline | None:
    """The pipeline of the caller's account and region, if it exists."""
    return PIPELINES.get(tx, ctx.key(_name(ctx, name_or_arn)))


def _name(ctx: Context, name_or_arn: str) -> str:
    return name_or_arn.removeprefix(arns.pipeline_prefix(ctx.region, ctx.account))


def is_own(ctx: Context, arn: str) -> bool:
    """Whether the ARN lies in the account and region of the call."""
    return arn.startswith(arns.pipeline_prefix(ctx.region, ctx.account))


def user_context(principal: Principal) -> dict[str, Any]:
    """The caller as CreatedBy and LastModifiedBy name it."""
    return {"IamIdentity": {"Arn": principal.arn, "PrincipalId": principal.id}}
