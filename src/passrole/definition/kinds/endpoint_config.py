"""EndpointConfig steps, as the SDKs write them; AWS's guide has no section on them.

https://github.com/aws/sagemaker-python-sdk
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.properties import NamedList, Properties
from passrole.definition.step_members import read_cache, read_creation
from passrole.definition.steps import CreationStep, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfigStep(CreationStep):
    """Creates a configuration of endpoints; `arguments` is CreateEndpointConfig's request."""

    type_: ClassVar[str] = "EndpointConfig"


def _read(node: Node) -> Iterator[Step]:
    """SDKs may write a CacheConfig; AWS names nothing that would be compared, so it does nothing."""
    read_cache(node)
    yield EndpointConfigStep(**read_creation(node))


PROPERTIES = Properties(
    members=(
        "EndpointConfigName",
        "EndpointConfigArn",
        "ProductionVariants",
        "DataCaptureConfig",
        "KmsKeyId",
        "CreationTime",
        "AsyncInferenceConfig",
        "ExplainerConfig",
        "ShadowProductionVariants",
        "ExecutionRoleArn",
        "VpcConfig",
        "EnableNetworkIsolation",
        "MetricsConfig",
    ),
    lists=(NamedList(("ProductionVariants",), "VariantName"),),
)
"""DescribeEndpointConfig's answer."""

KIND = Kind(
    step=EndpointConfigStep,
    read=_read,
    expressions=lambda step: (step.arguments,),
    offers=lambda step, path: PROPERTIES.has(path, step.arguments),
    properties=PROPERTIES,
)
