"""EMRServerless steps: a job run of an application of others, or of one that is made for it."""

from collections.abc import Mapping

from passrole.definition import EmrServerlessStep
from passrole.definition.expressions import Json
from passrole.engine.kinds.emr import job_name
from passrole.engine.kinds.job import JobType
from passrole.engine.resolve import resolve_object, resolve_text
from passrole.engine.scope import Scope
from passrole.engine.state import StepState


def _request(step: EmrServerlessStep, _name: str, scope: Scope) -> dict[str, Json]:
    """ApplicationId or ApplicationConfig, JobConfig, ExecutionRoleArn."""
    request: dict[str, Json] = {
        "JobConfig": resolve_object(step.job_config, scope),
        "ExecutionRoleArn": resolve_text(step.role, scope, "ExecutionRoleArn"),
    }
    if step.application_id:
        request["ApplicationId"] = resolve_text(step.application_id, scope, "ApplicationId")
    if step.application_config:
        request["ApplicationConfig"] = resolve_object(step.application_config, scope)
    return request


def _handle(progress: StepState) -> Mapping[str, Json]:
    assert isinstance(progress.step, EmrServerlessStep)
    known = progress.metadata["EMRServerless"]
    return {
        "ApplicationId": known["ApplicationId"],
        "JobRunId": known["JobRunId"],
        "OwnsApplication": progress.step.application_config is not None,
    }


EMR_SERVERLESS = JobType(job_name, _request, _handle)
