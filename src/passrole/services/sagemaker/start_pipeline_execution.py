"""StartPipelineExecution: version, parameters and selected steps of a new execution."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from passrole import arns, history, ids
from passrole.arns import ExecutionArn
from passrole.definition import DefinitionError, effective
from passrole.definition.expressions import Scalar
from passrole.engine import State, StepState
from passrole.engine.facts import ExecutionStarted
from passrole.engine.selection import Unselectable, reused_steps
from passrole.engine.stubs import problem_of
from passrole.faults import Fault
from passrole.history import ExecutionMetadata, definitions, executions
from passrole.history.stubs import Stubs
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.sagemaker import quotas
from passrole.services.sagemaker.client_request_tokens import Request, once
from passrole.services.sagemaker.records import Pipeline, pipeline_arn, require, user_context
from passrole.services.sagemaker.versions import (
    VersionSelector,
    as_of,
    note_execution,
    require_version,
    version_keys,
)
from passrole.store import Tx

EMPTY_VALUE = 'string "" is too short (length: 0, required minimum: 1)'
"""Recorded (sagemaker-python-sdk#4016): an empty DefaultValue is legal, an empty value at a start is not."""


_ROLE_OF_ANOTHER = (
    "RoleArn can be specified only for a pipeline that AWS manages. "
    "Executions of this pipeline use the role of the pipeline."
)
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StartPipelineExecution.html"""


@dataclass(frozen=True)
class _StartRequest:
    """The parameters of StartPipelineExecution."""

    pipeline: str
    display_name: str | None
    description: str | None
    parameters: Sequence[Mapping[str, str]]
    parallelism: Mapping[str, int] | None
    version: VersionSelector
    selection: Mapping[str, Any] | None = None
    mlflow_experiment: str | None = None
    token: str = ""


@operation("sagemaker:StartPipelineExecution", resource=pipeline_arn, keys=version_keys)
async def start_pipeline_execution(
    ctx: Context,
    *,
    pipeline_name: str,
    client_request_token: str,
    pipeline_execution_display_name: str | None = None,
    pipeline_execution_description: str | None = None,
    pipeline_parameters: Sequence[Mapping[str, str]] = (),
    parallelism_configuration: Mapping[str, int] | None = None,
    pipeline_version_id: int | None = None,
    pipeline_version_alias: str | None = None,
    selective_execution_config: Mapping[str, Any] | None = None,
    mlflow_experiment_name: str | None = None,
    role_arn: str | None = None,
) -> dict[str, Any]:
    """Begin an execution of the pipeline as it is now, or as it was in a version."""
    if role_arn is not None:
        raise Fault("ValidationException", _ROLE_OF_ANOTHER)
    wanted = _StartRequest(
        pipeline=pipeline_name,
        display_name=pipeline_execution_display_name,
        description=pipeline_execution_description,
        parameters=pipeline_parameters,
        parallelism=parallelism_configuration,
        version=VersionSelector(pipeline_version_id, pipeline_version_alias),
        selection=selective_execution_config,
        mlflow_experiment=mlflow_experiment_name,
    )
    request = Request("StartPipelineExecution", client_request_token, asdict(wanted))
    wanted = replace(wanted, token=client_request_token)

    def start(tx: Tx) -> dict[str, Any]:
        return {"PipelineExecutionArn": _start(tx, ctx, wanted)}

    return await ctx.store.write(lambda tx: once(tx, ctx, request, lambda: start(tx)))


def _start(tx: Tx, ctx: Context, wanted: _StartRequest) -> str:
    """Start an execution; its ARN.

    Raises ResourceNotFound, ResourceLimitExceeded, and ValidationException for bad parameters.
    """
    today = require(tx, ctx, wanted.pipeline)
    version = require_version(tx, ctx, today, wanted.version)
    pipeline = as_of(today, version)
    fact = _started(tx, ctx, pipeline, wanted)
    quotas.check_room_for_execution(tx, ctx)
    metadata = _metadata(ctx, wanted, fact.at, version.number)
    if ctx.config.otlp_endpoint:
        history.traces.follow(tx, fact.execution_arn)
    history.start(tx, fact, definition=pipeline.definition, role=pipeline.role_arn, metadata=metadata)
    note_execution(tx, ctx, pipeline, version, fact.execution_arn)
    return fact.execution_arn


def _started(tx: Tx, ctx: Context, pipeline: Pipeline, wanted: _StartRequest) -> ExecutionStarted:
    arn = ExecutionArn(ctx.store.share.own(lambda: _drawn(ctx, pipeline.name)))
    selected, source, reused, items = _selection(tx, pipeline, wanted.selection or {})
    slots = wanted.parallelism or pipeline.parallelism or {}
    return ExecutionStarted(
        at=ctx.clock(),
        seed=ids.seed(),
        pipeline_name=pipeline.name,
        pipeline_arn=pipeline.arn,
        execution_id=arn.execution_id,
        execution_arn=arn,
        parameters=_effective(tx, pipeline, wanted.parameters),
        max_parallel_steps=slots.get("MaxParallelExecutionSteps"),
        selected=selected,
        source=source,
        reused={name: step.metadata for name, step in reused.items()},
        reused_properties={name: step.properties for name, step in reused.items() if step.properties},
        reused_items=items,
        stubs=_stubs(tx, ctx, pipeline, wanted.token),
    )


def _drawn(ctx: Context, pipeline: str) -> str:
    return arns.execution(ctx.region, ctx.account, pipeline, ids.execution_id(ctx.store.share.node))


def _stubs(tx: Tx, ctx: Context, pipeline: Pipeline, token: str) -> Stubs:
    definition = definitions.pipeline_of(tx, pipeline.definition)
    names = {step.name for step in definition.all_steps}
    stubs = history.stubs.take(tx, pipeline.arn, token, ctx.clock(), names)
    problem = problem_of(stubs, definition) if stubs else None
    if problem is not None:
        raise Fault("ValidationException", problem)
    return stubs


def _effective(tx: Tx, pipeline: Pipeline, given: Sequence[Mapping[str, str]]) -> dict[str, Scalar]:
    overrides = {each["Name"]: each["Value"] for each in given}
    if "" in overrides.values():
        raise Fault("ValidationException", f"[{EMPTY_VALUE}]")
    if len(overrides) < len(given):
        raise Fault("ValidationException", "A pipeline parameter is given more than once.")
    try:
        return effective(definitions.pipeline_of(tx, pipeline.definition).parameters, overrides)
    except DefinitionError as error:
        raise Fault("ValidationException", error.message) from error


def _selection(
    tx: Tx, pipeline: Pipeline, config: Mapping[str, Any]
) -> tuple[tuple[str, ...], str | None, Mapping[str, StepState], Mapping[str, Sequence[Any]]]:
    """The selected steps, the source execution, the steps that are reused from it, and the items of loops."""
    selected = tuple(dict.fromkeys(each["StepName"] for each in config.get("SelectedSteps", ())))
    source: str | None = config.get("SourcePipelineExecutionArn")
    if not selected:
        return (), None, {}, {}
    state = _source_state(tx, pipeline, source) if source else None
    try:
        reused = reused_steps(definitions.pipeline_of(tx, pipeline.definition), selected, state)
    except Unselectable as error:
        raise Fault("ValidationException", str(error)) from error
    loops = state.loops if state else {}
    return selected, source, reused, {name: loops[name].items for name in reused if name in loops}


def _source_state(tx: Tx, pipeline: Pipeline, arn: str) -> State:
    found = executions.find(tx, arn)
    if found is None or found.pipeline != pipeline.arn:
        message = f"Invalid SourcePipelineExecutionArn: {arn} is no execution of {pipeline.arn}."
        raise Fault("ValidationException", message)
    if found.status not in ("Succeeded", "Failed"):
        message = f"Invalid SourcePipelineExecutionArn: {arn} is {found.status}, not Succeeded or Failed."
        raise Fault("ValidationException", message)
    return history.load(tx, arn).state


def _metadata(ctx: Context, wanted: _StartRequest, now: float, version: int) -> ExecutionMetadata:
    user = user_context(ctx.principal)
    return ExecutionMetadata(
        display_name=wanted.display_name or f"execution-{int(now * 1000)}",
        description=wanted.description,
        created_by=user,
        modified_by=user,
        version=version,
        mlflow_experiment=wanted.mlflow_experiment,
    )
