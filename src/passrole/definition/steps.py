"""What steps of all kinds have in common, as frozen dataclasses; `kinds` has a file for each type.

Knows no execution. The steps of a branch are steps like all others: a Condition step only names them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, Literal, TypeAlias

OutputType: TypeAlias = Literal["String", "Integer", "Boolean", "Float"]


@dataclass(frozen=True, slots=True)
class OutputParameter:
    """A declared output of a Lambda or Callback step."""

    name: str
    type_: OutputType


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """The cache configuration, not applied yet. `expire_after` is an ISO 8601 duration."""

    enabled: bool
    expire_after: str | None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a failed call of the step is retried, until one of the two limits is reached.

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
