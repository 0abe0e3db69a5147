"""The progress of an execution: its status, its steps, and the changes between two polls.

Texts are as functions and callers wrote them: whoever shows them escapes them.
"""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from passrole.client.connection import Client
    from passrole.client.jobs import Jobs, JobState

ENDED = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})
_RUNNING = ("Executing", "Stopping")
_LOOKED_AT = (*_RUNNING, "Failed")
_JOBS = {
    "TrainingJob": "Arn",
    "ProcessingJob": "Arn",
    "TransformJob": "Arn",
    "QualityCheck": "CheckJobArn",
    "ClarifyCheck": "CheckJobArn",
}
"""By the member of a step's metadata, the key that has the ARN of its job."""
_HAVE_LOGS = ("Lambda", "EMR", "EMRServerless", "TuningJob")
# The call itself was denied; what a function raised has the same beginning, but no user.
_NEVER_RAN = re.compile(r"ClientError: Failed to invoke \S+ Error Details: User: \S+ is not authorized ")
_DENIED = ("AccessDenied", "not authorized")
_POLL_SECONDS_MIN, _POLL_SECONDS_MAX = 0.1, 2.0


@dataclass(frozen=True)
class Iteration:
    """The IterationContext of a step inside a loop."""

    loop: str
    index: int
    item: str


@dataclass(frozen=True)
class Counts:
    """Of a loop: how many steps all its iterations have, and what became of those that are over."""

    total: int
    succeeded: int
    failed: int
    stopped: int

    @property
    def over(self) -> int:
        """How many of them are over."""
        return self.succeeded + self.failed + self.stopped


@dataclass(frozen=True)
class Step:
    """The state of a step; `seconds` since its start, or its duration.

    `job_arn` is of the job that it runs, `job` that one's state. `taken_from` is the ARN of the execution
    whose result it has: it `is_cached`, or was not selected. `has_logs` where it started a function, a job
    or an EMR step. `iteration` is where a step is from that runs inside a loop, `counts` those of a loop.
    """

    name: str
    status: str
    seconds: float = 0.0
    reason: str = ""
    token: str = ""
    outcome: str = ""
    outputs: tuple[tuple[str, str], ...] = ()
    attempt: int = 1
    taken_from: str = ""
    is_cached: bool = False
    job_arn: str = ""
    job: "JobState | None" = None
    has_logs: bool = False
    iteration: "Iteration | None" = None
    counts: "Counts | None" = None

    @property
    def is_folded(self) -> bool:
        """Whether the counts of its loop tell enough of it."""
        return self.iteration is not None and self.status == "Succeeded"

    @property
    def phase(self) -> str:
        """The phase of the job that runs."""
        runs = self.job is not None and self.status in _RUNNING and not self.job.has_ended
        return self.job.phase if self.job and runs else ""

    @property
    def is_denied(self) -> bool:
        """Whether it failed since a call was denied."""
        return self.status == "Failed" and any(word in self.reason for word in _DENIED)

    @property
    def waits(self) -> bool:
        """Whether the step waits for an answer to its callback."""
        return bool(self.token) and self.status in _RUNNING


@dataclass(frozen=True)
class Progress:
    """The state of an execution; `reason` says why it failed."""

    status: str
    reason: str
    steps: Sequence[Step]

    @property
    def has_ended(self) -> bool:
        """Whether the status is final."""
        return self.status in ENDED


def progress_of(sagemaker: "Client", execution_arn: str) -> Progress:
    """Poll an execution once. Raises ClientError."""
    # The status first: steps that are listed after a final status are final too.
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution_arn)
    pages = sagemaker.get_paginator("list_pipeline_execution_steps")
    listed = pages.paginate(PipelineExecutionArn=execution_arn, SortOrder="Ascending")
    steps = steps_of(listed.search("PipelineExecutionSteps[]"), time.time())
    return Progress(described["PipelineExecutionStatus"], described.get("FailureReason", ""), steps)


def with_jobs(progress: Progress, jobs: "Jobs") -> Progress:
    """The same with the state of each job that runs or has failed. Raises ClientError."""
    looked_at = [each.job_arn for each in progress.steps if each.job_arn and each.status in _LOOKED_AT]
    states = jobs.states(looked_at)
    return replace(progress, steps=[replace(each, job=states.get(each.job_arn)) for each in progress.steps])


def poll_seconds(elapsed: float) -> float:
    """Seconds until the next poll: a twentieth of the elapsed time, so that long waits need few calls."""
    return min(_POLL_SECONDS_MAX, max(_POLL_SECONDS_MIN, elapsed / 20))


def steps_of(listed: Iterable[Mapping[str, Any]], now: float) -> list[Step]:
    """The steps of ListPipelineExecutionSteps, oldest first; `now` in seconds since the epoch."""
    return [_step(each, now) for each in listed]


def changes(before: Sequence[Step], after: Sequence[Step]) -> list[Step]:
    """The steps of `after` that are new, or of which more has changed than time, metrics and logs."""
    known = {step.name: _lasting(step) for step in before}
    return [step for step in after if known.get(step.name) != _lasting(step)]


def _lasting(step: Step) -> tuple[object, ...]:
    return step.status, step.token, step.attempt, step.phase


def job_of(listed: Mapping[str, Any]) -> str:
    """The ARN of the job of a step as it is listed; empty where it has none."""
    metadata = listed.get("Metadata", {})
    arns = (metadata[each].get(key) for each, key in _JOBS.items() if each in metadata)
    return str(next(filter(None, arns), ""))


def taken_from(listed: Mapping[str, Any]) -> str:
    """The ARN of the execution whose result the step has; empty where it ran itself."""
    sources = (listed.get(each, {}) for each in ("CacheHitResult", "SelectiveExecutionResult"))
    return next((str(each["SourcePipelineExecutionArn"]) for each in sources if each), "")


def _step(listed: Mapping[str, Any], now: float) -> Step:
    metadata = listed.get("Metadata", {})
    callback = metadata.get("Callback", {})
    source = taken_from(listed)
    made = callback.get("OutputParameters") or metadata.get("Lambda", {}).get("OutputParameters") or ()
    reason = listed.get("FailureReason", "")
    return Step(
        name=listed["StepName"],
        status=listed["StepStatus"],
        seconds=_seconds(listed, now),
        reason=reason,
        token=callback.get("CallbackToken", ""),
        outcome=metadata.get("Condition", {}).get("Outcome", ""),
        outputs=tuple((each["Name"], each["Value"]) for each in made),
        attempt=listed.get("AttemptCount", 1),
        taken_from=source,
        is_cached="CacheHitResult" in listed,
        job_arn="" if source else job_of(listed),
        has_logs=not source and not _NEVER_RAN.match(reason) and _has_logs(listed),
        iteration=_iteration(listed.get("IterationContext")),
        counts=_counts(metadata.get("ForEach")),
    )


def _iteration(context: Mapping[str, Any] | None) -> Iteration | None:
    return Iteration(context["ParentStepName"], context["Index"], context["Item"]) if context else None


def _counts(found: Mapping[str, Any] | None) -> Counts | None:
    if not found:
        return None
    return Counts(*(found[f"{each}StepCount"] for each in ("Total", "Succeeded", "Failed", "Stopped")))


def _has_logs(listed: Mapping[str, Any]) -> bool:
    return any(each in listed.get("Metadata", {}) for each in _HAVE_LOGS) or job_of(listed) != ""


def _seconds(listed: Mapping[str, Any], now: float) -> float:
    if "StartTime" not in listed:
        return 0.0
    end = listed["EndTime"].timestamp() if "EndTime" in listed else now
    return max(0.0, float(end - listed["StartTime"].timestamp()))
