"""RegisterModel steps.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-register-model
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
class RegisterModelStep(CreationStep):
    """Creates a package in the model registry; `arguments` is CreateModelPackage's request."""

    type_: ClassVar[str] = "RegisterModel"


def _read(node: Node) -> Iterator[Step]:
    yield RegisterModelStep(**read_creation(node))


PROPERTIES = Properties(
    members=(
        "ModelPackageName",
        "ModelPackageGroupName",
        "ModelPackageVersion",
        "ModelPackageRegistrationType",
        "ModelPackageArn",
        "ModelPackageDescription",
        "CreationTime",
        "InferenceSpecification",
        "SourceAlgorithmSpecification",
        "ValidationSpecification",
        "ModelPackageStatus",
        "ModelPackageStatusDetails",
        "CertifyForMarketplace",
        "ModelApprovalStatus",
        "CreatedBy",
        "MetadataProperties",
        "ModelMetrics",
        "LastModifiedTime",
        "LastModifiedBy",
        "ApprovalDescription",
        "Domain",
        "Task",
        "SamplePayloadUrl",
        "CustomerMetadataProperties",
        "DriftCheckBaselines",
        "AdditionalInferenceSpecifications",
        "SkipModelValidation",
        "SourceUri",
        "SecurityConfig",
        "ModelCard",
        "ModelLifeCycle",
        "ManagedStorageType",
    ),
)
"""DescribeModelPackage's answer."""

KIND = Kind(
    step=RegisterModelStep,
    read=_read,
    expressions=lambda step: (step.arguments,),
    offers=lambda _step, path: PROPERTIES.has(path),
    properties=PROPERTIES,
)
