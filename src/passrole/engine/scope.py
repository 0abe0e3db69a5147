"""What expressions are resolved against, and what it is called when they cannot be."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from passrole.definition.expressions import Json
from passrole.engine.facts import ExecutionStarted
from passrole.engine.state import State


class Unresolvable(Exception):
    """A step asked for a value that is not there; `reason` is its FailureReason."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = f"ClientError: {sentence}"


class Unread(Unresolvable):
    """A value in S3 has not been read yet."""


@dataclass(frozen=True, slots=True)
class Scope:
    """An execution and the moment the step starts."""

    state: State
    now: float
    read: Mapping[tuple[str, str], Json] = field(default_factory=dict)
    """The step's values in S3, by URI and path."""
    job_names: Mapping[str, str] = field(default_factory=dict)
    """TrainingJobName or ProcessingJobName, which have a value in the request of that job alone."""

    @property
    def origin(self) -> ExecutionStarted:
        """How the execution began."""
        assert self.state.origin is not None, "a step starts in an execution that has not"
        return self.state.origin
