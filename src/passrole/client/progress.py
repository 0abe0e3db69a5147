"""The progress of an execution: its status, its steps, and the changes between two polls.

Texts are as functions and callers wrote them: whoever shows them escapes them.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from passrole.client.connection import Client

ENDED = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})
_POLL_SECONDS_MIN, _POLL_SECONDS_MAX = 0.1, 2.0


@dataclass(frozen=True)
class Step:
    """The state of a step; `seconds` since its start, or its duration."""

    name: str
    status: str
    seconds: float = 0.0
    reason: str = ""
    token: str = ""
    outcome: str = ""
    outputs: tuple[tuple[str, str], ...] = ()

    @property
    def waits(self) -> bool:
        """Whether the step waits for an answer to its callback."""
        return bool(self.token) and self.status in ("Executing", "Stopping")


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


def poll_seconds(elapsed: float) -> float:
    """Seconds until the next poll: a twentieth of the elapsed time, so that long waits need few calls."""
    return min(_POLL_SECONDS_MAX, max(_POLL_SECONDS_MIN, elapsed / 20))


def steps_of(listed: Iterable[Mapping[str, Any]], now: float) -> list[Step]:
    """The steps of ListPipelineExecutionSteps, oldest first; `now` in seconds since the epoch."""
    return [_step(each, now) for each in listed]


def changes(before: Sequence[Step], after: Sequence[Step]) -> list[Step]:
    """The steps of `after` that are new, or whose status or token has changed."""
    known = {step.name: (step.status, step.token) for step in before}
    return [step for step in after if known.get(step.name) != (step.status, step.token)]


def _step(listed: Mapping[str, Any], now: float) -> Step:
    metadata = listed.get("Metadata", {})
    callback = metadata.get("Callback", {})
    made = callback.get("OutputParameters") or metadata.get("Lambda", {}).get("OutputParameters") or ()
    return Step(
        name=listed["StepName"],
        status=listed["StepStatus"],
        seconds=_seconds(listed, now),
        reason=listed.get("FailureReason", ""),
        token=callback.get("CallbackToken", ""),
        outcome=metadata.get("Condition", {}).get("Outcome", ""),
        outputs=tuple((each["Name"], each["Value"]) for each in made),
    )


def _seconds(listed: Mapping[str, Any], now: float) -> float:
    if "StartTime" not in listed:
        return 0.0
    end = listed["EndTime"].timestamp() if "EndTime" in listed else now
    return max(0.0, float(end - listed["StartTime"].timestamp()))
