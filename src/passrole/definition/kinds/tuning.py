"""Tuning steps.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-tuning
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.properties import Path, Properties
from passrole.definition.step_members import read_job
from passrole.definition.steps import JobStep, Step

SUMMARIES = "TrainingJobSummaries"
SUMMARIES_MAX = 50
"""The SDK's get_top_model_s3_uri takes the best 50 of a tuning job's training jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningStep(JobStep):
    """Runs a tuning job; `arguments` is CreateHyperParameterTuningJob's request."""

    type_: ClassVar[str] = "Tuning"


def _read(node: Node) -> Iterator[Step]:
    yield TuningStep(**read_job(node))


PROPERTIES = Properties(
    members=(
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobArn",
        "HyperParameterTuningJobConfig",
        "TrainingJobDefinition",
        "TrainingJobDefinitions",
        "HyperParameterTuningJobStatus",
        "CreationTime",
        "HyperParameterTuningEndTime",
        "LastModifiedTime",
        "TrainingJobStatusCounters",
        "ObjectiveStatusCounters",
        "BestTrainingJob",
        "OverallBestTrainingJob",
        "WarmStartConfig",
        "Autotune",
        "FailureReason",
        "TuningJobCompletionDetails",
        "ConsumedResources",
        SUMMARIES,
    ),
)
"""DescribeHyperParameterTuningJob's answer, and the training jobs, the best first."""


def _offers(path: Path) -> bool:
    if path[0] == SUMMARIES and len(path) > 1 and isinstance(path[1], int) and path[1] >= SUMMARIES_MAX:
        return False
    return PROPERTIES.has(path)


KIND = Kind(
    step=TuningStep,
    read=_read,
    expressions=lambda step: (step.arguments,),
    offers=lambda _step, path: _offers(path),
    properties=PROPERTIES,
)
