"""What steps of all kinds have in common, as frozen dataclasses; `kinds` has a file for each type.

Knows no execution. The steps of a branch are steps like all others: a Condition step only names them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, Literal, TypeAlias

from passrole.definition.expressions import Expression

OutputType: TypeAlias = Literal["String", "Integer", "Boolean", "Float"]


@dataclass(frozen=True, slots=True)
class OutputParameter:
    """A declared output of a Lambda or Callback step."""

    name: str
    type_: OutputType


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """Whether results are taken over, and how old they may be: of any age where `expire_seconds` is None."""

    enabled: bool
    expire_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a failed call of the step, or its failed job, is retried, until one of the two limits is reached.

    `interval_seconds` is the first delay; each further delay is `backoff` times the one before.
    """

    exceptions: tuple[str, ...]
    interval_seconds: float = 1.0
    backoff: float = 2.0
    attempts_max: int | None = None
    expire_minutes: float | None = None


class Trigger(Enum):
    """The end of a step after which a dependent may start: StepDependency of SDK v3."""

    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    ANY = "Any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of any type."""

    type_: ClassVar[str]
    """SageMaker's name for the type."""

    name: str
    where: str
    display_name: str | None = None
    description: str | None = None
    depends_on: Mapping[str, Trigger] = field(default_factory=dict)
    """The steps in DependsOn, and how each must have ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedStep(Step):
    """A step that starts a job and follows it to its end."""

    retries: tuple[RetryPolicy, ...] = ()
    cache: CacheConfig | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationStep(Step):
    """A step that creates something of SageMaker at once.

    `arguments` is the request of its Create operation, without a name where SageMaker chooses that.
    """

    arguments: Expression
    retries: tuple[RetryPolicy, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStep(FollowedStep):
    """A step that starts a job of SageMaker.

    `arguments` is the request of its Create operation without the job's name, or with the beginning of it.
    """

    arguments: Expression
