"""The training jobs that the tuning steps of an execution run, as AWS lists them."""

from collections.abc import Iterable, Mapping
from typing import Any

from passrole.client.connection import Client
from passrole.client.listing import Summary, pages

_OBJECTIVE = "FinalHyperParameterTuningJobObjectiveMetric"


def training_jobs(sagemaker: Client, steps: Iterable[Summary]) -> dict[str, list[Summary]]:
    """TrainingJobSummaries by step, the best first; those without an objective follow, the oldest first.

    `steps` are those of ListPipelineExecutionSteps. Raises ClientError.
    """
    arns = {step["StepName"]: _tuning_job(step) for step in steps}
    return {name: _best_first(sagemaker, arn) for name, arn in arns.items() if arn is not None}


def objective(job: Summary) -> tuple[str, float] | None:
    """The name of a training job's objective and its value; None where it has none yet."""
    found: Mapping[str, Any] | None = job.get(_OBJECTIVE)
    return None if found is None else (found["MetricName"], found["Value"])


def _tuning_job(step: Summary) -> str | None:
    found: str | None = step.get("Metadata", {}).get("TuningJob", {}).get("Arn")
    return found


def _best_first(sagemaker: Client, arn: str) -> list[Summary]:
    listed = pages(
        sagemaker,
        "list_training_jobs_for_hyper_parameter_tuning_job",
        "TrainingJobSummaries",
        HyperParameterTuningJobName=arn.rpartition("/")[2],
        SortBy="CreationTime",
        SortOrder="Ascending",
    )
    return sorted(listed, key=_rank)


def _rank(job: Summary) -> tuple[bool, float]:
    found = job.get(_OBJECTIVE)
    if found is None:
        return True, 0.0
    return False, -found["Value"] if found.get("Type") == "Maximize" else found["Value"]
