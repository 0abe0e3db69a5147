"""Tuning jobs of steps: followed as other jobs of SageMaker, and at the end their best training jobs."""

from collections.abc import Mapping
from typing import Any

from passrole.clock import Clock
from passrole.definition.kinds.tuning import SUMMARIES, SUMMARIES_MAX
from passrole.history.jobs import Job
from passrole.policy.sagemaker_keys import values_at
from passrole.services.sagemaker.jobs.kinds import TUNING
from passrole.worker.calls import Action, Calls
from passrole.worker.job_steps.job_step import caller_for
from passrole.worker.job_steps.sagemaker import ERRORS, SageMakerJobs

_LIST = "ListTrainingJobsForHyperParameterTuningJob"
_INTERNAL = "InternalServerError"
_OBJECTIVES = (
    "HyperParameterTuningJobConfig.HyperParameterTuningJobObjective",
    "TrainingJobDefinition.TuningObjective",
    "TrainingJobDefinitions[].TuningObjective",
)
"""Where a request may have it; all that are given are of one type."""


class TuningJobs(SageMakerJobs):
    """See JobStep.

    No tuning job is tried again for SageMaker.JOB_INTERNAL_ERROR:
    https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
    """

    errors: Mapping[str, str] = {error: name for error, name in ERRORS.items() if error != _INTERNAL}

    def __init__(self, calls: Calls, clock: Clock) -> None:
        super().__init__(TUNING, calls, clock, metadata="TuningJob")

    async def results(self, job: Job, described: Mapping[str, Any]) -> Mapping[str, Any]:
        """The training jobs with an objective, the best first; raises CallFailed."""
        objective = next(found for path in _OBJECTIVES for found in values_at(described, path))
        parameters = {
            "HyperParameterTuningJobName": described["HyperParameterTuningJobName"],
            "SortBy": "FinalObjectiveMetricValue",
            "SortOrder": "Descending" if objective["Type"] == "Maximize" else "Ascending",
            "MaxResults": SUMMARIES_MAX,
        }
        action = Action("sagemaker", _LIST, f"sagemaker:{_LIST}")
        listed = await self._calls.as_role(caller_for(job), action, parameters)
        return {SUMMARIES: listed[SUMMARIES]}
