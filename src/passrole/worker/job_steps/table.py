"""A row for each type of step whose work is a job."""

from passrole.clock import Clock
from passrole.services.sagemaker.jobs.kinds import KINDS, PROCESSING, TUNING
from passrole.worker.calls import Calls
from passrole.worker.job_steps.emr import EmrSteps
from passrole.worker.job_steps.emr_serverless import EmrServerlessSteps
from passrole.worker.job_steps.endpoint import EndpointSteps
from passrole.worker.job_steps.job_step import JobSteps
from passrole.worker.job_steps.sagemaker import SageMakerJobs
from passrole.worker.job_steps.tuning import TuningJobs


def job_steps(calls: Calls, clock: Clock) -> JobSteps:
    """By the type of the step, as its definition has it; SageMaker names its jobs by the same word, but for
    checks, whose jobs process.
    """
    return {
        "EMR": EmrSteps(calls, clock),
        "EMRServerless": EmrServerlessSteps(calls, clock),
        "Endpoint": EndpointSteps(calls, clock),
        "Tuning": TuningJobs(calls, clock),
        "QualityCheck": SageMakerJobs(PROCESSING, calls, clock, "QualityCheck", "CheckJobArn"),
        "ClarifyCheck": SageMakerJobs(PROCESSING, calls, clock, "ClarifyCheck", "CheckJobArn"),
        **{kind.word: SageMakerJobs(kind, calls, clock) for kind in KINDS.values() if kind is not TUNING},
    }
