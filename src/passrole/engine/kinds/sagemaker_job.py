"""Steps that are jobs of SageMaker: their Arguments are the request, but for the name."""

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from passrole.definition import CreationStep, JobStep
from passrole.definition.expressions import Json, member_of
from passrole.engine.kinds.job import JobType
from passrole.engine.resolve import experiment_name, resolve, resolve_object
from passrole.engine.scope import Scope, Unresolvable
from passrole.engine.state import StepState
from passrole.engine.tokens import callback_token


class NameForm(NamedTuple):
    """How the names look that Pipelines gives, as in sixty of public notebooks: how they begin, how much
    of the step's name they have, and how long they may be.
    """

    begins: str = "pipelines-"
    step_characters_max: int = 20
    characters_max: int = 63


_FORM = NameForm()


def sagemaker_job(word: str) -> JobType:
    """The type of job whose members begin with this word: Processing, Training."""
    member = f"{word}Job"
    return job_type(member, member)


def job_type(member: str, metadata: str, form: NameForm = _FORM, *, has_experiment: bool = True) -> JobType:
    """The type of job with these members in its own calls, and in the metadata of its steps."""

    def name(step: JobStep, attempt: int, scope: Scope) -> str:
        return generated_name(step, f"{member}Name", attempt, scope, form)

    def request(step: JobStep, name: str, scope: Scope) -> dict[str, Json]:
        own = Scope(scope.state, scope.now, scope.read, {f"{member}Name": name})
        resolved = without_null(resolve_object(step.arguments, own))
        assert isinstance(resolved, dict)
        experiment = _experiment(scope) if has_experiment else {}
        return {**({"ExperimentConfig": experiment} if experiment else {}), **resolved}

    def handle(progress: StepState) -> Mapping[str, Json]:
        return progress.metadata[metadata]

    return JobType(name, request, handle)


def generated_name(
    step: JobStep | CreationStep, member: str, attempt: int, scope: Scope, form: NameForm = _FORM
) -> str:
    """The name of what an attempt of the step creates.

    A name in the Arguments, under `member`, is a prefix, which SDKs send where they are told to. Names of
    steps may have underscores, those of jobs and models may not.
    """
    random_part = callback_token(scope.origin.seed, step.name, attempt)
    prefix = _prefix(step, member, scope)
    if prefix is None:
        short = step.name[: form.step_characters_max].replace("_", "-")
        return f"{form.begins}{scope.origin.execution_id}-{short}-{random_part}"
    suffix = f"-{scope.origin.execution_id}-{random_part}"
    return f"{prefix[: form.characters_max - len(suffix)]}{suffix}"


def without_null(value: Json) -> Json:
    """What is null is absent: SDKs send both."""
    if isinstance(value, dict):
        return {key: without_null(each) for key, each in value.items() if each is not None}
    return [without_null(each) for each in value] if isinstance(value, list) else value


def _prefix(step: JobStep | CreationStep, member: str, scope: Scope) -> str | None:
    given = member_of(step.arguments, member)
    value = None if given is None else resolve(given, scope)
    return value if isinstance(value, str) and value else None


def _experiment(scope: Scope) -> dict[str, Json]:
    """Names that do not resolve are not shown (history/projection.py), and not sent."""
    names: dict[str, Json] = {}
    for each in scope.state.pipeline.experiment:
        with suppress(Unresolvable):
            names[each] = experiment_name(each, scope)
    return names
