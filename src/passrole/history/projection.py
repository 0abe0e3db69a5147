"""How AWS shows an execution and its steps: State in, members of Describe and List answers out.

Reads nothing and decides nothing. Times are seconds since the epoch.
"""

from contextlib import suppress
from typing import Any

import orjson

from passrole.definition import ForEachStep
from passrole.definition.expressions import Scalar
from passrole.engine import State, StepState
from passrole.engine.facts import Metadata
from passrole.engine.kinds.for_each import counts
from passrole.engine.resolve import as_text, experiment_name, resolve
from passrole.engine.scope import Scope, Unresolvable
from passrole.engine.stubs import is_stubbed
from passrole.history.executions import Execution
from passrole.history.state_cache import Folded
from passrole.members import without_none

STUBBED = "(stubbed)"
"""How the description of a step begins for which something stands: AWS's answer has no better place."""


def describe(execution: Execution, folded: Folded) -> dict[str, Any]:
    """The answer of DescribePipelineExecution."""
    state = folded.state
    limit = state.max_parallel_steps
    return without_none(
        PipelineArn=execution.pipeline,
        PipelineExecutionArn=execution.arn,
        PipelineExecutionDisplayName=execution.metadata.display_name,
        PipelineExecutionStatus=state.status,
        PipelineExecutionDescription=execution.metadata.description,
        PipelineExperimentConfig=_experiment(state) or None,
        FailureReason=state.failure_reason,
        CreationTime=execution.started,
        LastModifiedTime=max(folded.modified, execution.metadata.modified),
        CreatedBy=execution.metadata.created_by,
        LastModifiedBy=execution.metadata.modified_by,
        ParallelismConfiguration=None if limit is None else {"MaxParallelExecutionSteps": limit},
        SelectiveExecutionConfig=_selection(state),
        PipelineVersionId=execution.metadata.version,
        MLflowConfig=_mlflow(state, execution.metadata.mlflow_experiment) or None,
    )


def summary(execution: Execution) -> dict[str, Any]:
    """One of ListPipelineExecutions's PipelineExecutionSummaries."""
    return without_none(
        PipelineExecutionArn=execution.arn,
        StartTime=execution.started,
        PipelineExecutionStatus=execution.status,
        PipelineExecutionDescription=execution.metadata.description,
        PipelineExecutionDisplayName=execution.metadata.display_name,
        PipelineExecutionFailureReason=execution.reason,
    )


def steps(state: State, *, newest_first: bool = True) -> list[dict[str, Any]]:
    """ListPipelineExecutionSteps's PipelineExecutionSteps: those of `started`."""
    return [step(state, name) for name in started(state, newest_first=newest_first)]


def started(state: State, *, newest_first: bool = True) -> list[str]:
    """The names of the steps that started, those of iterations among them; the others do not appear.

    The SDK's integration tests read index 0 as the last step.
    """
    names = list(state.steps)
    return names[::-1] if newest_first else names


def step(state: State, name: str) -> dict[str, Any]:
    """One of the PipelineExecutionSteps."""
    progress = state.steps[name]
    description, stubbed = progress.step.description, is_stubbed(state, name)
    return without_none(
        StepName=name,
        StepDisplayName=progress.step.display_name,
        StepDescription=f"{STUBBED} {description or ''}".strip() if stubbed else description,
        StartTime=progress.started_at,
        EndTime=progress.ended_at,
        StepStatus=progress.status,
        FailureReason=progress.failure_reason,
        Metadata=_metadata(state, progress),
        AttemptCount=progress.attempt,
        CacheHitResult=progress.cached_from and {"SourcePipelineExecutionArn": progress.cached_from},
        SelectiveExecutionResult=progress.source and {"SourcePipelineExecutionArn": progress.source},
        IterationContext=_iteration(state, name),
    )


def parameters(state: State) -> list[dict[str, Any]]:
    """ListPipelineParametersForExecution's PipelineParameters: effective values, as strings."""
    assert state.origin is not None, "what is in the journal has begun"
    return [{"Name": name, "Value": _text(value)} for name, value in state.origin.parameters.items()]


def _selection(state: State) -> dict[str, Any] | None:
    assert state.origin is not None, "what is in the journal has begun"
    if not state.origin.selected:
        return None
    return without_none(
        SourcePipelineExecutionArn=state.origin.source,
        SelectedSteps=[{"StepName": name} for name in state.origin.selected],
    )


def _experiment(state: State) -> dict[str, str]:
    """The names as they resolve; one that does not resolve is not shown."""
    assert state.origin is not None, "what is in the journal has begun"
    scope, names = Scope(state, state.origin.at), dict[str, str]()
    for member in state.pipeline.experiment:
        with suppress(Unresolvable):
            names[member] = experiment_name(member, scope)
    return names


def _mlflow(state: State, experiment: str | None) -> dict[str, str]:
    """As the definition has it, with the experiment that StartPipelineExecution named, if it did."""
    assert state.origin is not None, "what is in the journal has begun"
    scope, shown = Scope(state, state.origin.at), dict[str, str]()
    for member, expression in state.pipeline.mlflow.items():
        with suppress(Unresolvable):
            shown[member] = as_text(resolve(expression, scope))
    return shown if experiment is None else shown | {"MlflowExperimentName": experiment}


def _metadata(state: State, progress: StepState) -> Metadata:
    """A loop that goes on is shown with its counts of now."""
    loop = state.loops.get(progress.step.name)
    if loop is None or not loop.is_open or not isinstance(progress.step, ForEachStep):
        return progress.metadata
    return {**progress.metadata, "ForEach": counts(progress.step, loop)}


def _iteration(state: State, name: str) -> dict[str, Any] | None:
    found = state.iteration(name)
    if found is None:
        return None
    item = as_text(state.loops[found.loop].items[found.index])
    return {"ParentStepName": found.loop, "Index": found.index, "Item": item}


def _text(value: Scalar) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
