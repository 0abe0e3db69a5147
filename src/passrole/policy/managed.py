"""AWS managed policies shipped with passrole: all versions of the one for pipelines, the current ones of
others.

The others are commonly attached to roles of functions, pipelines, clusters and related services. The
documents are AWS's own, one file for each version under `data/`, in the form of GetPolicyVersion's response.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Final

_PREFIX: Final = "arn:aws:iam::aws:policy/"

PIPELINES_INTEGRATIONS: Final = "arn:aws:iam::aws:policy/AmazonSageMakerPipelinesIntegrations"
ADMINISTRATOR_ACCESS: Final = "arn:aws:iam::aws:policy/AdministratorAccess"
SAGEMAKER_FULL_ACCESS: Final = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
LAMBDA_BASIC_EXECUTION: Final = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
LAMBDA_SQS_EXECUTION: Final = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"


@dataclass(frozen=True)
class ManagedVersion:
    """One version; `created` in epoch seconds."""

    id: str
    document: Mapping[str, object]
    created: float


@dataclass(frozen=True)
class ManagedPolicy:
    """A policy of AWS's own; `path` begins and ends with a slash."""

    arn: str
    name: str
    path: str
    versions: tuple[ManagedVersion, ...]

    @property
    def default(self) -> ManagedVersion:
        """The default version, which attaching the policy grants."""
        return self.versions[-1]


@cache
def policies() -> Mapping[str, ManagedPolicy]:
    """All shipped policies by ARN."""
    return {f"{_PREFIX}{name}": _policy(f"{_PREFIX}{name}", ids) for name, ids in _VERSIONS.items()}


def _policy(arn: str, ids: tuple[str, ...]) -> ManagedPolicy:
    path, _, name = arn.partition(":policy")[2].rpartition("/")
    return ManagedPolicy(arn, name, f"{path}/", tuple(_version(name, version) for version in ids))


def _version(name: str, version: str) -> ManagedVersion:
    file = resources.files("passrole.policy") / "data" / f"{name}.{version}.json"
    raw = json.loads(file.read_text(encoding="utf-8"))
    created = datetime.fromisoformat(raw["CreateDate"]).timestamp()
    return ManagedVersion(raw["VersionId"], raw["Document"], created)


# By path and name; the last version is the default.
_VERSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "AdministratorAccess": ("v1",),
    "AmazonSageMakerPipelinesIntegrations": ("v1", "v2", "v3"),
    "service-role/AWSLambdaBasicExecutionRole": ("v1",),
    "service-role/AWSLambdaSQSQueueExecutionRole": ("v1",),
    "AmazonEC2ContainerRegistryReadOnly": ("v3",),
    "service-role/AmazonEC2ContainerServiceforEC2Role": ("v7",),
    "service-role/AmazonEC2ContainerServiceRole": ("v2",),
    "service-role/AmazonECSTaskExecutionRolePolicy": ("v1",),
    "service-role/AmazonElasticMapReduceforAutoScalingRole": ("v1",),
    "service-role/AmazonElasticMapReduceforEC2Role": ("v3",),
    "AmazonElasticMapReduceFullAccess": ("v7",),
    "service-role/AmazonElasticMapReduceRole": ("v10",),
    "service-role/AmazonEMRServicePolicy_v2": ("v6",),
    "AmazonEventBridgeFullAccess": ("v7",),
    "AmazonS3FullAccess": ("v2",),
    "AmazonS3ReadOnlyAccess": ("v3",),
    "AmazonSageMakerFullAccess": ("v29",),
    "AmazonSageMakerModelGovernanceUseAccess": ("v3",),
    "AmazonSageMakerModelRegistryFullAccess": ("v2",),
    "AmazonSageMakerReadOnly": ("v11",),
    "AmazonSQSFullAccess": ("v1",),
    "service-role/AWSGlueServiceRole": ("v5",),
    "AWSLambda_FullAccess": ("v5",),
    "service-role/AWSLambdaDynamoDBExecutionRole": ("v1",),
    "service-role/AWSLambdaKinesisExecutionRole": ("v2",),
    "service-role/AWSLambdaMSKExecutionRole": ("v2",),
    "service-role/AWSLambdaRole": ("v1",),
    "service-role/AWSLambdaVPCAccessExecutionRole": ("v3",),
    "AWSXRayDaemonWriteAccess": ("v2",),
    "CloudWatchLogsFullAccess": ("v8",),
    "CloudWatchLogsReadOnlyAccess": ("v12",),
    "service-role/ComprehendDataAccessRolePolicy": ("v1",),
    "ComprehendFullAccess": ("v2",),
    "IAMReadOnlyAccess": ("v4",),
    "PowerUserAccess": ("v12",),
    "ReadOnlyAccess": ("v178",),
    "SecretsManagerReadWrite": ("v5",),
}
