"""The logic of StartPipelineExecution: version, parameters and selected steps of a new execution."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passrole import arns, history, ids
from passrole.definition import DefinitionError, effective
from passrole.definition.expressions import Scalar
from passrole.engine import State
from passrole.engine.facts import ExecutionStarted, Metadata
from passrole.engine.selection import Unselectable, reused_steps
from passrole.faults import Fault
from passrole.history import About, definitions, executions
from passrole.services.context import Context
from passrole.services.sagemaker.records import Pipeline, require, user_context
from passrole.services.sagemaker.versions import VersionSelector, as_of, note_execution, require_version
from passrole.store import Tx

EMPTY_VALUE = 'string "" is too short (length: 0, required minimum: 1)'
"""Recorded (sagemaker-python-sdk#4016): an empty DefaultValue is legal, an empty value at a start is not."""


@dataclass(frozen=True)
class StartRequest:
    """The parameters of StartPipelineExecution."""

    pipeline: str
    display_name: str | None
    description: str | None
    parameters: Sequence[Mapping[str, str]]
    parallelism: Mapping[str, int] | None
    version: VersionSelector
    selection: Mapping[str, Any] | None = None
    mlflow_experiment: str | None = None


def start_execution(tx: Tx, ctx: Context, wanted: StartRequest) -> str:
    """Start an execution; its ARN. Raises ResourceNotFound, and ValidationException for bad parameters."""
    today = require(tx, ctx, wanted.pipeline)
    version = require_version(tx, ctx, today, wanted.version)
    pipeline = as_of(today, version)
    fact = _started(tx, ctx, pipeline, wanted)
    about = _about(ctx, wanted, fact.at, version.number)
    history.start(tx, fact, definition=pipeline.definition, role=pipeline.role_arn, about=about)
    note_execution(tx, ctx, pipeline, version, fact.execution_arn)
    return fact.execution_arn


def _started(tx: Tx, ctx: Context, pipeline: Pipeline, wanted: StartRequest) -> ExecutionStarted:
    execution_id = ids.execution_id()
    selected, source, reused = _selection(tx, pipeline, wanted.selection or {})
    slots = wanted.parallelism or pipeline.parallelism or {}
    return ExecutionStarted(
        at=ctx.clock(),
        seed=ids.seed(),
        pipeline_name=pipeline.name,
        pipeline_arn=pipeline.arn,
        execution_id=execution_id,
        execution_arn=arns.execution(ctx.region, ctx.account, pipeline.name, execution_id),
        parameters=_effective(tx, pipeline, wanted.parameters),
        max_parallel_steps=slots.get("MaxParallelExecutionSteps"),
        selected=selected,
        source=source,
        reused=reused,
    )


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
) -> tuple[tuple[str, ...], str | None, Mapping[str, Metadata]]:
    """The selected steps, the source execution, and the outputs that are reused from it."""
    selected = tuple(dict.fromkeys(each["StepName"] for each in config.get("SelectedSteps", ())))
    source: str | None = config.get("SourcePipelineExecutionArn")
    if not selected:
        return (), None, {}
    state = _source_state(tx, pipeline, source) if source else None
    try:
        reused = reused_steps(definitions.pipeline_of(tx, pipeline.definition), selected, state)
    except Unselectable as error:
        raise Fault("ValidationException", str(error)) from error
    return selected, source, reused


def _source_state(tx: Tx, pipeline: Pipeline, arn: str) -> State:
    found = executions.find(tx, arn)
    if found is None or found.pipeline != pipeline.arn:
        sentence = f"Invalid SourcePipelineExecutionArn: {arn} is no execution of {pipeline.arn}."
        raise Fault("ValidationException", sentence)
    if found.status not in ("Succeeded", "Failed"):
        sentence = f"Invalid SourcePipelineExecutionArn: {arn} is {found.status}, not Succeeded or Failed."
        raise Fault("ValidationException", sentence)
    return history.load(tx, arn).state


def _about(ctx: Context, wanted: StartRequest, now: float, version: int) -> About:
    user = user_context(ctx.principal)
    return About(
        display_name=wanted.display_name or f"execution-{int(now * 1000)}",
        description=wanted.description,
        created_by=user,
        modified_by=user,
        version=version,
        mlflow_experiment=wanted.mlflow_experiment,
    )
