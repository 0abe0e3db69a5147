"""The training jobs of a tuning job: who they are, what they try, and what the tuning job tells of them.

Each is a training job like all others, and a row beside it says its number and what it was given. Both are
written in one transaction, so that no crash leaves half of one, and none is made twice.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from passrole.arns import Account, Region
from passrole.services.sagemaker.jobs import states
from passrole.services.sagemaker.jobs.kinds import TRAINING
from passrole.services.sagemaker.jobs.records import FAILED, STOPPING, Job
from passrole.store import Collection, Tx
from passrole.tuning import Chosen, Definition, Trial, Tuning, best, not_improving, read_request

OBJECTIVE = "_tuning_objective_metric"
"""The hyperparameter by which AWS tells a program what it is judged by."""

_KEPT = (
    *("InputDataConfig", "OutputDataConfig", "StoppingCondition", "Environment", "RetryStrategy"),
    *("VpcConfig", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption"),
    *("EnableManagedSpotTraining", "AlgorithmSpecification", "CheckpointConfig"),
)
"""The members of a definition that a training job has under the same name."""


@dataclass(frozen=True)
class Child:
    """A document of the store, below its tuning job. `definition` is the place of what it is made of."""

    name: str
    number: int
    definition: int
    values: Mapping[str, str]


CHILDREN = Collection("tuning-child", Child)


class Family(NamedTuple):
    """A tuning job with its training jobs, by number."""

    job: Job
    tuning: Tuning
    children: Sequence[tuple[Child, Job]]

    @property
    def trials(self) -> list[Trial]:
        """What was tried."""
        return [_trial(child, job, self.tuning.definitions[child.definition]) for child, job in self.children]


def tuning_of(job: Job) -> Tuning:
    """What a stored tuning job asks for. Without RandomSeed, each job has a seed of its own."""
    return read_request(job.request, f"{job.arn}/{job.created}")


def family_of(tx: Tx, job: Job) -> Family:
    """A tuning job and its training jobs."""
    children = [child for _, child in CHILDREN.children(tx, job.key)]
    jobs = [(child, TRAINING.collection.get(tx, _key(job, child.name))) for child in children]
    found = [(child, each) for child, each in jobs if each is not None]
    return Family(job, tuning_of(job), sorted(found, key=lambda one: one[0].number))


def add(tx: Tx, family: Family, chosen: Chosen, now: float) -> tuple[Child, Job]:
    """Make the next training job: its rows, and its task."""
    job, tuning = family.job, family.tuning
    number = len(family.children) + 1
    child = Child(_name(job, tuning, number), number, chosen.definition, chosen.values)
    definition = tuning.definitions[chosen.definition]
    made = Job(
        name=child.name,
        account=Account(job.account),
        region=Region(job.region),
        arn=TRAINING.arn(Region(job.region), Account(job.account), child.name),
        role_arn=definition.request["RoleArn"],
        request=request_of(definition, chosen.values, child.name),
        created=now,
        modified=now,
        tags=job.tags,
        results={states.TUNING_JOB: job.arn},
        watched=definition.metric if tuning.watches else None,
    )
    if not states.created(tx, TRAINING, made):
        raise RuntimeError(f"there is a training job {child.name} that no tuning job has made")
    CHILDREN.put(tx, CHILDREN.child(job.key, child.name), child)
    return child, made


def request_of(definition: Definition, values: Mapping[str, str], name: str) -> dict[str, Any]:
    """The request of CreateTrainingJob for a training job of a definition."""
    given = definition.request
    request = {member: given[member] for member in _KEPT if member in given}
    if "S3Uri" in (given.get("CheckpointConfig") or {}):
        # each job has a folder of its own: no job may go on where another one was
        uri = f"{given['CheckpointConfig']['S3Uri'].rstrip('/')}/{name}"
        request["CheckpointConfig"] = {**given["CheckpointConfig"], "S3Uri": uri}
    static = given.get("StaticHyperParameters") or {}
    request["HyperParameters"] = {**static, **values, OBJECTIVE: definition.metric}
    return {**request, "ResourceConfig": _resources(given)}


def results(family: Family, now: float) -> dict[str, Any]:
    """What DescribeHyperParameterTuningJob tells of the training jobs."""
    trials, tuning = family.trials, family.tuning
    statuses, objectives = (
        Counter(each.status for each in trials),
        Counter(each.objective_status for each in trials),
    )
    found = {
        "TrainingJobStatusCounters": {
            "Completed": statuses["Completed"],
            "InProgress": statuses["InProgress"],
            "RetryableError": 0,
            "NonRetryableError": statuses["Failed"],
            "Stopped": statuses["Stopped"],
        },
        "ObjectiveStatusCounters": {name: objectives[name] for name in ("Succeeded", "Pending", "Failed")},
        "TuningJobCompletionDetails": {
            "NumberOfTrainingJobsObjectiveNotImproving": not_improving(tuning, trials)
        },
        "ConsumedResources": {"RuntimeInSeconds": int(now - family.job.created)},
    }
    top = best(trials, is_maximised=tuning.is_maximised)
    if top is not None:
        child, job = family.children[top.number - 1]
        found["BestTrainingJob"] = summary(family, child, job)
    return found


def summary(family: Family, child: Child, job: Job) -> dict[str, Any]:
    """A training job as its tuning job lists it."""
    definition = family.tuning.definitions[child.definition]
    trial = _trial(child, job, definition)
    members = {
        "TrainingJobDefinitionName": definition.name,
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "CreationTime": job.created,
        "TrainingStartTime": job.started,
        "TrainingEndTime": job.ended,
        "TrainingJobStatus": job.status,
        "TunedHyperParameters": child.values,
        "FailureReason": job.failure_reason,
        "FinalHyperParameterTuningJobObjectiveMetric": None
        if trial.objective is None
        else {
            "Type": "Maximize" if family.tuning.is_maximised else "Minimize",
            "MetricName": definition.metric,
            "Value": trial.objective,
        },
        "ObjectiveStatus": trial.objective_status,
    }
    return {name: value for name, value in members.items() if value is not None}


def with_results(family: Family, now: float) -> Job:
    """The tuning job with what is told of its training jobs."""
    return replace(family.job, results=results(family, now), modified=now)


def _trial(child: Child, job: Job, definition: Definition) -> Trial:
    measured: Iterable[Mapping[str, Any]] = job.results.get(states.METRICS, ())
    values = [each["Value"] for each in measured if each["MetricName"] == definition.metric]
    return Trial(
        number=child.number,
        definition=child.definition,
        values=child.values,
        status=job.status if job.has_ended else "InProgress",
        objective=values[0] if values and job.status != FAILED else None,
        course=job.course,
        ended=job.ended or 0.0,
        is_stopping=job.status == STOPPING,
    )


def _name(job: Job, tuning: Tuning, number: int) -> str:
    """As about sixty names in public notebooks have it: `<tuning job>-002-dbc3348a`."""
    drawn = hashlib.sha256(f"{job.arn}/{tuning.seed}/{number}".encode()).hexdigest()
    return f"{job.name}-{number:03d}-{drawn[:8]}"


def _key(job: Job, name: str) -> str:
    return f"{job.key.rpartition('/')[0]}/{name}"


def _resources(given: Mapping[str, Any]) -> dict[str, Any]:
    """ResourceConfig, or HyperParameterTuningResourceConfig with the first of its instance types."""
    if given.get("ResourceConfig"):
        return dict(given["ResourceConfig"])
    flexible = given.get("HyperParameterTuningResourceConfig") or {}
    first: Mapping[str, Any] = next(iter(flexible.get("InstanceConfigs") or ()), {})
    members = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
    return {name: each[name] for name in members for each in (flexible, first) if name in each}
