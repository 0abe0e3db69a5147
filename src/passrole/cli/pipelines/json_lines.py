"""An execution as JSON lines: an object for each change, for programs that follow a run.

Members of steps and executions have AWS's names. `event` says what a line is about.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import click

from passrole.client.progress import Progress, Step, changes
from passrole.members import without_none

if TYPE_CHECKING:
    from passrole.cli.pipelines.answering import Answer


def tell(event: str, **members: Any) -> None:
    """Print a line; members that are None are left out."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    click.echo(json.dumps({"event": event, "time": at, **without_none(**members)}))


class JsonLines:
    """See screens.Screen: a line for each change of a step, and one for the end."""

    def __init__(self, execution: str) -> None:
        self._execution = execution
        self._shown: Sequence[Step] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, progress: Progress, seconds: float) -> None:
        """Print what has changed since the last look."""
        for step in changes(self._shown, progress.steps):
            tell("step", PipelineExecutionArn=self._execution, seconds=round(seconds, 3), **_members(step))
        self._shown = list(progress.steps)
        if progress.has_ended:
            tell(
                "end",
                PipelineExecutionArn=self._execution,
                seconds=round(seconds, 3),
                PipelineExecutionStatus=progress.status,
                FailureReason=progress.reason or None,
            )

    def wait(self, seconds: float) -> "Answer | None":
        """No answer is typed here."""
        time.sleep(seconds)
        return None

    def refused(self, problem: str) -> None:
        """Nothing was sent that could be refused."""


def _members(step: Step) -> Mapping[str, Any]:
    outputs = [{"Name": name, "Value": value} for name, value in step.outputs]
    source = {"SourcePipelineExecutionArn": step.taken_from}
    return {
        "StepName": step.name,
        "StepStatus": step.status,
        "AttemptCount": step.attempt,
        "FailureReason": step.reason or None,
        "CallbackToken": step.token if step.waits else None,
        "Outcome": step.outcome or None,
        "OutputParameters": outputs or None,
        "JobArn": step.job_arn or None,
        "phase": step.phase or None,
        "ForEach": _counts(step),
        "IterationContext": _context(step),
        **dict.fromkeys(_sources(step), source),
    }


def _counts(step: Step) -> Mapping[str, int] | None:
    found = step.counts
    if found is None:
        return None
    return {
        "TotalStepCount": found.total,
        "SucceededStepCount": found.succeeded,
        "FailedStepCount": found.failed,
        "StoppedStepCount": found.stopped,
    }


def _context(step: Step) -> Mapping[str, Any] | None:
    found = step.iteration
    return None if found is None else {"ParentStepName": found.loop, "Index": found.index, "Item": found.item}


def _sources(step: Step) -> Iterator[str]:
    if step.taken_from:
        yield "CacheHitResult" if step.is_cached else "SelectiveExecutionResult"
