"""What training and tuning jobs have measured, asked as the caller."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from passrole.console.caller import Caller
from passrole.console.steps import StepLine
from passrole.faults import Fault

JOBS_MAX = 50
"""Of how many jobs of an execution the metrics are asked."""
_TRAINING, _TUNING = "TrainingJob", "HyperParameterTuningJob"
_MEMBERS: Final = {_TRAINING: _TRAINING, "TuningJob": _TUNING}
"""How the metadata of a step name its job, and what SageMaker calls it."""


async def final_metrics(caller: Caller, steps: Iterable[StepLine]) -> dict[str, float]:
    """The last value of each metric of the executions' trainings, by `Step.metric`; of a tuning the best."""
    found: dict[str, float] = {}
    for step, member, name in _jobs(steps):
        described = await _described(caller, member, name)
        for each in described.get("FinalMetricDataList", ()):
            found[f"{step}.{each['MetricName']}"] = each["Value"]
        best = described.get("BestTrainingJob", {}).get("FinalHyperParameterTuningJobObjectiveMetric")
        if best:
            found[f"{step}.{best['MetricName']}"] = best["Value"]
    return found


def job_of(step: StepLine) -> tuple[str, str] | None:
    """What SageMaker calls the kind of the step's training or tuning job, and the job's name."""
    for member, named in _MEMBERS.items():
        arn = step.metadata.get(member, {}).get("Arn")
        if isinstance(arn, str):
            return named, arn.rpartition("/")[2]
    return None


def _jobs(steps: Iterable[StepLine]) -> list[tuple[str, str, str]]:
    found = [(step.name, *job) for step in steps if (job := job_of(step)) is not None]
    return found[:JOBS_MAX]


async def _described(caller: Caller, member: str, name: str) -> Mapping[str, Any]:
    """Nothing of a job that the caller may not see, or that is gone."""
    asked = {f"{member}Name": name}
    if await caller.refusal("sagemaker", f"Describe{member}", **asked) is not None:
        return {}
    try:
        return await caller.call("sagemaker", f"Describe{member}", **asked)
    except Fault as fault:
        if not fault.sender:
            raise
        return {}
