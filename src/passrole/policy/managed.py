"""AWS managed policies that passrole ships: that of pipelines with all its versions, others as they are now.

The others are those that people attach to the roles of their functions and of their pipelines. The
documents are AWS's own, one file per version under `data/`, in the form GetPolicyVersion answers.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Final

PIPELINES_INTEGRATIONS: Final = "arn:aws:iam::aws:policy/AmazonSageMakerPipelinesIntegrations"
ADMINISTRATOR_ACCESS: Final = "arn:aws:iam::aws:policy/AdministratorAccess"
LAMBDA_BASIC_EXECUTION: Final = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"

LAMBDA_SQS_EXECUTION: Final = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"

# The newest version last; it is the default one.
_VERSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    PIPELINES_INTEGRATIONS: ("v1", "v2", "v3"),
    ADMINISTRATOR_ACCESS: ("v1",),
    LAMBDA_BASIC_EXECUTION: ("v1",),
    LAMBDA_SQS_EXECUTION: ("v1",),
    "arn:aws:iam::aws:policy/AWSLambda_FullAccess": ("v5",),
    "arn:aws:iam::aws:policy/AmazonS3FullAccess": ("v2",),
    "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess": ("v3",),
    "arn:aws:iam::aws:policy/AmazonSQSFullAccess": ("v1",),
    # The EMR default roles' policies: `aws emr create-default-roles` attaches them.
    "arn:aws:iam::aws:policy/service-role/AmazonElasticMapReduceRole": ("v10",),
    "arn:aws:iam::aws:policy/service-role/AmazonElasticMapReduceforEC2Role": ("v3",),
    "arn:aws:iam::aws:policy/service-role/AmazonElasticMapReduceforAutoScalingRole": ("v1",),
}


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
        """What attaching it grants."""
        return self.versions[-1]


@cache
def policies() -> Mapping[str, ManagedPolicy]:
    """All of them by ARN."""
    return {arn: _policy(arn, ids) for arn, ids in _VERSIONS.items()}


def _policy(arn: str, ids: tuple[str, ...]) -> ManagedPolicy:
    path, _, name = arn.partition(":policy")[2].rpartition("/")
    return ManagedPolicy(arn, name, f"{path}/", tuple(_version(name, version) for version in ids))


def _version(name: str, version: str) -> ManagedVersion:
    file = resources.files("passrole.policy") / "data" / f"{name}.{version}.json"
    raw = json.loads(file.read_text(encoding="utf-8"))
    created = datetime.fromisoformat(raw["CreateDate"]).timestamp()
    return ManagedVersion(raw["VersionId"], raw["Document"], created)
