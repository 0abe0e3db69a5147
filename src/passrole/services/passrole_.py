"""What the command line asks that AWS has no operation for; reached under `/_passrole/` like any service."""

from typing import Any

from passrole import arns, history
from passrole.policy.request import service_principal
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation


def _every_execution(ctx: Context, _parameters: Parameters) -> str:
    return arns.execution(ctx.region, ctx.account, "*", "*")


def _role(_ctx: Context, parameters: Parameters) -> str:
    return str(parameters["role_arn"])


@operation("sagemaker:ListPipelineExecutionSteps", resource=_every_execution)
async def list_waiting_callbacks(ctx: Context) -> dict[str, Any]:
    """Callbacks that wait for an answer, oldest first, with what their messages carried."""
    waiting = await ctx.store.read(history.waiting)
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
        ]
    }


@operation("sts:AssumeRole", resource=_role)
async def assume_role_for_user(ctx: Context, *, role_arn: str) -> dict[str, Any]:
    """A session of a role that trusts SageMaker, as a notebook has one: SageMaker assumes it for its user."""
    sagemaker = service_principal("sagemaker.amazonaws.com", ctx.account)
    parameters = {"RoleArn": role_arn, "RoleSessionName": "SageMaker"}
    return await ctx.call("sts", "AssumeRole", parameters, principal=sagemaker)
