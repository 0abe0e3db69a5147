"""What the worker does for a step whose work is a job of another service: a row for each type of step."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Protocol

from passrole.arns import ExecutionArn
from passrole.engine.commands import CancelJob, CreateResource, SubmitJob
from passrole.engine.facts import JobCancelSent, JobEnded, JobSubmitted
from passrole.history import Task
from passrole.history.jobs import Job
from passrole.worker.calls import Caller


class JobStep(Protocol):
    """Submits, cancels and looks at the jobs of one type of step, as the execution's role.

    Its calls raise CallFailed. A submission may happen twice after a crash, and makes one job.
    """

    @property
    def channels(self) -> Sequence[str]:
        """Whose notices may be about its jobs."""

    async def submit(self, task: Task, command: SubmitJob) -> JobSubmitted:
        """Have the service run the job."""

    async def cancel(self, task: Task, command: CancelJob) -> JobCancelSent:
        """Ask for its end."""

    async def look(self, job: Job) -> JobEnded | None:
        """How it ended; None while it has not."""

    async def give_up(self, job: Job) -> None:
        """End a job that cannot be followed, as far as the role may; raises nothing."""

    def concerns(self, notice: str, job: Job) -> bool:
        """Whether the notice may be about the job. A notice tells no more than that it is worth a look."""


JobSteps = Mapping[str, JobStep]
"""By the type of the step."""


def caller_of(task: Task) -> Caller:
    """As whom a command is performed."""
    return Caller(task.role, task.execution, task.command.step)


def left_to_policies(command: SubmitJob | CreateResource) -> frozenset[str]:
    """Failures that the step's own policies name: another attempt is the engine's, however long it waits."""
    return frozenset(chain.from_iterable(policy.exceptions for policy in command.retries))


def caller_for(job: Job) -> Caller:
    """As whom a job is followed."""
    return Caller(job.role, ExecutionArn(job.execution), job.step)
