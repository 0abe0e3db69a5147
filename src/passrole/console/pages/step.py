"""A step: what it is, what it was given, what came of it, why it failed, and what its program printed."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from passrole.console import logs, property_files, trainings
from passrole.console.caller import Caller
from passrole.console.page import Page
from passrole.console.pages.approvals import one_waiting
from passrole.console.pages.execution import answers_of, definition_of, execution_arn
from passrole.console.steps import StepLine, definitions_of, job_of, lines_of, pipeline_of
from passrole.faults import Fault

HAS_CACHE = "CacheConfig"
ATTEMPTS_MAX = 10
FAILED_LINES_MAX = 20
LOG_LINES_MAX = 2_000


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
        "answers": [each for key, each in answers.items() if key.rpartition("#")[0] == name],
        "waiting": await one_waiting(caller, arn, name) if step.status == "Waiting" else None,
        "log": await logs.tail(caller, arn, found) if found else None,
        "cache": await _cache(caller, arn, name) if found and HAS_CACHE in declared else None,
        "dependents": [each.name for each in lines if name in each.depends_on],
        **await _work(caller, arn, step, declared),
    }
    return Page("step.html", facts, changes=id_)


async def show_log(caller: Caller, request: Request) -> Page:
    """The page of a step's log alone, longer; the script asks for it again and again while the step runs."""
    id_, name = request.path_params["id"], request.path_params["name"]
    arn = await execution_arn(caller, id_)
    found = await _listed(caller, arn, name)
    if found is None:
        raise Fault("ResourceNotFound", f"The execution has no log of a step {name}.")
    facts = {
        "id": id_,
        "name": name,
        "is_over": "EndTime" in found,
        "log": await logs.tail(caller, arn, found, LOG_LINES_MAX),
    }
    return Page("log.html", facts)


async def _listed(caller: Caller, arn: str, name: str) -> dict[str, Any] | None:
    """The step as AWS lists it: one that runs is among the newest, so mostly the first page has it."""
    asked = {"PipelineExecutionArn": arn}
    while True:
        answer = await caller.call("sagemaker", "ListPipelineExecutionSteps", **asked)
        for each in answer["PipelineExecutionSteps"]:
            if each["StepName"] == name:
                return dict(each)
        if not (token := answer.get("NextToken")):
            return None
        asked["NextToken"] = token


async def _work(caller: Caller, arn: str, step: StepLine, declared: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for the step, attempt by attempt, and what has come of it."""
    job = await _job(caller, step.metadata)
    attempts = await _attempts(caller, arn, step.name) if step.started is not None else []
    return {
        "job": job,
        "attempts": attempts,
        "property_files": await property_files.read(caller, declared.get("PropertyFiles", ()), job or {}),
        "measured": await trainings.measured(caller, step),
        "children": await trainings.children(caller, step),
    }


async def _attempts(caller: Caller, arn: str, name: str) -> list[dict[str, Any]]:
    """The newest first; with the last lines of those that failed before it."""
    if await caller.refusal("sagemaker", "ListPipelineExecutionSteps", PipelineExecutionArn=arn):
        return []
    found = (await caller.ask("ListStepAttempts", PipelineExecutionArn=arn, StepName=name))["Attempts"]
    newest_first = list(reversed(found))[:ATTEMPTS_MAX]
    for each in newest_first[1:]:
        each["Log"] = await logs.tail(caller, arn, _as_listed(each, name), FAILED_LINES_MAX)
    return newest_first


def _as_listed(attempt: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An attempt as ListPipelineExecutionSteps would list it, if it listed any but the last."""
    invoked = [{"Lambda": {"Arn": each["Name"]}} for each in attempt["Sent"] if each["Type"] == "Lambda"]
    return {
        "StepName": name,
        "AttemptCount": attempt["AttemptCount"],
        "StartTime": attempt["StartTime"],
        **({"EndTime": attempt["EndTime"]} if "EndTime" in attempt else {}),
        "Metadata": attempt.get("Job", invoked[0] if invoked else {}),
    }


async def _job(caller: Caller, metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    """The job of the step as SageMaker describes it, where the caller may see it."""
    known = job_of(metadata)
    if known is None:
        return None
    kind, name = known
    try:
        return await caller.call("sagemaker", f"Describe{kind}", **{f"{kind}Name": name})
    except Fault as fault:
        return {"Refused": fault.message}


async def _cache(caller: Caller, arn: str, name: str) -> dict[str, Any] | None:
    try:
        return await caller.ask("ExplainStepCache", PipelineExecutionArn=arn, StepName=name)
    except Fault as fault:
        return {"Refused": fault.message}
