"""How far an execution is: its status and its steps, and what changed between two polls.

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
    """One step as it stands; `seconds` since it started, or that it took."""

    name: str
    status: str
    seconds: float = 0.0
    reason: str = ""
    token: str = ""
    outcome: str = ""
    outputs: tuple[tuple[str, str], ...] = ()

    @property
    def waits(self) -> bool:
        """For somebody to answer its callback."""
        return bool(self.token) and self.status in ("Executing", "Stopping")


@dataclass(frozen=True)
class Progress:
    """An execution as it stands; `reason` tells why it failed."""

    status: str
    reason: str
    steps: Sequence[Step]

    @property
    def has_ended(self) -> bool:
        """Nothing of it will run any more."""
        return self.status in ENDED


def progress_of(sagemaker: "Client", execution_arn: str) -> Progress:
    """One poll of an execution. Raises ClientError."""
    # The status first: steps that are listed after a final status are final too.
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution_arn)
    pages = sagemaker.get_paginator("list_pipeline_execution_steps")
    listed = pages.paginate(PipelineExecutionArn=execution_arn, SortOrder="Ascending")
    steps = steps_of(listed.search("PipelineExecutionSteps[]"), time.time())
    return Progress(described["PipelineExecutionStatus"], described.get("FailureReason", ""), steps)


def poll_seconds(elapsed: float) -> float:
    """Until the next poll: a change is seen late by a twentieth at most; a day of waiting costs little."""
    return min(_POLL_SECONDS_MAX, max(_POLL_SECONDS_MIN, elapsed / 20))


def steps_of(listed: Iterable[Mapping[str, Any]], now: float) -> list[Step]:
    """The steps of ListPipelineExecutionSteps, oldest first; `now` in seconds since the epoch."""
    return [_step(each, now) for each in listed]


def changes(before: Sequence[Step], after: Sequence[Step]) -> list[Step]:
    """The steps of `after` that are new, or whose status or token is another."""
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
