"""Why a step took an earlier result over, or did not."""

import asyncio
from functools import partial
from typing import Any

from passrole.faults import Fault
from passrole.history import cache_explanation
from passrole.history.cache_explanation import CacheExplanation, Earlier, Search
from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.operation import operation


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
