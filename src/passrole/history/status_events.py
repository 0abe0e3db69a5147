"""Status events of executions and steps for EventBridge, worked out from a decision.

The shapes are those of https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from passrole import event_outbox, iso8601
from passrole.arns import ExecutionArn
from passrole.engine import Decision, State
from passrole.engine.facts import (
    ExecutionEnded,
    ExecutionRetried,
    ExecutionStarted,
    Fact,
    StepFailed,
    StepPreparing,
    StepStarted,
    StepStatus,
    StepStopped,
    StepStopping,
    StepSucceeded,
    StopRequested,
)
from passrole.history import executions
from passrole.history.executions import ExecutionMetadata
from passrole.members import without_none
from passrole.store import Tx

SOURCE = "aws.sagemaker"
EXECUTION_CHANGE = "SageMaker Model Building Pipeline Execution Status Change"
STEP_CHANGE = "SageMaker Model Building Pipeline Execution Step Status Change"

_STEP_STATUSES: Mapping[type[Fact], tuple[StepStatus, ...]] = {
    StepPreparing: ("Starting",),
    StepStarted: ("Starting", "Executing"),  # a rule may wait for either
    StepStopping: ("Stopping",),
    StepSucceeded: ("Succeeded",),
    StepFailed: ("Failed",),
    StepStopped: ("Stopped",),
}
_EXECUTION_STATUS: Mapping[type[Fact], str] = {
    ExecutionStarted: "Executing",
    StopRequested: "Stopping",
    ExecutionRetried: "Executing",
}


def emit(tx: Tx, execution: str, before: State, decision: Decision) -> None:
    """Emit an event for each change of status in the decision; nothing where nobody could hear it.

    `execution` is the ARN, `before` the state that the decision was made on.
    """
    arn = ExecutionArn(execution)
    if not event_outbox.any_rule(tx, arn.account, arn.region):
        return
    found = executions.find(tx, execution)
    metadata = found.metadata if found else None
    named = {"pipelineArn": arn.pipeline, "pipelineExecutionArn": execution}
    for detail_type, detail in _changes(metadata, before, decision):
        event_outbox.emit(
            tx,
            account=arn.account,
            region=arn.region,
            at=decision.facts[0].at,
            source=SOURCE,
            detail_type=detail_type,
            detail={**named, **detail},
            resources=(arn.pipeline, execution),
        )


def _changes(
    metadata: ExecutionMetadata | None, before: State, decision: Decision
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    status: str | None = before.status if before.origin else None
    steps = {name: step.status for name, step in before.steps.items()}
    for fact in decision.facts:
        after = fact.status if isinstance(fact, ExecutionEnded) else _EXECUTION_STATUS.get(type(fact))
        if after is not None:
            yield EXECUTION_CHANGE, _execution(metadata, decision.state, fact, status, after)
            status = after
        for now in _STEP_STATUSES.get(type(fact), ()):
            name = str(getattr(fact, "step", ""))
            if steps.get(name) == now:
                continue  # a step that was prepared has told that it is Starting
            previous = None if now == "Starting" else steps.get(name)
            yield STEP_CHANGE, _step(decision.state, name, fact, previous, now)
            steps[name] = now


def _execution(
    metadata: ExecutionMetadata | None, state: State, fact: Fact, previous: str | None, current: str
) -> dict[str, Any]:
    assert state.origin is not None, "what is told of has begun"
    return without_none(
        pipelineExecutionDisplayName=metadata and metadata.display_name,
        pipelineExecutionDescription=metadata and metadata.description,
        currentPipelineExecutionStatus=current,
        previousPipelineExecutionStatus=previous,
        executionStartTime=iso8601.seconds(state.origin.at),
        executionEndTime=iso8601.seconds(fact.at) if isinstance(fact, ExecutionEnded) else None,
    )


def _step(state: State, name: str, fact: Fact, previous: str | None, current: str) -> dict[str, Any]:
    step = state.steps[name]
    is_over = isinstance(fact, StepSucceeded | StepFailed | StepStopped)
    return without_none(
        metadata=_lowered(step.metadata),
        stepStartTime=iso8601.seconds(step.started_at),
        stepEndTime=iso8601.seconds(fact.at) if is_over else None,
        stepName=name,
        stepType=step.step.type_,
        previousStepStatus=previous,
        currentStepStatus=current,
        failureReason=step.failure_reason if isinstance(fact, StepFailed) else None,
        cacheHitResult=step.cached_from and {"sourcePipelineExecutionArn": step.cached_from},
    )


def _lowered(value: Any) -> Any:
    """Members as events spell them: `Lambda` is `lambda`, `EMR` is `emr`, `ClusterId` is `clusterId`."""
    if isinstance(value, list):
        return [_lowered(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    return {_lowered_name(name): _lowered(inner) for name, inner in value.items()}


def _lowered_name(name: str) -> str:
    return name.lower() if name.isupper() else name[:1].lower() + name[1:]
