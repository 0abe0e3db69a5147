"""EMRServerless steps, as version 3 of the SDK writes them; AWS's guide has no section on them.

https://github.com/aws/sagemaker-python-sdk
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from passrole.definition import problems as problem
from passrole.definition.expressions import Expression
from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.properties import Properties
from passrole.definition.step_members import RETRIED_ALWAYS, read_cache, read_retries, read_shared
from passrole.definition.steps import FollowedStep, Step

PROPERTIES: Final = Properties(("jobRun",))
"""GetJobRun's answer."""

_APPLICATION, _CONFIG, _JOB = "ApplicationId", "ApplicationConfig", "JobConfig"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmrServerlessStep(FollowedStep):
    """Runs a job on EMR Serverless: on an existing application, or on one that is made for the step; the
    other is None.

    `application_config` is CreateApplication's request, `job_config` StartJobRun's.
    """

    type_: ClassVar[str] = "EMRServerless"

    application_id: Expression | None
    application_config: Expression | None
    job_config: Expression
    role: Expression


def _read(node: Node) -> Iterator[Step]:
    inner = node.object("Arguments") or Node({}, node.where, [])
    _check(inner)
    yield EmrServerlessStep(
        **read_shared(node),
        application_id=inner.text_expression(_APPLICATION) if inner.has(_APPLICATION) else None,
        application_config=inner.expression(_CONFIG) if inner.has(_CONFIG) else None,
        job_config=inner.expression(_JOB, required=False),
        role=inner.text_expression("ExecutionRoleArn"),
        retries=read_retries(node, RETRIED_ALWAYS),
        cache=read_cache(node),
    )
    inner.close()


def _check(arguments: Node) -> None:
    """The checks that the SDK makes: exactly one application; and that there is a job."""
    if arguments.has(_APPLICATION) == arguments.has(_CONFIG):
        arguments.found.append(problem.needs_one_of(arguments.where, (_APPLICATION, _CONFIG)))
    arguments.object(_CONFIG, required=False)
    job = arguments.object(_JOB)
    if job:
        job.any("jobDriver")


def _expressions(step: EmrServerlessStep) -> Iterable[Expression]:
    given = (step.application_id, step.application_config, step.job_config, step.role)
    return (each for each in given if each is not None)


KIND = Kind(
    step=EmrServerlessStep,
    read=_read,
    expressions=_expressions,
    offers=lambda _step, path: PROPERTIES.has(path),
    properties=PROPERTIES,
)
