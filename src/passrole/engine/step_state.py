"""What has become of one step."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from passrole.definition import Step
from passrole.definition.expressions import Json
from passrole.engine.facts import CommandPhase, Metadata, StepStatus

EMPTY: Final[Mapping[Any, Any]] = {}
"""One for all: most steps have nothing of a kind, and states are many."""

_RUNNING = ("Starting", "Executing", "Stopping")


class StepState(NamedTuple):
    """One started step, with everything ListPipelineExecutionSteps shows.

    Name, display name, description and type are those of `step`. `sent` is the status of the last message
    that the queue took, for a Callback step; of a job, whether it was submitted and whether it was asked to
    end. `properties` is the job as its service described it, once that is over, or what the step created.
    `source` is the ARN of the execution that the step was taken from, in a selective execution, `cached_from`
    of the one whose result it took over. `read` has the values in S3 by URI and path; while they are read, or
    an earlier result is looked for, the step is Starting; `is_searched` once that was done.
    `property_files` has the documents of a stub. `retried` is how often it was tried again, `retry_due` when
    it will be. `known` is what the metadata had before a job was submitted. `baselines` are those of the
    approved `package` that a check step looked for, None until it has.
    """

    step: Step
    attempt: int
    status: StepStatus
    started_at: float
    ended_at: float | None = None
    failure_reason: str | None = None
    metadata: Metadata = EMPTY
    sent: CommandPhase | None = None
    source: str | None = None
    properties: Mapping[str, Json] = EMPTY
    read: Mapping[tuple[str, str], Json] = EMPTY
    cached_from: str | None = None
    is_searched: bool = False
    property_files: Mapping[str, Json] = EMPTY
    retried: int = 0
    retry_due: float | None = None
    known: Metadata = EMPTY
    package: str | None = None
    baselines: Mapping[str, Json] | None = None

    @property
    def is_running(self) -> bool:
        """Whether something outside is still to be heard of."""
        return self.status in _RUNNING

    def output(self, name: str) -> str | None:
        """The value of an output, or None where the step produced none of this name."""
        outputs = self.metadata.get(self.step.type_, {}).get("OutputParameters", ())
        for each in outputs if isinstance(outputs, list) else ():
            if isinstance(each, dict) and each.get("Name") == name:
                return str(each["Value"])
        return None

    @property
    def outcome(self) -> bool:
        """How a Condition step decided."""
        return self.metadata.get("Condition", {}).get("Outcome") == "True"
