"""Stubs of an execution that is to be started, and the deletion of those that ended."""

import re
from typing import Any

from passrole import arns, history
from passrole.faults import Fault
from passrole.history import retention
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation

TOKEN_CHARACTERS_MIN = 32
"""As of StartPipelineExecution's token."""

_PIPELINE_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}")


def _pipeline(ctx: Context, parameters: Parameters) -> str:
    """The pipeline's ARN. Raises ValidationException for what is no name of a pipeline."""
    name = parameters["pipeline_name"]
    if not isinstance(name, str) or not _PIPELINE_NAME.fullmatch(name):
        raise Fault("ValidationException", "PipelineName must be the name of a pipeline")
    return arns.pipeline(ctx.region, ctx.account, name)


@operation("sagemaker:StartPipelineExecution", resource=_pipeline)
async def stub_steps(
    ctx: Context, *, pipeline_name: str, client_request_token: str, stubs: dict[str, Any]
) -> dict[str, Any]:
    """Have something stand for steps of the one execution that is started with this ClientRequestToken.

    Until then, the pipeline's definition may have those steps though passrole does not run their types. For
    the form of a stub see engine/stubs.py. Raises ValidationException.
    """
    if not isinstance(client_request_token, str) or len(client_request_token) < TOKEN_CHARACTERS_MIN:
        raise Fault(
            "ValidationException", f"ClientRequestToken must have {TOKEN_CHARACTERS_MIN} characters at least"
        )
    if not isinstance(stubs, dict) or not all(isinstance(stub, dict) for stub in stubs.values()):
        raise Fault("ValidationException", "Stubs must be objects by the names of steps")
    if any("Function" in stub for stub in stubs.values()):
        raise Fault("ValidationException", "a function stands for a step in a server for tests only")
    arn = arns.pipeline(ctx.region, ctx.account, pipeline_name)
    await ctx.store.write(lambda tx: history.stubs.prepare(tx, arn, client_request_token, stubs, ctx.clock()))
    return {}


@operation("sagemaker:DeletePipeline", resource=_pipeline)
async def delete_ended_executions(
    ctx: Context, *, pipeline_name: str, ended_before: float, dry_run: bool = False
) -> dict[str, Any]:
    """Delete a pipeline's executions that ended before a moment (epoch seconds); which they are.

    AWS deletes executions with their pipeline alone, so whoever may do that may do this. What runs stays, and
    so does an execution from which a running one took steps. Raises ValidationException.
    """
    if isinstance(ended_before, bool) or not isinstance(ended_before, int | float):
        raise Fault("ValidationException", "EndedBefore must be a number of seconds")
    if not isinstance(dry_run, bool):
        raise Fault("ValidationException", "DryRun must be true or false")
    arn = arns.pipeline(ctx.region, ctx.account, pipeline_name)
    removed = await (retention.due if dry_run else retention.sweep)(ctx.store, ended_before, arn)
    return {"PipelineExecutionArns": removed}
