"""What the console asks that AWS has no operation for: to be signed in, and what happened lately."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from passrole import arns, history
from passrole.faults import Fault
from passrole.history import projection
from passrole.identities import console_sessions
from passrole.policy.request import Principal
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation
from passrole.services.service_sessions import principal_of

EXECUTIONS_MAX = 500

_EXECUTION_ID = re.compile(r"[a-z0-9]{1,64}")


@operation(None)
async def create_console_session(ctx: Context, *, role_arn: str | None = None) -> dict[str, Any]:
    """The token of a link that signs its holder in to the console, once, within a minute.

    The session is the caller, or with a role SageMaker's session of it, named as the caller is: as in Studio,
    it takes what AssumeRoleForUser takes.
    """
    caller = ctx.principal
    if role_arn is not None:
        asked = {"RoleArn": role_arn, "RoleSessionName": _session_name(ctx.principal)}
        answer = await ctx.call("passrole", "AssumeRoleForUser", asked)
        caller = principal_of(role_arn, ctx.account, asked["RoleSessionName"], answer["AssumedRoleUser"])
    token = await ctx.store.write(
        lambda tx: console_sessions.add_link(tx, caller, ctx.principal, ctx.clock())
    )
    return {"Token": token, "PrincipalArn": caller.arn, "ExpiresInSeconds": console_sessions.LINK_SECONDS}


async def _found_execution(ctx: Context, parameters: Parameters) -> str:
    """An id that no execution has belongs to any: only who may see all of them learns that there is none."""
    id_ = parameters["execution_id"]
    if not isinstance(id_, str) or not _EXECUTION_ID.fullmatch(id_):
        raise Fault("ValidationException", "ExecutionId must be the id of an execution")
    arn = await _arn_of(ctx, id_)
    return arn or arns.execution(ctx.region, ctx.account, "*", id_)


@operation("sagemaker:DescribePipelineExecution", resource=_found_execution)
async def find_pipeline_execution(ctx: Context, *, execution_id: str) -> dict[str, Any]:
    """The ARN of an execution by the id at its end. Raises ResourceNotFound."""
    arn = await _arn_of(ctx, execution_id)
    if arn is None:
        raise Fault("ResourceNotFound", f"There is no execution with the id {execution_id}.")
    return {"PipelineExecutionArn": arn}


@operation(None)
async def count_executions(ctx: Context) -> dict[str, Any]:
    """How many executions of the region have each status.

    Those of pipelines whose executions the caller may not list are left out.
    """
    here = arns.pipeline_prefix(ctx.region, ctx.account)
    found = await ctx.store.read(lambda tx: history.executions.counts_by_pipeline(tx, here))
    shown = await _listable(ctx, (pipeline for pipeline, _, _ in found))
    counts = Counter[str]()
    for pipeline, status, count in found:
        counts[status] += count if pipeline in shown else 0
    return {"Counts": {status: count for status, count in sorted(counts.items()) if count}}


@operation(None)
async def list_recent_executions(ctx: Context, *, since: float | None = None) -> dict[str, Any]:
    """Executions of the region that run or began since a moment, newest first, EXECUTIONS_MAX at most.

    Without a moment, those that run. Those of pipelines whose executions the caller may not list are left
    out.
    """
    since = math.inf if since is None else since
    if isinstance(since, bool) or not isinstance(since, int | float):
        raise Fault("ValidationException", "Since must be a number of seconds")
    here = arns.pipeline_prefix(ctx.region, ctx.account)
    found = await ctx.store.read(lambda tx: history.executions.recent(tx, here, since, EXECUTIONS_MAX))
    shown = await _listable(ctx, (each.pipeline for each in found))
    return {
        "PipelineExecutions": [
            {"PipelineArn": each.pipeline, **projection.summary(each)}
            for each in found
            if each.pipeline in shown
        ]
    }


async def _listable(ctx: Context, pipelines: Iterable[str]) -> set[str]:
    """Those pipelines (ARNs) whose executions the caller may list."""
    return {
        pipeline
        for pipeline in set(pipelines)
        if await ctx.may("sagemaker", "ListPipelineExecutions", {"PipelineName": pipeline})
    }


async def _arn_of(ctx: Context, id_: str) -> str | None:
    here = arns.pipeline_prefix(ctx.region, ctx.account)
    found = await ctx.store.read(lambda tx: history.executions.with_id(tx, id_))
    return next((arn for arn in found if arn.startswith(here)), None)


def _session_name(principal: Principal) -> str:
    return principal.session_name or principal.name
