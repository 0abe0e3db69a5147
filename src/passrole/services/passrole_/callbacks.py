"""Callbacks that wait for an answer."""

from typing import Any

from passrole import arns, history
from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.operation import operation


@operation(None)
async def list_waiting_callbacks(ctx: Context) -> dict[str, Any]:
    """Callbacks of the region that wait for an answer, oldest first, with what their messages carried.

    Those of executions whose steps the caller may not list are left out.
    """
    here = arns.pipeline_prefix(ctx.region, ctx.account)
    waiting = await ctx.store.read(history.waiting)
    executions = {callback.execution for callback in waiting if callback.execution.startswith(here)}
    shown = {execution for execution in executions if await _may_list_steps(ctx, execution)}
    return {
        "Callbacks": [
            {
                "Token": callback.token,
                "PipelineExecutionArn": callback.execution,
                "StepName": callback.step,
                "Issued": callback.issued,
                "QueueUrl": callback.queue_url,
                "Arguments": callback.arguments,
            }
            for callback in waiting
            if callback.execution in shown
        ]
    }


async def _may_list_steps(ctx: Context, execution: str) -> bool:
    asked = {"PipelineExecutionArn": execution, "MaxResults": 1}
    try:
        await ctx.call("sagemaker", "ListPipelineExecutionSteps", asked)
    except Fault as fault:
        if not fault.sender:
            raise
        return False
    return True
