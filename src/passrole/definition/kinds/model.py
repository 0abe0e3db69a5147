"""Model steps.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-model
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.properties import Properties
from passrole.definition.step_members import read_creation
from passrole.definition.steps import CreationStep, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStep(CreationStep):
    """Creates a model; `arguments` is CreateModel's request."""

    type_: ClassVar[str] = "Model"


def _read(node: Node) -> Iterator[Step]:
    yield ModelStep(**read_creation(node))


PROPERTIES = Properties(
    members=(
        "ModelName",
        "PrimaryContainer",
        "Containers",
        "InferenceExecutionConfig",
        "ExecutionRoleArn",
        "VpcConfig",
        "CreationTime",
        "ModelArn",
        "EnableNetworkIsolation",
        "DeploymentRecommendation",
    ),
)
"""DescribeModel's answer."""

KIND = Kind(
    step=ModelStep,
    read=_read,
    expressions=lambda step: (step.arguments,),
    offers=lambda _step, path: PROPERTIES.has(path),
    properties=PROPERTIES,
)
