"""What a tuning job has tried: one set of values each, and what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

RUNS, COMPLETED, FAILED, STOPPED = "InProgress", "Completed", "Failed", "Stopped"

SUCCEEDED, PENDING = "Succeeded", "Pending"


@dataclass(frozen=True, slots=True)
class Trial:
    """A training job of a tuning job. `number` counts from 1; `definition` is the place of what it was made
    of; `status` is one of the above, `ended` when it came to it.

    `objective` is the last value of the metric that it printed, `course` all of them in order, where they are
    kept. `is_stopping`: it was asked to end.
    """

    number: int
    definition: int
    values: Mapping[str, str]
    status: str = RUNS
    objective: float | None = None
    course: Sequence[float] = ()
    ended: float = 0.0
    is_stopping: bool = False

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.status == RUNS

    @property
    def objective_status(self) -> str:
        """Succeeded, Pending or Failed. One that was stopped counts with what it had reached.

        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterTrainingJobSummary.html
        """
        if self.is_running:
            return PENDING
        return FAILED if self.status == FAILED or self.objective is None else SUCCEEDED


def evaluated(trials: Iterable[Trial]) -> list[tuple[Trial, float]]:
    """Those whose objective counts, with it, in the order in which they ended."""
    found = [
        (each, each.objective)
        for each in trials
        if each.objective is not None and each.objective_status == SUCCEEDED
    ]
    return sorted(found, key=lambda one: (one[0].ended, one[0].number))


def best(trials: Iterable[Trial], *, is_maximised: bool) -> Trial | None:
    """The one with the best objective; of equal ones the first."""
    found = sorted(evaluated(trials), key=lambda one: one[0].number)
    if not found:
        return None
    return (max if is_maximised else min)(found, key=lambda one: one[1])[0]
