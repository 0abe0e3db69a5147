"""Steps and outputs of an execution as lines for a terminal, without control characters."""

from collections.abc import Iterable

from passrole.client.progress import Step
from passrole.log_format import escaped


def detail(step: Step) -> str:
    """The details of a step beside its status."""
    if step.waits:
        return f"waits for an answer to {step.token}"
    return escaped(step.reason) or (f"the condition is {step.outcome.lower()}" if step.outcome else "")


def outputs(steps: Iterable[Step]) -> list[str]:
    """`Step.output = value` lines."""
    return [
        f"{step.name}.{escaped(name)} = {escaped(value)}" for step in steps for name, value in step.outputs
    ]
