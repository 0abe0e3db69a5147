"""What training and tuning jobs have measured, asked as the caller.

The course of a metric is read out of the job's log by the expressions of its definitions, as SageMaker does.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passrole.console.caller import Caller
from passrole.console.plots import Plot, plot
from passrole.console.steps import TRAINING, TUNING, StepLine, job_of
from passrole.faults import Fault
from passrole.services.sagemaker.jobs.metric_definitions import metrics

JOBS_MAX = 50
"""Of how many jobs of an execution the metrics are asked."""
LINES_MAX = 10_000
"""How many lines of each instance's log are searched for metrics, the last ones."""
PLOTTED_MAX = 8
"""Of how many trainings the page of an execution has plots."""
PLOTTED_LINES_MAX = 1_000
LINE_BYTES_MAX = 16_384
CHILDREN_MAX = 100
_LOGS = "/aws/sagemaker/TrainingJobs"
_OBJECTIVE = "FinalHyperParameterTuningJobObjectiveMetric"


@dataclass(frozen=True)
class Measured:
    """The plots of a step's training; `refused` is AWS's sentence where its log may not be read."""

    step: str
    plots: Sequence[Plot]
    refused: str = ""


@dataclass(frozen=True)
class Children:
    """The training jobs of a tuning job, best first; those without a value come last."""

    metric: str
    jobs: Sequence[Mapping[str, Any]]
    count: int
    refused: str = ""


async def measured(caller: Caller, step: StepLine, lines_max: int = LINES_MAX) -> Measured | None:
    """The course of the metrics of a step's training; None of a step that has none."""
    member, name = job_of(step.metadata) or ("", "")
    if member != TRAINING:
        return None
    job = await _described(caller, member, name)
    wanted = job.get("AlgorithmSpecification", {})
    if not wanted.get("MetricDefinitions"):
        return None
    try:
        lines = await _lines(caller, name, lines_max)
    except Fault as fault:
        if not fault.sender:
            raise
        refused = "" if fault.code == "ResourceNotFoundException" else fault.message
        return Measured(step.name, _last_values(job), refused)
    return Measured(step.name, await asyncio.to_thread(_plots, wanted, lines) or _last_values(job))


async def all_measured(caller: Caller, steps: Iterable[StepLine]) -> list[Measured]:
    """The plots of an execution's trainings, of PLOTTED_MAX at most."""
    trainings = [step for step in steps if (job_of(step.metadata) or ("",))[0] == TRAINING][:PLOTTED_MAX]
    found = [await measured(caller, step, PLOTTED_LINES_MAX) for step in trainings]
    return [each for each in found if each is not None and (each.plots or each.refused)]


async def children(caller: Caller, step: StepLine) -> Children | None:
    """What a step's tuning has tried; None of a step of another type."""
    member, name = job_of(step.metadata) or ("", "")
    if member != TUNING:
        return None
    asked = {"HyperParameterTuningJobName": name}
    operation = "ListTrainingJobsForHyperParameterTuningJob"
    try:
        jobs = await caller.every("sagemaker", operation, "TrainingJobSummaries", **asked)
    except Fault as fault:
        if not fault.sender:
            raise
        return Children("", (), 0, fault.message)
    ordered = sorted(jobs, key=_place)
    metric = next((each[_OBJECTIVE]["MetricName"] for each in ordered if _OBJECTIVE in each), "")
    return Children(metric, ordered[:CHILDREN_MAX], len(ordered))


async def final_metrics(caller: Caller, steps: Iterable[StepLine]) -> dict[str, float]:
    """The last value of each metric of the executions' trainings, by `Step.metric`; of a tuning the best."""
    found: dict[str, float] = {}
    for step, member, name in _jobs(steps):
        described = await _described(caller, member, name)
        for each in described.get("FinalMetricDataList", ()):
            found[f"{step}.{each['MetricName']}"] = each["Value"]
        best = described.get("BestTrainingJob", {}).get(_OBJECTIVE)
        if best:
            found[f"{step}.{best['MetricName']}"] = best["Value"]
    return found


def _jobs(steps: Iterable[StepLine]) -> list[tuple[str, str, str]]:
    jobs = ((step, job_of(step.metadata)) for step in steps)
    found = [(step.name, *job) for step, job in jobs if job is not None and job[0] in (TRAINING, TUNING)]
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


async def _lines(caller: Caller, job: str, lines_max: int) -> list[bytes]:
    """What all instances of a training have printed last, in the order of time. Raises Fault."""
    found: list[tuple[int, str]] = []
    streams = await caller.call(
        "logs", "DescribeLogStreams", logGroupName=_LOGS, logStreamNamePrefix=f"{job}/"
    )
    for stream in streams["logStreams"]:
        of = {"logGroupName": _LOGS, "logStreamName": stream["logStreamName"]}
        answer = await caller.call("logs", "GetLogEvents", **of, limit=lines_max)
        found += [(each["timestamp"], each["message"]) for each in answer["events"]]
    return [
        text.encode(errors="replace")[:LINE_BYTES_MAX] for _, text in sorted(found, key=lambda each: each[0])
    ]


def _plots(wanted: Mapping[str, Any], lines: Iterable[bytes]) -> list[Plot]:
    courses: dict[str, list[float]] = {}
    sought = metrics(wanted)
    for line in lines:
        for metric in sought:
            if (value := metric.value(line)) is not None:
                courses.setdefault(metric.name, []).append(value)
    return [plot(metric.name, courses[metric.name]) for metric in sought if metric.name in courses]


def _last_values(job: Mapping[str, Any]) -> list[Plot]:
    return [plot(each["MetricName"], [each["Value"]]) for each in job.get("FinalMetricDataList", ())]


def _place(job: Mapping[str, Any]) -> tuple[bool, float, str]:
    """Best first."""
    value = job.get(_OBJECTIVE)
    if value is None:
        return True, 0.0, job["TrainingJobName"]
    sign = -1 if value["Type"] == "Maximize" else 1
    return False, sign * value["Value"], job["TrainingJobName"]
