"""Transform steps.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-transform
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.properties import Properties
from passrole.definition.step_members import read_job
from passrole.definition.steps import JobStep, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformStep(JobStep):
    """Runs a transform job; `arguments` is CreateTransformJob's request."""

    type_: ClassVar[str] = "Transform"


def _read(node: Node) -> Iterator[Step]:
    yield TransformStep(**read_job(node))


PROPERTIES = Properties(
    members=(
        "TransformJobName",
        "TransformJobArn",
        "TransformJobStatus",
        "FailureReason",
        "ModelName",
        "MaxConcurrentTransforms",
        "ModelClientConfig",
        "MaxPayloadInMB",
        "BatchStrategy",
        "Environment",
        "TransformInput",
        "TransformOutput",
        "DataCaptureConfig",
        "TransformResources",
        "CreationTime",
        "TransformStartTime",
        "TransformEndTime",
        "LabelingJobArn",
        "AutoMLJobArn",
        "DataProcessing",
        "ExperimentConfig",
    ),
)
"""DescribeTransformJob's answer."""

KIND = Kind(
    step=TransformStep,
    read=_read,
    expressions=lambda step: (step.arguments,),
    offers=lambda step, path: PROPERTIES.has(path, step.arguments),
    properties=PROPERTIES,
)
