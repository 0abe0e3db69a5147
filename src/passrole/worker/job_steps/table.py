"""A row for each type of step whose work is a job."""

from passrole.clock import Clock
from passrole.worker.calls import Calls
from passrole.worker.job_steps.emr import EmrSteps
from passrole.worker.job_steps.job_step import JobSteps


def job_steps(calls: Calls, clock: Clock) -> JobSteps:
    """By the type of the step, as its definition has it."""
    return {"EMR": EmrSteps(calls, clock)}
