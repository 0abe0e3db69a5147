"""EMR steps under way: which EMR step belongs to which step of which execution, while it is waited for.

A step that waits is a row and nothing else; whoever hears of EMR steps looks here whom it concerns.
"""

from dataclasses import dataclass

from passrole.definition import EmrStep
from passrole.engine import State
from passrole.store import Collection, Tx

JOBS = "emr-jobs"
"""The channel on which jobs are announced once they are there; its notices are Jobs."""


@dataclass(frozen=True)
class Job:
    """An EMR step that is waited for. `execution` and `role` are ARNs."""

    execution: str
    role: str
    step: str
    attempt: int
    cluster_id: str
    emr_step_id: str
    owns_cluster: bool

    @property
    def key(self) -> str:
        """The job's key in the store."""
        return _key(self.execution, self.step, self.attempt)


_ROWS = Collection("emr-job", Job)


def under_way(tx: Tx) -> list[Job]:
    """Every EMR step that is waited for."""
    return [job for _, job in _ROWS.all(tx)]


def is_under_way(tx: Tx, job: Job) -> bool:
    """Whether the job is still waited for."""
    return _ROWS.get(tx, job.key) is not None


def keep(tx: Tx, execution: str, role: str, step: str, state: State) -> None:
    """Wait for the EMR step that a cluster took for the step, and announce that."""
    progress = state.steps[step]
    known = progress.metadata["EMR"]
    assert isinstance(progress.step, EmrStep)
    job = Job(
        execution=execution,
        role=role,
        step=step,
        attempt=progress.attempt,
        cluster_id=str(known["ClusterId"]),
        emr_step_id=str(known["StepId"]),
        owns_cluster=progress.step.cluster_config is not None,
    )
    _ROWS.put(tx, job.key, job)
    tx.notify(JOBS, job)


def forget(tx: Tx, execution: str, step: str, attempt: int) -> None:
    """The step is over: its EMR step, if it had one, is not waited for any more."""
    _ROWS.delete(tx, _key(execution, step, attempt))


def forget_all(tx: Tx, execution: str) -> None:
    """The execution (its ARN) is deleted."""
    for key, _ in _ROWS.within(tx, *execution.split("/")):
        _ROWS.delete(tx, key)


def _key(execution: str, step: str, attempt: int) -> str:
    return f"{execution}/{step}/{attempt}"
