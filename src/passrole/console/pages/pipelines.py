"""Pipelines: their list; one with its executions, versions and the form that starts it."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request

from passrole.console.caller import Caller
from passrole.console.forms import Form
from passrole.console.page import Page
from passrole.console.steps import picture_of, pipeline_of
from passrole.faults import Fault

EXECUTIONS_SHOWN = 50
VERSION_DIGITS_MAX = 9
PARAMETER = "parameter."
"""What the names of a form's fields of parameters begin with."""


async def show_all(caller: Caller, _request: Request) -> Page:
    """The page `/pipelines`."""
    found = await caller.every("sagemaker", "ListPipelines", "PipelineSummaries")
    return Page("pipelines.html", {"pipelines": found}, changes="*")


async def show(caller: Caller, request: Request) -> Page:
    """The page of one pipeline, with `?version=N` as that version had it."""
    name = request.path_params["name"]
    version = _version(request.query_params.get("version", ""))
    described = await caller.call(
        "sagemaker", "DescribePipeline", PipelineName=name, PipelineVersionId=version
    )
    definition = described.pop("PipelineDefinition")
    may_not_list = await caller.refusal("sagemaker", "ListPipelineExecutions", PipelineName=name)
    answer: dict[str, Any] = {"PipelineExecutionSummaries": []}
    if may_not_list is None:
        answer = await caller.call(
            "sagemaker", "ListPipelineExecutions", PipelineName=name, MaxResults=EXECUTIONS_SHOWN
        )
    executions = answer["PipelineExecutionSummaries"]
    versions = await caller.listed(
        "sagemaker", "ListPipelineVersions", "PipelineVersionSummaries", PipelineName=name
    )
    facts = {
        "pipeline": described,
        "version": version,
        "executions": executions,
        "may_not_list": may_not_list,
        "has_more": "NextToken" in answer,
        "versions": versions,
        "parameters": _parameters(definition, await _last_values(caller, executions)),
        "picture": await asyncio.to_thread(picture_of, definition),
        "types": {step.name: step.type_ for step in pipeline_of(definition).steps.values()},
        "may_not_start": await caller.refusal(
            "sagemaker", "StartPipelineExecution", PipelineName=name, ClientRequestToken="x" * 32
        ),
        "token": secrets.token_hex(16),
    }
    return Page("pipeline.html", facts, changes="*")


async def start(caller: Caller, request: Request, form: Form) -> str:
    """Start the pipeline with the form's values; sent twice, it starts once."""
    name = request.path_params["name"]
    version = _version(form.get("version", ""))
    described = await caller.call(
        "sagemaker", "DescribePipeline", PipelineName=name, PipelineVersionId=version
    )
    declared = pipeline_of(described["PipelineDefinition"]).parameters
    given = {each: form[PARAMETER + each] for each in declared if PARAMETER + each in form}
    answer = await caller.call(
        "sagemaker",
        "StartPipelineExecution",
        PipelineName=name,
        PipelineVersionId=version,
        ClientRequestToken=form.get("token", ""),
        PipelineExecutionDisplayName=form.get("display_name") or None,
        PipelineExecutionDescription=form.get("description") or None,
        PipelineParameters=[{"Name": each, "Value": value} for each, value in given.items()],
    )
    return f"/executions/{answer['PipelineExecutionArn'].rpartition('/')[2]}"


def _version(text: str) -> int | None:
    """The number of a version; None of the newest. Raises ValidationException."""
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= VERSION_DIGITS_MAX):
        raise Fault("ValidationException", "a version is a number")
    return int(text)


async def _last_values(caller: Caller, executions: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What the newest execution ran with."""
    if not executions:
        return {}
    arn = executions[0]["PipelineExecutionArn"]
    found = await caller.listed(
        "sagemaker", "ListPipelineParametersForExecution", "PipelineParameters", PipelineExecutionArn=arn
    )
    return {each["Name"]: each["Value"] for each in found}


def _parameters(definition: str, last: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "type": each.type_,
            "default": None if each.default is None else _text(each.default),
            "choices": [_text(choice) for choice in each.enum_values],
            "last": last.get(each.name),
        }
        for each in pipeline_of(definition).parameters.values()
    ]


def _text(value: object) -> str:
    """As the API writes values of parameters: texts."""
    return str(value).lower() if isinstance(value, bool) else str(value)
