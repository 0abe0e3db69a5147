"""Two executions side by side: parameters, steps, durations, metrics, outputs."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request

from passrole.console import comparison
from passrole.console.caller import Caller
from passrole.console.page import Page
from passrole.console.pages.execution import definition_of, execution_arn
from passrole.console.steps import ENDED, StepLine, definitions_of, lines_of
from passrole.console.trainings import final_metrics

CHOICES_MAX = 50


class _Side(NamedTuple):
    """An execution as it is compared."""

    described: Mapping[str, Any]
    lines: Sequence[StepLine]
    definitions: Mapping[str, str]
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]


async def show(caller: Caller, request: Request) -> Page:
    """The page `/compare?left=ID&right=ID`; where a side is missing, the form that asks for it."""
    given = {side: request.query_params.get(side, "") for side in ("left", "right")}
    known = given["right"] or given["left"]
    arn = await execution_arn(caller, known) if known else ""
    facts: dict[str, Any] = {"given": given, "choices": await _choices(caller, arn), "compared": None}
    if not all(given.values()):
        return Page("compare.html", facts)
    left, right = [await _side(caller, await execution_arn(caller, each)) for each in given.values()]
    facts["compared"] = await asyncio.to_thread(_compared, left, right)
    is_over = all(side.described["PipelineExecutionStatus"] in ENDED for side in (left, right))
    return Page("compare.html", facts, changes="" if is_over else "*")


def _compared(left: _Side, right: _Side) -> dict[str, Any]:
    now = time.time()
    return {
        "left": left.described,
        "right": right.described,
        "took": comparison.Measured("took", *(_seconds(side.described, now) for side in (left, right))),
        "parameters": comparison.values(left.parameters, right.parameters),
        "steps": comparison.steps(left.lines, right.lines, (left.definitions, right.definitions), now),
        "metrics": comparison.numbers(left.metrics, right.metrics),
        "outputs": comparison.values(*(comparison.outputs(side.lines) for side in (left, right))),
    }


async def _side(caller: Caller, arn: str) -> _Side:
    of = {"PipelineExecutionArn": arn}
    described = await caller.call("sagemaker", "DescribePipelineExecution", **of)
    definition = await definition_of(caller, arn)
    listed = await caller.every("sagemaker", "ListPipelineExecutionSteps", "PipelineExecutionSteps", **of)
    lines = await asyncio.to_thread(lines_of, definition, listed, described["PipelineExecutionStatus"])
    parameters = await caller.listed(
        "sagemaker", "ListPipelineParametersForExecution", "PipelineParameters", **of
    )
    return _Side(
        described,
        lines,
        {name: json.dumps(each, sort_keys=True) for name, each in definitions_of(definition).items()},
        {each["Name"]: each["Value"] for each in parameters},
        await final_metrics(caller, lines),
    )


async def _choices(caller: Caller, arn: str) -> Sequence[Mapping[str, Any]]:
    """The newest executions of the pipeline that is asked about, where the caller may list them."""
    if not arn:
        return ()
    asked = {"PipelineName": arn.split("/")[-3], "MaxResults": CHOICES_MAX}
    if await caller.refusal("sagemaker", "ListPipelineExecutions", **asked) is not None:
        return ()
    answer = await caller.call("sagemaker", "ListPipelineExecutions", **asked)
    found: Sequence[Mapping[str, Any]] = answer["PipelineExecutionSummaries"]
    return found


def _seconds(described: Mapping[str, Any], now: float) -> float:
    is_over = described["PipelineExecutionStatus"] in ENDED
    return float((described["LastModifiedTime"] if is_over else now) - described["CreationTime"])
