"""Endpoint steps: an endpoint is followed until it is in service, as a job is until its end.

Its name is the one in the Arguments: that is how an endpoint is found which is to be updated.
"""

from collections.abc import Mapping

from passrole.definition import JobStep
from passrole.definition.expressions import Json, member_of
from passrole.engine.kinds.job import JobType
from passrole.engine.kinds.sagemaker_job import generated_name, without_null
from passrole.engine.resolve import resolve, resolve_object
from passrole.engine.scope import Scope
from passrole.engine.state import StepState

_NAME = "EndpointName"


def _name(step: JobStep, attempt: int, scope: Scope) -> str:
    given = member_of(step.arguments, _NAME)
    value = None if given is None else resolve(given, scope)
    return value if isinstance(value, str) and value else generated_name(step, _NAME, attempt, scope)


def _request(step: JobStep, _name: str, scope: Scope) -> dict[str, Json]:
    request = without_null(resolve_object(step.arguments, scope))
    assert isinstance(request, dict)
    return request


def _handle(progress: StepState) -> Mapping[str, Json]:
    return progress.metadata["Endpoint"]


ENDPOINT = JobType(_name, _request, _handle)
