"""passrole's own operations, for what AWS has none; under `/_passrole/` (gateway/own_operations.py).

Each asks for what AWS asks where it shows or gives the same: by calling that operation in the caller's name,
or by the same permission.
"""

import asyncio
import re
from functools import partial
from typing import Any

from passrole import arns, history
from passrole.faults import Fault
from passrole.history import cache_explanation, retention
from passrole.history.cache_explanation import CacheExplanation, Earlier, Search
from passrole.members import without_none
from passrole.policy.request import service_principal
from passrole.runtimes import transfer
from passrole.runtimes.jobs import STDERR, STDOUT, emr_folder, job_folder, read_output
from passrole.services.context import Context
from passrole.services.operation import Parameters, PassRole, operation
from passrole.services.service_sessions import SessionRequest, assume

LOG_BYTES_MAX = 4_194_304
SAGEMAKER = "sagemaker.amazonaws.com"

TOKEN_CHARACTERS_MIN = 32
"""As of StartPipelineExecution's token."""

_PIPELINE_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}")
_JOBS = {"training-job": "TrainingJob", "processing-job": "ProcessingJob"}


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


@operation(None)
async def explain_step_cache(ctx: Context, *, pipeline_execution_arn: str, step_name: str) -> dict[str, Any]:
    """Whether a step took the result of an earlier execution over, and if not, why.

    Arguments are shown of the step and of the one that it is compared with: the caller must be allowed to see
    the definitions of both executions. Raises ValidationException for a step that has not begun.
    """
    if not isinstance(step_name, str):
        raise Fault("ValidationException", "StepName must be a text")
    await _ask_to_see(ctx, pipeline_execution_arn)
    search = await ctx.store.read(
        lambda tx: cache_explanation.search_of(tx, pipeline_execution_arn, step_name)
    )
    if search is None:
        raise Fault("ValidationException", f"The execution has no step `{step_name}` yet.")
    await ctx.call("sagemaker", "ListPipelineExecutions", {"PipelineName": search.pipeline, "MaxResults": 1})
    explanation = await _cache_explanation(ctx, search)
    if explanation.differences and explanation.about is not None:
        await _ask_to_see(ctx, explanation.about.execution)
    return _shown(search, explanation)


@operation(None)
async def read_emr_step_log(
    ctx: Context, *, cluster_id: str, step_id: str, stream: str, offset: int = 0
) -> dict[str, Any]:
    """What an EMR step has written so far to `stdout` or `stderr`, from a byte on, LOG_BYTES_MAX at most."""
    known = _is_id(cluster_id, "j-") and _is_id(step_id, "s-") and stream in (STDOUT, STDERR)
    if not known or not isinstance(offset, int):
        raise Fault("ValidationException", "there is no such log")
    await ctx.call("emr", "DescribeStep", {"ClusterId": cluster_id, "StepId": step_id})
    folder = emr_folder(ctx.config.data, cluster_id, step_id)
    found = await asyncio.to_thread(read_output, folder, stream, max(0, offset), LOG_BYTES_MAX)
    return {"Text": found.decode(errors="replace"), "Offset": offset + len(found)}


@operation(None)
async def describe_job_transfer(ctx: Context, *, job_arn: str) -> dict[str, Any]:
    """How many bytes of how many a training or processing job has downloaded or uploaded so far.

    Empty where nothing large is under way. Raises ValidationException for another ARN.
    """
    found = arns.parse(job_arn) if isinstance(job_arn, str) else None
    kind, _, name = found.resource.partition("/") if found else ("", "", "")
    if kind not in _JOBS:
        raise Fault("ValidationException", "JobArn must be the ARN of a training or processing job")
    member = _JOBS[kind]
    described = await ctx.call("sagemaker", f"Describe{member}", {f"{member}Name": name})
    if described[f"{member}Arn"] != job_arn:
        raise Fault("ValidationException", "JobArn must be of this account and region")
    return dict(await asyncio.to_thread(transfer.read, job_folder(ctx.config.data, kind, ctx.key(name))))


def _notebooks(ctx: Context, parameters: Parameters) -> str:
    """Every notebook instance, because none exists. Raises ValidationException for an invalid RoleArn."""
    role = parameters["role_arn"]
    if not isinstance(role, str) or arns.parse(role) is None:
        raise Fault("ValidationException", "RoleArn must be the ARN of a role")
    return arns.notebook_instance(ctx.region, ctx.account, "*")


@operation(
    "sagemaker:CreatePresignedNotebookInstanceUrl",
    resource=_notebooks,
    passes=[PassRole("role_arn", SAGEMAKER)],
)
async def assume_role_for_user(ctx: Context, *, role_arn: str) -> dict[str, Any]:
    """A session of a role that trusts SageMaker, as a notebook has one: SageMaker assumes it for its user.

    The caller needs what a notebook asks: to hand the role to SageMaker, and to open the notebook.
    https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
    """
    sagemaker = service_principal(SAGEMAKER, ctx.account)
    session = await assume(ctx.call, SessionRequest(role_arn, "SageMaker", sagemaker, ctx.region))
    return dict(session.answer)


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


async def _ask_to_see(ctx: Context, execution: str) -> None:
    asked = {"PipelineExecutionArn": execution}
    await ctx.call("sagemaker", "DescribePipelineDefinitionForExecution", asked)
    await ctx.call("sagemaker", "ListPipelineExecutionSteps", {**asked, "MaxResults": 1})


async def _cache_explanation(ctx: Context, search: Search) -> CacheExplanation:
    """An execution at a time, so that other calls are answered in between."""
    if search.reason is not None:
        about = (
            await ctx.store.read(lambda tx: cache_explanation.source_of(tx, search))
            if search.source
            else None
        )
        return CacheExplanation(search.reason, about)
    found: list[Earlier] = []
    for execution in await ctx.store.read(lambda tx: cache_explanation.executions_before(tx, search)):
        steps = await ctx.store.read(
            partial(cache_explanation.steps_before, search=search, execution=execution)
        )
        found += steps
        if cache_explanation.has_equal(search, steps) or len(found) > cache_explanation.STEPS_MAX:
            break
        await asyncio.sleep(0)
    return cache_explanation.explained(search, found)


def _shown(search: Search, explanation: CacheExplanation) -> dict[str, Any]:
    about = explanation.about
    return without_none(
        PipelineExecutionArn=search.execution,
        StepName=search.step,
        StepType=search.type_,
        Hit=explanation.reason == "hit",
        Reason=explanation.reason,
        SearchTime=search.at,
        ExpireAfterSeconds=search.expire_seconds,
        SourcePipelineExecutionArn=search.source or (about and about.execution),
        SourceStepName=about and about.step,
        SourceEndTime=about and about.ended,
        Differences=[
            without_none(Path=path, Value=mine, SourceValue=theirs)
            for path, mine, theirs in explanation.differences
        ],
    )


async def _may_list_steps(ctx: Context, execution: str) -> bool:
    asked = {"PipelineExecutionArn": execution, "MaxResults": 1}
    try:
        await ctx.call("sagemaker", "ListPipelineExecutionSteps", asked)
    except Fault as fault:
        if not fault.sender:
            raise
        return False
    return True


def _is_id(text: object, prefix: str) -> bool:
    if not isinstance(text, str):
        return False
    rest = text.removeprefix(prefix)
    return text.startswith(prefix) and rest.isascii() and rest.isalnum()
