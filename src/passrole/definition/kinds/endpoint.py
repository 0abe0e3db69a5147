"""Endpoint steps, as the SDKs write them; AWS's guide has no section on them.

https://github.com/aws/sagemaker-python-sdk
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
class EndpointStep(JobStep):
    """Creates an endpoint, or updates the one of that name, and waits until it is in service; `arguments` is
    CreateEndpoint's request.
    """

    type_: ClassVar[str] = "Endpoint"


def _read(node: Node) -> Iterator[Step]:
    yield EndpointStep(**read_job(node))


PROPERTIES = Properties(
    members=(
        "EndpointName",
        "EndpointArn",
        "EndpointConfigName",
        "ProductionVariants",
        "DataCaptureConfig",
        "EndpointStatus",
        "FailureReason",
        "CreationTime",
        "LastModifiedTime",
        "LastDeploymentConfig",
        "AsyncInferenceConfig",
        "PendingDeploymentSummary",
        "ExplainerConfig",
        "ShadowProductionVariants",
        "MetricsConfig",
    ),
    lists=(NamedList(("ProductionVariants",), "VariantName", is_requested=False),),
)
"""DescribeEndpoint's answer."""

KIND = Kind(
    step=EndpointStep,
    read=_read,
    expressions=lambda step: (step.arguments,),
    offers=lambda _step, path: PROPERTIES.has(path),
    properties=PROPERTIES,
)
