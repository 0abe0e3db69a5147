"""EMR steps: a step on a cluster of others, or on a cluster that is made for it."""

from collections.abc import Mapping

from passrole.definition import EmrStep, FollowedStep
from passrole.definition.expressions import Json
from passrole.engine.kinds.job import JobType
from passrole.engine.resolve import resolve_object, resolve_text
from passrole.engine.scope import Scope
from passrole.engine.state import StepState
from passrole.engine.tokens import callback_token


def job_name(step: FollowedStep, attempt: int, scope: Scope) -> str:
    """The name is ours to choose; jobs of other types of step are named like this on AWS."""
    random_part = callback_token(scope.origin.seed, step.name, attempt).lower()
    return f"pipelines-{scope.origin.execution_id}-{step.name}-{random_part}"


def _request(step: EmrStep, _name: str, scope: Scope) -> dict[str, Json]:
    """ClusterId or ClusterConfig, StepConfig, ExecutionRoleArn."""
    request: dict[str, Json] = {"StepConfig": resolve_object(step.step_config, scope)}
    if step.cluster_id:
        request["ClusterId"] = resolve_text(step.cluster_id, scope, "ClusterId")
    if step.cluster_config:
        request["ClusterConfig"] = resolve_object(step.cluster_config, scope)
    if step.role:
        request["ExecutionRoleArn"] = resolve_text(step.role, scope, "ExecutionRoleArn")
    return request


def _handle(progress: StepState) -> Mapping[str, Json]:
    assert isinstance(progress.step, EmrStep)
    known = progress.metadata["EMR"]
    return {
        "ClusterId": known["ClusterId"],
        "StepId": known["StepId"],
        "OwnsCluster": progress.step.cluster_config is not None,
    }


EMR = JobType(job_name, _request, _handle)
