"""Steps that create something of SageMaker by one call, which is waited for even after a stop.

A call that fails is made again as the step's policies say, as the step's next attempt.
https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
"""

from collections.abc import Callable

from passrole.definition import CreationStep
from passrole.definition.expressions import Json, member_of
from passrole.engine.commands import CreateResource
from passrole.engine.decision import Draft
from passrole.engine.facts import (
    EffectFailed,
    ResourceCreated,
    RetryDue,
    StepStarted,
    StepStopped,
    StepSucceeded,
)
from passrole.engine.kinds.job import retry_or_fail
from passrole.engine.kinds.kind import Answer, Kind, fail
from passrole.engine.kinds.sagemaker_job import generated_name, without_null
from passrole.engine.resolve import resolve, resolve_object
from passrole.engine.scope import Scope
from passrole.engine.state import StepState

Name = Callable[[CreationStep, int, Scope], str]


def _kind_of(name: Name) -> Kind:
    """The row of a type whose attempts create what has this name."""

    def command(step: CreationStep, attempt: int, scope: Scope) -> CreateResource:
        return CreateResource(
            step=step.name,
            attempt=attempt,
            kind=step.type_,
            name=name(step, attempt, scope),
            request=request_of(step, scope),
            retries=step.retries,
            since=scope.now,
        )

    def start(draft: Draft, step: CreationStep, attempt: int, scope: Scope) -> None:
        asked = command(step, attempt, scope)
        draft.record(StepStarted(at=scope.now, step=step.name, attempt=attempt))
        draft.ask(asked)

    def retry(draft: Draft, fact: RetryDue) -> None:
        """After a Fail step nothing new begins."""
        progress = draft.state.steps[fact.step]
        if draft.state.fail_step_reached:
            draft.record(StepStopped(at=fact.at, step=fact.step, attempt=fact.attempt))
            return
        assert isinstance(progress.step, CreationStep)
        scope = Scope(draft.state, progress.started_at, progress.read)
        draft.ask(command(progress.step, fact.attempt, scope))

    return Kind(
        start=start,
        answers={
            ResourceCreated: Answer(_is_asked, _created),
            EffectFailed: Answer(_is_asked, _failed),
            RetryDue: Answer(lambda progress, _: progress.retry_due is not None, retry),
        },
        is_one_call=True,
    )


def request_of(step: CreationStep, scope: Scope) -> dict[str, Json]:
    """What SageMaker is asked for, but for a name that is generated."""
    request = without_null(resolve_object(step.arguments, scope))
    assert isinstance(request, dict)
    return request


def _is_asked(progress: StepState, _fact: ResourceCreated | EffectFailed) -> bool:
    return progress.retry_due is None


def _created(draft: Draft, fact: ResourceCreated) -> None:
    draft.record(StepSucceeded(at=fact.at, step=fact.step, attempt=fact.attempt))


def _failed(draft: Draft, fact: EffectFailed) -> None:
    """While the execution is stopped, nothing is tried again."""
    if draft.state.status == "Executing":
        retry_or_fail(draft, fact, fact.error, fact.reason)
    else:
        fail(draft, fact, fact.reason)


def _name_of_package(step: CreationStep, _attempt: int, scope: Scope) -> str:
    """A version has a number of its group; a package without a group is named in the Arguments."""
    given = member_of(step.arguments, "ModelPackageName")
    value = None if given is None else resolve(given, scope)
    return value if isinstance(value, str) else ""


def _name_of_config(step: CreationStep, attempt: int, scope: Scope) -> str:
    """The name in the Arguments as it stands, for endpoints are given it."""
    given = member_of(step.arguments, "EndpointConfigName")
    value = None if given is None else resolve(given, scope)
    if isinstance(value, str) and value:
        return value
    return generated_name(step, "EndpointConfigName", attempt, scope)


MODEL = _kind_of(lambda step, attempt, scope: generated_name(step, "ModelName", attempt, scope))
REGISTER_MODEL = _kind_of(_name_of_package)
ENDPOINT_CONFIG = _kind_of(_name_of_config)
LINEAGE = _kind_of(lambda _step, _attempt, _scope: "")
"""Its entities are named in the Arguments."""
