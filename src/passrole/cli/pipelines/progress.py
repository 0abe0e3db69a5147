"""Steps and outputs of an execution as lines for a terminal, without control characters."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from passrole.client.progress import Step
from passrole.log_format import escaped, terminal_lines

if TYPE_CHECKING:
    from passrole.client.jobs import JobState

CLICK_COLOURS: Final[Mapping[str, str]] = {
    "Executing": "cyan",
    "Stopping": "yellow",
    "Stopped": "yellow",
    "Succeeded": "green",
    "Failed": "red",
}
"""The colour of a status in a line."""

_CHARACTERS_MAX = 300
_OF_ITERATIONS_MAX = 20
_GIGABYTE = 1_000_000_000


def detail(step: Step) -> str:
    """The details of a step beside its status."""
    if step.waits:
        return f"waits for an answer to {step.token}"
    told = [loop(step), _attempt(step), _job(step), _source(step), escaped(step.reason)]
    if step.outcome:
        told.append(f"the condition is {step.outcome.lower()}")
    return ", ".join(filter(None, told))


def last_line(step: Step) -> str:
    """The last line of the log of the job that runs."""
    lines = step.job.lines if step.job and step.phase else ()
    return escaped(lines[-1])[:_CHARACTERS_MAX] if lines else ""


def ends_of_logs(steps: Iterable[Step]) -> Iterator[str]:
    """What the jobs of failed steps printed last, and their exit messages."""
    for step in steps:
        job = step.job
        if job is None or step.status != "Failed":
            continue
        if job.exit_message:
            yield f"{step.name} left the message: {escaped(job.exit_message)}"
        if job.lines:
            yield f"{step.name} printed last ({escaped(job.name)}):"
            yield from (f"  {line}" for text in job.lines for line in terminal_lines(text))


def outputs(steps: Iterable[Step]) -> list[str]:
    """`Step.output = value` lines, and how many more there are of iterations."""
    shown: list[str] = []
    inside: list[str] = []
    for step in steps:
        lines = inside if step.iteration else shown
        lines += [f"{step.name}.{escaped(name)} = {escaped(value)}" for name, value in step.outputs]
    if len(inside) > _OF_ITERATIONS_MAX:
        more = len(inside) - _OF_ITERATIONS_MAX
        inside[_OF_ITERATIONS_MAX:] = [f"and {more} more outputs of iterations; `show --format json` has all"]
    return shown + inside


def loop(step: Step) -> str:
    """`7 of 12 steps, 1 failed` of a loop."""
    if step.counts is None:
        return ""
    failed = f", {step.counts.failed} failed" if step.counts.failed else ""
    return f"{step.counts.over} of {step.counts.total} steps{failed}"


def _attempt(step: Step) -> str:
    if step.attempt == 1:
        return ""
    waits = step.job is not None and step.job.has_ended and step.status == "Executing"
    before = f" after {escaped(step.job.reason)}" if step.job and waits else ""
    return f"attempt {step.attempt}{before}"


def _job(step: Step) -> str:
    if step.job is None or not step.phase:
        return ""
    metrics = (f"{escaped(name)}={value:g}" for name, value in step.job.metrics)
    return "  ".join([f"{step.phase}{_transfer(step.job)}", *metrics])


def _transfer(job: "JobState") -> str:
    if job.transfer is None:
        return ""
    done, expected = (each / _GIGABYTE for each in job.transfer)
    return f" {done:.1f} of {expected:.1f} GB"


def _source(step: Step) -> str:
    execution = step.taken_from.rpartition("/")[2]
    return f"{'cached' if step.is_cached else 'taken'} from {execution}" if execution else ""
