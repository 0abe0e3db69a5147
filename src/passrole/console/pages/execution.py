"""An execution: its graph beside the ordered list of its steps, and what may be done with it."""

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request

from passrole.console import trainings
from passrole.console.caller import Caller
from passrole.console.forms import Form
from passrole.console.page import Page
from passrole.console.steps import ENDED, StepLine, lines_of, picture_of


async def show(caller: Caller, request: Request) -> Page:
    """The page of one execution. Its status is asked first: steps listed after the last are final too."""
    arn = await execution_arn(caller, request.path_params["id"])
    of = {"PipelineExecutionArn": arn}
    described = await caller.call("sagemaker", "DescribePipelineExecution", **of)
    definition = await definition_of(caller, arn)
    listed = await caller.every("sagemaker", "ListPipelineExecutionSteps", "PipelineExecutionSteps", **of)
    steps = await asyncio.to_thread(lines_of, definition, listed, described["PipelineExecutionStatus"])
    parameters = await caller.listed(
        "sagemaker", "ListPipelineParametersForExecution", "PipelineParameters", **of
    )
    token = secrets.token_hex(16)
    facts = {
        "execution": described,
        "steps": steps,
        "step_count": sum(not step.loop for step in steps),
        "over_count": sum(not step.loop and step.ended is not None for step in steps),
        "parameters": parameters,
        "answers": await answers_of(caller, arn),
        "picture": await asyncio.to_thread(picture_of, definition),
        "timeline": timeline(described, steps),
        "measured": await trainings.all_measured(caller, steps),
        "has_ended": described["PipelineExecutionStatus"] in ENDED,
        "may_not": {
            word: await caller.refusal(
                "sagemaker", f"{word}PipelineExecution", **of, ClientRequestToken=token
            )
            for word in ("Stop", "Retry")
        },
        "token": token,
    }
    return Page("execution.html", facts, changes=request.path_params["id"])


async def stop(caller: Caller, request: Request, form: Form) -> str:
    """StopPipelineExecution."""
    return await _change(caller, request, form, "StopPipelineExecution")


async def retry(caller: Caller, request: Request, form: Form) -> str:
    """RetryPipelineExecution."""
    return await _change(caller, request, form, "RetryPipelineExecution")


async def execution_arn(caller: Caller, id_: str) -> str:
    """The ARN of the execution with this id.

    Raises ResourceNotFound; AccessDeniedException where the caller may not see every execution, so that
    nobody learns which ids there are.
    """
    found = (await caller.ask("FindPipelineExecution", ExecutionId=id_))["PipelineExecutionArn"]
    return str(found)


async def definition_of(caller: Caller, arn: str) -> str:
    """The definition that the execution runs. Raises Fault."""
    answer = await caller.call(
        "sagemaker", "DescribePipelineDefinitionForExecution", PipelineExecutionArn=arn
    )
    return str(answer["PipelineDefinition"])


async def answers_of(caller: Caller, arn: str) -> dict[str, dict[str, Any]]:
    """Who answered the callbacks, by `step#attempt`."""
    answer = await caller.ask("ListCallbackAnswers", PipelineExecutionArn=arn)
    return {f"{each['StepName']}#{each['AttemptCount']}": each for each in answer["Answers"]}


def timeline(execution: Mapping[str, Any], steps: Sequence[StepLine]) -> list[dict[str, Any]]:
    """Where the bar of each step that started begins, and how long it is, in thousandths of the whole."""
    now = time.time()
    began = execution["CreationTime"]
    is_over = execution["PipelineExecutionStatus"] in ENDED
    until = max(execution["LastModifiedTime"] if is_over else now, began + 0.001)
    scale = 1000 / (until - began)
    return [
        {
            "name": step.name,
            "status": step.status,
            "seconds": step.seconds(until),
            "x": max(0, min(995, round((step.started - began) * scale))),
            "width": max(5, min(1000, round((step.seconds(until) or 0) * scale))),
        }
        for step in sorted(steps, key=lambda each: each.started or 0)
        if step.started is not None and not step.loop
    ]


async def _change(caller: Caller, request: Request, form: Form, operation: str) -> str:
    id_ = request.path_params["id"]
    arn = await execution_arn(caller, id_)
    await caller.call(
        "sagemaker", operation, PipelineExecutionArn=arn, ClientRequestToken=form.get("token", "")
    )
    return f"/executions/{id_}"
