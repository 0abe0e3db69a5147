"""Jobs under way: which job of a service belongs to which step of which execution, while it is waited for.

A step that waits is a row and nothing else; whoever hears of jobs looks here whom it concerns.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from passrole.definition.expressions import Json
from passrole.engine import StepState
from passrole.engine.kinds import JOB_TYPES
from passrole.store import Collection, Tx

JOBS = "step-jobs"
"""The channel on which jobs are announced once they are there, by their keys."""


@dataclass(frozen=True)
class Job:
    """A job that is waited for. `kind` is the type of its step; `execution` and `role` are ARNs, `handle` is
    CancelJob's.
    """

    kind: str
    execution: str
    role: str
    step: str
    attempt: int
    handle: Mapping[str, Json]

    @property
    def key(self) -> str:
        """The job's key in the store."""
        return _key(self.execution, self.step, self.attempt)


_ROWS = Collection("step-job", Job)


def under_way(tx: Tx) -> list[Job]:
    """Every job that is waited for."""
    return [job for _, job in _ROWS.all(tx)]


def keys_under_way(tx: Tx) -> list[str]:
    """The keys of all of them."""
    return _ROWS.keys(tx)


def execution_of(key: str) -> str:
    """The execution (its ARN) of a job's key."""
    return key.rsplit("/", 2)[0]


def find(tx: Tx, key: str) -> Job | None:
    """The job of that key, if it is still waited for."""
    return _ROWS.get(tx, key)


def keep(tx: Tx, execution: str, role: str, submitted: StepState) -> None:
    """Wait for the job that a service took for the step, and announce that."""
    step = submitted.step
    handle = JOB_TYPES[type(step)].handle(submitted)
    job = Job(step.type_, execution, role, step.name, submitted.attempt, handle)
    _ROWS.put(tx, job.key, job)
    tx.notify(JOBS, job.key)


def forget(tx: Tx, execution: str, step: str, attempt: int) -> None:
    """The attempt is over: its job, if it had one, is not waited for any more."""
    _ROWS.delete(tx, _key(execution, step, attempt))


def forget_all(tx: Tx, execution: str) -> None:
    """The execution (its ARN) is deleted."""
    for key, _ in _ROWS.within(tx, *execution.split("/")):
        _ROWS.delete(tx, key)


def _key(execution: str, step: str, attempt: int) -> str:
    return f"{execution}/{step}/{attempt}"
