"""Stop, Update, Retry, Describe and List of pipeline executions.

What an execution does is decided by the engine.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from passrole import history
from passrole.engine.facts import ExecutionRetried, ParallelismChanged, StopRequested
from passrole.faults import Fault
from passrole.history import Execution, Folded, definitions, executions, projection
from passrole.history.executions import Page
from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.sagemaker import quotas
from passrole.services.sagemaker.client_request_tokens import Request, once
from passrole.services.sagemaker.paging import PAGE_MAX, PAGES, SortOrder, page_of
from passrole.services.sagemaker.records import (
    execution_arn,
    is_own,
    pipeline_arn,
    require,
    user_context,
)
from passrole.services.sagemaker.versions import aliases_of
from passrole.store import Tx


@operation("sagemaker:StopPipelineExecution", resource=execution_arn)
async def stop_pipeline_execution(
    ctx: Context, *, pipeline_execution_arn: str, client_request_token: str
) -> dict[str, Any]:
    """Ask an execution to stop; one that is stopping already is no error."""
    request = Request("StopPipelineExecution", client_request_token, {"arn": pipeline_execution_arn})

    def stop(tx: Tx) -> dict[str, Any]:
        execution = _require_execution(tx, ctx, pipeline_execution_arn)
        if execution.status == "Executing":
            history.advance(tx, execution.arn, StopRequested(at=ctx.clock()))
            _note_modified(tx, ctx, execution)
        elif execution.status != "Stopping":
            message = f"Pipeline execution with ARN {execution.arn} is already {execution.status}."
            raise Fault("ConflictException", message)
        return {"PipelineExecutionArn": execution.arn}

    return await ctx.store.write(lambda tx: once(tx, ctx, request, lambda: stop(tx)))


@operation("sagemaker:UpdatePipelineExecution", resource=execution_arn)
async def update_pipeline_execution(
    ctx: Context,
    *,
    pipeline_execution_arn: str,
    pipeline_execution_description: str | None = None,
    pipeline_execution_display_name: str | None = None,
    parallelism_configuration: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Rename or describe an execution at any time; change how many steps run at once while it runs."""
    names = without_none(
        description=pipeline_execution_description, display_name=pipeline_execution_display_name
    )

    def update(tx: Tx) -> dict[str, Any]:
        execution = _require_execution(tx, ctx, pipeline_execution_arn)
        if parallelism_configuration is not None:
            _change_parallelism(tx, ctx, execution, parallelism_configuration["MaxParallelExecutionSteps"])
        _note_modified(tx, ctx, execution, **names)
        return {"PipelineExecutionArn": execution.arn}

    return await ctx.store.write(update)


@operation("sagemaker:RetryPipelineExecution", resource=execution_arn)
async def retry_pipeline_execution(
    ctx: Context,
    *,
    pipeline_execution_arn: str,
    client_request_token: str,
    parallelism_configuration: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Continue a failed or stopped execution under the same ARN; succeeded steps are kept."""
    parameters = {"arn": pipeline_execution_arn, "parallelism": parallelism_configuration}
    request = Request("RetryPipelineExecution", client_request_token, parameters)
    limit = (parallelism_configuration or {}).get("MaxParallelExecutionSteps")

    def retry(tx: Tx) -> dict[str, Any]:
        execution = _require_execution(tx, ctx, pipeline_execution_arn)
        if not execution.is_running:
            quotas.check_room_for_execution(tx, ctx)
        if ctx.config.otlp_endpoint:
            history.traces.follow(tx, execution.arn)
        if not history.advance(tx, execution.arn, ExecutionRetried(at=ctx.clock(), max_parallel_steps=limit)):
            raise Fault("ConflictException", _why_no_retry(execution))
        _note_modified(tx, ctx, execution)
        return {"PipelineExecutionArn": execution.arn}

    return await ctx.store.write(lambda tx: once(tx, ctx, request, lambda: retry(tx)))


@operation("sagemaker:DescribePipelineExecution", resource=execution_arn)
async def describe_pipeline_execution(ctx: Context, *, pipeline_execution_arn: str) -> dict[str, Any]:
    """The state of an execution."""

    def describe(tx: Tx) -> dict[str, Any]:
        execution = _require_execution(tx, ctx, pipeline_execution_arn)
        pipeline, version = require(tx, ctx, execution.pipeline), execution.metadata.version
        aliases = None if version is None else aliases_of(tx, ctx, pipeline, version)
        shown = projection.describe(execution, history.load(tx, execution.arn))
        return shown | without_none(PipelineVersionAliases=aliases)

    return await ctx.store.read(describe)


@operation("sagemaker:ListPipelineExecutions", resource=pipeline_arn)
async def list_pipeline_executions(
    ctx: Context,
    *,
    pipeline_name: str,
    created_after: float | None = None,
    created_before: float | None = None,
    sort_by: executions.SortBy = "CreationTime",
    sort_order: SortOrder = "Descending",
    next_token: str | None = None,
    max_results: int = PAGE_MAX,
) -> dict[str, Any]:
    """A pipeline's executions, newest first."""
    after = PAGES.position(next_token, float, str)
    wanted = Page(
        limit=max_results + 1,
        sort_by=sort_by,
        descending=sort_order == "Descending",
        created_after=created_after,
        created_before=created_before,
        after=None if after is None else (after[0], after[1]),
    )
    found = await ctx.store.read(lambda tx: executions.page(tx, require(tx, ctx, pipeline_name).arn, wanted))
    shown, more = PAGES.page(found, max_results, lambda execution: (execution.started, execution.arn))
    return {"PipelineExecutionSummaries": [projection.summary(each) for each in shown], **more}


@operation("sagemaker:ListPipelineExecutionSteps", resource=execution_arn)
async def list_pipeline_execution_steps(
    ctx: Context,
    *,
    pipeline_execution_arn: str | None = None,
    next_token: str | None = None,
    max_results: int = PAGE_MAX,
    sort_order: SortOrder = "Descending",
) -> dict[str, Any]:
    """The steps that started, newest first, and with them those of the iterations of loops."""
    if pipeline_execution_arn is None:
        raise Fault("ValidationException", "PipelineExecutionArn is needed.")
    state = (await ctx.store.read(lambda tx: _folded(tx, ctx, pipeline_execution_arn))).state
    names = projection.started(state, newest_first=sort_order == "Descending")
    shown, more = PAGES.page(PAGES.following(names, next_token, str), max_results, str)
    return {"PipelineExecutionSteps": [projection.step(state, name) for name in shown], **more}


@operation("sagemaker:ListPipelineParametersForExecution", resource=execution_arn)
async def list_pipeline_parameters_for_execution(
    ctx: Context,
    *,
    pipeline_execution_arn: str,
    next_token: str | None = None,
    max_results: int = PAGE_MAX,
) -> dict[str, Any]:
    """The values an execution runs with, defaults included."""
    state = (await ctx.store.read(lambda tx: _folded(tx, ctx, pipeline_execution_arn))).state
    return page_of("PipelineParameters", projection.parameters(state), "Name", next_token, max_results)


@operation("sagemaker:DescribePipelineDefinitionForExecution", resource=execution_arn)
async def describe_pipeline_definition_for_execution(
    ctx: Context, *, pipeline_execution_arn: str
) -> dict[str, Any]:
    """The definition an execution began with, whatever has become of the pipeline's since."""

    def describe(tx: Tx) -> dict[str, Any]:
        execution = _require_execution(tx, ctx, pipeline_execution_arn)
        pipeline = require(tx, ctx, execution.pipeline)
        text = definitions.text_of(tx, execution.definition)
        return {"PipelineDefinition": text, "CreationTime": pipeline.created}

    return await ctx.store.read(describe)


def _change_parallelism(tx: Tx, ctx: Context, execution: Execution, limit: int) -> None:
    if not execution.is_running:
        message = (
            f"Pipeline execution with ARN {execution.arn} is already {execution.status}; "
            "its ParallelismConfiguration cannot be changed any more."
        )
        raise Fault("ConflictException", message)
    history.advance(tx, execution.arn, ParallelismChanged(at=ctx.clock(), max_parallel_steps=limit))


def _why_no_retry(execution: Execution) -> str:
    if execution.status in ("Failed", "Stopped", "CompletedWithFailures"):
        return f"Pipeline execution with ARN {execution.arn} was ended by a Fail step and cannot be retried."
    return (
        f"Pipeline execution with ARN {execution.arn} is {execution.status}; "
        "only one that is Failed or Stopped can be retried."
    )


def _note_modified(tx: Tx, ctx: Context, execution: Execution, **changes: Any) -> None:
    user = user_context(ctx.principal)
    metadata = replace(execution.metadata, modified=ctx.clock(), modified_by=user, **changes)
    executions.note_metadata(tx, execution, metadata)


def _require_execution(tx: Tx, ctx: Context, arn: str) -> Execution:
    execution = executions.find(tx, arn) if is_own(ctx, arn) else None
    if execution is None:
        raise Fault("ResourceNotFound", f"Pipeline execution with ARN {arn} does not exist.")
    return execution


def _folded(tx: Tx, ctx: Context, arn: str) -> Folded:
    return history.load(tx, _require_execution(tx, ctx, arn).arn)
