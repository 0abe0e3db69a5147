"""Training steps.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-training
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.properties import NamedList, Properties
from passrole.definition.step_members import read_job
from passrole.definition.steps import JobStep, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStep(JobStep):
    """Runs a training job; `arguments` is CreateTrainingJob's request."""

    type_: ClassVar[str] = "Training"


def _read(node: Node) -> Iterator[Step]:
    yield TrainingStep(**read_job(node))


PROPERTIES = Properties(
    members=(
        "TrainingJobName",
        "TrainingJobArn",
        "TuningJobArn",
        "LabelingJobArn",
        "AutoMLJobArn",
        "ModelArtifacts",
        "TrainingJobStatus",
        "SecondaryStatus",
        "FailureReason",
        "HyperParameters",
        "AlgorithmSpecification",
        "RoleArn",
        "InputDataConfig",
        "OutputDataConfig",
        "ResourceConfig",
        "WarmPoolStatus",
        "VpcConfig",
        "StoppingCondition",
        "CreationTime",
        "TrainingStartTime",
        "TrainingEndTime",
        "LastModifiedTime",
        "SecondaryStatusTransitions",
        "FinalMetricDataList",
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
        "EnableManagedSpotTraining",
        "CheckpointConfig",
        "TrainingTimeInSeconds",
        "BillableTimeInSeconds",
        "BillableTokenCount",
        "DebugHookConfig",
        "ExperimentConfig",
        "DebugRuleConfigurations",
        "TensorBoardOutputConfig",
        "DebugRuleEvaluationStatuses",
        "ProfilerConfig",
        "ProfilerRuleConfigurations",
        "ProfilerRuleEvaluationStatuses",
        "ProfilingStatus",
        "Environment",
        "RetryStrategy",
        "RemoteDebugConfig",
        "InfraCheckConfig",
        "ServerlessJobConfig",
        "MlflowConfig",
        "ModelPackageConfig",
        "MlflowDetails",
        "ProgressInfo",
        "OutputModelPackageArn",
    ),
    lists=(
        NamedList(("FinalMetricDataList",), "MetricName", is_requested=False),
        NamedList(("InputDataConfig",), "ChannelName"),
    ),
)
"""DescribeTrainingJob's answer."""

KIND = Kind(
    step=TrainingStep,
    read=_read,
    expressions=lambda step: (step.arguments,),
    offers=lambda step, path: PROPERTIES.has(path, step.arguments),
    properties=PROPERTIES,
)
