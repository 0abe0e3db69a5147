"""What the command line asks that AWS has no operation for; reached under `/_passrole/` like any service."""

import asyncio
from typing import Any

from passrole import arns, history
from passrole.faults import Fault
from passrole.policy.request import service_principal
from passrole.runtimes.jobs import STDERR, STDOUT, emr_folder, written
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation

LOG_BYTES_MAX = 4_194_304


def _every_execution(ctx: Context, _parameters: Parameters) -> str:
    return arns.execution(ctx.region, ctx.account, "*", "*")


def _cluster(ctx: Context, parameters: Parameters) -> str:
    return arns.cluster(ctx.region, ctx.account, str(parameters["cluster_id"]))


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


@operation("elasticmapreduce:DescribeStep", resource=_cluster)
async def read_emr_step_log(
    ctx: Context, *, cluster_id: str, step_id: str, stream: str, offset: int = 0
) -> dict[str, Any]:
    """What an EMR step has written so far to `stdout` or `stderr`, from a byte on, LOG_BYTES_MAX at most."""
    if not (_is_id(cluster_id, "j-") and _is_id(step_id, "s-")) or stream not in (STDOUT, STDERR):
        raise Fault("ValidationException", "there is no such log")
    folder = emr_folder(ctx.config.data, cluster_id, step_id)
    found = await asyncio.to_thread(written, folder, stream, max(0, offset), LOG_BYTES_MAX)
    return {"Text": found.decode(errors="replace"), "Offset": offset + len(found)}


@operation("sts:AssumeRole", resource=_role)
async def assume_role_for_user(ctx: Context, *, role_arn: str) -> dict[str, Any]:
    """A session of a role that trusts SageMaker, as a notebook has one: SageMaker assumes it for its user."""
    sagemaker = service_principal("sagemaker.amazonaws.com", ctx.account)
    parameters = {"RoleArn": role_arn, "RoleSessionName": "SageMaker"}
    return await ctx.call("sts", "AssumeRole", parameters, principal=sagemaker)


def _is_id(text: str, prefix: str) -> bool:
    rest = text.removeprefix(prefix)
    return text.startswith(prefix) and rest.isascii() and rest.isalnum()
