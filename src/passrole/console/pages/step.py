"""A step: what it is, what it was given, what came of it, why it failed, and what its program printed."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from passrole.console import logs
from passrole.console.caller import Caller
from passrole.console.page import Page
from passrole.console.pages.approvals import one_waiting
from passrole.console.pages.execution import answers_of, definition_of, execution_arn
from passrole.console.steps import definitions_of, lines_of, pipeline_of
from passrole.faults import Fault

HAS_CACHE = "CacheConfig"


async def show(caller: Caller, request: Request) -> Page:
    """The page of one step. Raises ResourceNotFound for a name that the definition has not."""
    id_, name = request.path_params["id"], request.path_params["name"]
    arn = await execution_arn(caller, id_)
    definition = await definition_of(caller, arn)
    described = await caller.call("sagemaker", "DescribePipelineExecution", PipelineExecutionArn=arn)
    listed = await caller.every(
        "sagemaker", "ListPipelineExecutionSteps", "PipelineExecutionSteps", PipelineExecutionArn=arn
    )
    lines = await asyncio.to_thread(lines_of, definition, listed, described["PipelineExecutionStatus"])
    step = next((each for each in lines if each.name == name), None)
    if step is None:
        raise Fault("ResourceNotFound", f"The execution has no step {name}.")
    found = next((each for each in listed if each["StepName"] == name), None)
    defined = pipeline_of(definition).find(name)
    declared = definitions_of(definition).get(defined.name if defined else name, {})
    answers = await answers_of(caller, arn)
    facts = {
        "execution": described,
        "step": step,
        "definition": declared,
        "job": await _job(caller, step.metadata),
        "answers": [each for key, each in answers.items() if key.rpartition("#")[0] == name],
        "waiting": await one_waiting(caller, arn, name) if step.status == "Waiting" else None,
        "log": await logs.tail(caller, arn, found) if found else None,
        "cache": await _cache(caller, arn, name) if found and HAS_CACHE in declared else None,
        "dependents": [each.name for each in lines if name in each.depends_on],
    }
    return Page("step.html", facts, changes=id_)


async def _job(caller: Caller, metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    """The job of the step as SageMaker describes it, where the caller may see it."""
    for member, values in metadata.items():
        if not member.endswith("Job") or "Arn" not in values:
            continue
        name = values["Arn"].rpartition("/")[2]
        try:
            return await caller.call("sagemaker", f"Describe{member}", **{f"{member}Name": name})
        except Fault as fault:
            return {"Refused": fault.message}
    return None


async def _cache(caller: Caller, arn: str, name: str) -> dict[str, Any] | None:
    try:
        return await caller.ask("ExplainStepCache", PipelineExecutionArn=arn, StepName=name)
    except Fault as fault:
        return {"Refused": fault.message}
