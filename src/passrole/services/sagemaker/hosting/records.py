"""Configurations and endpoints as they are stored.

What a fleet serves is kept with it: a configuration, a model or a package that is deleted or changed later
does not change an endpoint.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypedDict

from passrole import arns
from passrole.arns import Account, Location, Region
from passrole.members import without_none
from passrole.store import Collection

Status = Literal["Creating", "Updating", "InService", "Deleting", "Failed"]
CREATING: Status = "Creating"
UPDATING: Status = "Updating"
IN_SERVICE: Status = "InService"
DELETING: Status = "Deleting"
FAILED: Status = "Failed"
IN_PROGRESS = frozenset({CREATING, UPDATING, DELETING})


@dataclass(frozen=True)
class Config:
    """A configuration. `request` is CreateEndpointConfig's in AWS's spelling, without name, role and tags."""

    name: str
    account: Account
    region: Region
    role_arn: str | None
    request: Mapping[str, Any]
    created: float
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The configuration's key in CONFIGS."""
        return Location(self.account, self.region).key(self.name)

    @property
    def arn(self) -> str:
        """The configuration's ARN."""
        return arns.endpoint_config(self.region, self.account, self.name)

    @property
    def variants(self) -> Sequence[Mapping[str, Any]]:
        """Its production variants, as AWS spells them."""
        variants: Sequence[Mapping[str, Any]] = self.request["ProductionVariants"]
        return variants

    def description(self) -> dict[str, Any]:
        """DescribeEndpointConfig's answer."""
        return {
            **self.request,
            "EndpointConfigName": self.name,
            "EndpointConfigArn": self.arn,
            "ProductionVariants": [{"InitialVariantWeight": 1.0, **each} for each in self.variants],
            "EnableNetworkIsolation": self.request.get("EnableNetworkIsolation", False),
            **without_none(ExecutionRoleArn=self.role_arn),
            "CreationTime": self.created,
        }

    def summary(self) -> dict[str, Any]:
        """The configuration as List shows it."""
        return {
            "EndpointConfigName": self.name,
            "EndpointConfigArn": self.arn,
            "CreationTime": self.created,
        }


class Variant(TypedDict):
    """A variant of a fleet. `request` is AWS's ProductionVariant, `containers` are the model's, those of its
    package in place of the package. What is `wanted` is what was asked for last.
    """

    name: str
    request: Mapping[str, Any]
    model: str
    containers: Sequence[Mapping[str, Any]]
    role_arn: str | None
    is_isolated: bool
    weight: float
    weight_wanted: float
    count: int
    count_wanted: int


class Fleet(TypedDict):
    """The model servers of an endpoint under one configuration; `number` counts the endpoint's fleets."""

    number: int
    config: str
    began: float
    variants: Sequence[Variant]


@dataclass(frozen=True)
class Endpoint:
    """An endpoint. `fleet` serves; `coming` is to take its place once all its servers answer.

    `fleets` is how many there were. `deployment` is the DeploymentConfig of the last update. `tokens` are
    hashes, by the container of an instance (credentials.py).
    """

    name: str
    account: Account
    region: Region
    created: float
    modified: float
    status: Status = CREATING
    fleet: Fleet | None = None
    coming: Fleet | None = None
    fleets: int = 0
    failure_reason: str | None = None
    deployment: Mapping[str, Any] | None = None
    tokens: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> Location:
        """Where the endpoint is."""
        return Location(self.account, self.region)

    @property
    def key(self) -> str:
        """The endpoint's key in ENDPOINTS."""
        return self.place.key(self.name)

    @property
    def arn(self) -> str:
        """The endpoint's ARN."""
        return arns.endpoint(self.region, self.account, self.name)

    @property
    def present(self) -> Fleet | None:
        """The fleet that serves; without one, the first, which is still to come."""
        return self.fleet or self.coming

    def description(self) -> dict[str, Any]:
        """DescribeEndpoint's answer. While it is created, an endpoint has no variants yet."""
        present = self.present
        return {
            "EndpointName": self.name,
            "EndpointArn": self.arn,
            **({"EndpointConfigName": present["config"]} if present else {}),
            **({"ProductionVariants": variant_summaries(self.fleet)} if self.fleet else {}),
            "EndpointStatus": self.status,
            **without_none(FailureReason=self.failure_reason, LastDeploymentConfig=self.deployment),
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
            **({"PendingDeploymentSummary": _pending(self.coming)} if self.fleet and self.coming else {}),
        }

    def summary(self) -> dict[str, Any]:
        """The endpoint as List shows it."""
        described = self.description()
        return {name: described[name] for name in _IN_SUMMARIES}


def variant_summaries(fleet: Fleet) -> list[dict[str, Any]]:
    """ProductionVariantSummary of each variant of a fleet that serves."""
    return [
        {
            "VariantName": each["name"],
            "DeployedImages": _images(each, fleet["began"]),
            "CurrentWeight": each["weight"],
            "DesiredWeight": each["weight_wanted"],
            **_capacity(each),
            **without_none(RoutingConfig=each["request"].get("RoutingConfig")),
        }
        for each in fleet["variants"]
    ]


def _capacity(variant: Variant) -> dict[str, Any]:
    serverless = variant["request"].get("ServerlessConfig")
    if serverless:
        return {"CurrentInstanceCount": 0, "CurrentServerlessConfig": serverless}
    return {"CurrentInstanceCount": variant["count"], "DesiredInstanceCount": variant["count_wanted"]}


def _images(variant: Variant, at: float) -> list[dict[str, Any]]:
    """The digest of an image is known only where it is run from, which it need not be here."""
    images = [each["Image"] for each in variant["containers"]]
    return [{"SpecifiedImage": each, "ResolvedImage": each, "ResolutionTime": at} for each in images]


def _pending(fleet: Fleet) -> dict[str, Any]:
    variants = [
        {
            "VariantName": each["name"],
            "DesiredWeight": each["weight_wanted"],
            "DesiredInstanceCount": each["count_wanted"],
            **without_none(InstanceType=each["request"].get("InstanceType")),
        }
        for each in fleet["variants"]
    ]
    return {
        "EndpointConfigName": fleet["config"],
        "ProductionVariants": variants,
        "StartTime": fleet["began"],
    }


class Hosted(NamedTuple):
    """An instance of a variant: of which fleet, and the how manieth from 0."""

    id: str
    fleet: int
    variant: Variant
    number: int


def hosted_of(endpoint: Endpoint, fleet: Fleet) -> Iterator[Hosted]:
    """The instances that a fleet has, or is to have."""
    for variant in fleet["variants"]:
        for number in range(max(variant["count"], variant["count_wanted"])):
            name = f"{endpoint.key}/{endpoint.created}/{fleet['number']}/{variant['name']}/{number}"
            digest = hashlib.sha256(name.encode()).hexdigest()
            yield Hosted(f"i-0{digest[:16]}", fleet["number"], variant, number)


def place_of(endpoint: Endpoint, fleet: int, variant: str) -> str:
    """What the servers of a variant are found by: the endpoint, the fleet's number, the name.

    An endpoint that is made again under its name is another one, whose fleets have the same numbers.
    """
    return f"{endpoint.key}/{endpoint.created}/{fleet}/{variant}"


def log_group(name: str) -> str:
    """Where the servers of the endpoint of this name write their logs."""
    return f"/aws/sagemaker/Endpoints/{name}"


_IN_SUMMARIES = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
CONFIGS = Collection("endpoint-config", Config)
ENDPOINTS = Collection("endpoint", Endpoint)
