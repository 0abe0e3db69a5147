"""AWS managed policies that passrole ships, each with all its versions and their dates."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

PIPELINES_INTEGRATIONS = "arn:aws:iam::aws:policy/AmazonSageMakerPipelinesIntegrations"
ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"
LAMBDA_BASIC_EXECUTION = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


@dataclass(frozen=True)
class ManagedVersion:
    """One version; `created` in epoch seconds."""

    id: str
    document: Mapping[str, Any]
    created: float


@dataclass(frozen=True)
class ManagedPolicy:
    """A policy of AWS's own; the last version is the default one."""

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
    return {
        arn: _policy(arn) for arn in (PIPELINES_INTEGRATIONS, ADMINISTRATOR_ACCESS, LAMBDA_BASIC_EXECUTION)
    }


def _policy(arn: str) -> ManagedPolicy:
    path, _, name = arn.partition(":policy")[2].rpartition("/")
    data = resources.files("passrole.policy") / "data"
    files = sorted(file.name for file in data.iterdir() if file.name.startswith(f"{name}.v"))
    return ManagedPolicy(arn, name, f"{path}/", tuple(_version((data / file).read_text()) for file in files))


def _version(text: str) -> ManagedVersion:
    raw = json.loads(text)
    created = datetime.fromisoformat(raw["CreateDate"]).timestamp()
    return ManagedVersion(raw["VersionId"], raw["Document"], created)
