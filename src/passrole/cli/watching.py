"""What a watched execution shows: from API answers to steps, from two lists of steps to changes.

What functions and callers wrote is escaped here, so that it steers no terminal.

Pure: no client, no clock, no screen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passrole.log_format import escaped

ENDED = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})


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


def steps_of(listed: Iterable[Mapping[str, Any]], now: float) -> list[Step]:
    """The steps of ListPipelineExecutionSteps, oldest first; `now` in seconds since the epoch."""
    return [_step(each, now) for each in listed]


def changes(before: Sequence[Step], after: Sequence[Step]) -> list[Step]:
    """The steps of `after` that are new, or whose status or token is another."""
    known = {step.name: (step.status, step.token) for step in before}
    return [step for step in after if known.get(step.name) != (step.status, step.token)]


def detail(step: Step) -> str:
    """What there is to say of a step beside its status."""
    if step.waits:
        return f"waits for an answer to {step.token}"
    return step.reason or (f"the condition is {step.outcome.lower()}" if step.outcome else "")


def outputs(steps: Iterable[Step]) -> list[str]:
    """`Step.output = value` lines."""
    return [f"{step.name}.{name} = {value}" for step in steps for name, value in step.outputs]


def _step(listed: Mapping[str, Any], now: float) -> Step:
    metadata = listed.get("Metadata", {})
    callback = metadata.get("Callback", {})
    made = callback.get("OutputParameters") or metadata.get("Lambda", {}).get("OutputParameters") or ()
    return Step(
        name=listed["StepName"],
        status=listed["StepStatus"],
        seconds=_seconds(listed, now),
        reason=escaped(listed.get("FailureReason", "")),
        token=callback.get("CallbackToken", ""),
        outcome=metadata.get("Condition", {}).get("Outcome", ""),
        outputs=tuple((escaped(each["Name"]), escaped(each["Value"])) for each in made),
    )


def _seconds(listed: Mapping[str, Any], now: float) -> float:
    if "StartTime" not in listed:
        return 0.0
    end = listed["EndTime"].timestamp() if "EndTime" in listed else now
    return max(0.0, float(end - listed["StartTime"].timestamp()))
