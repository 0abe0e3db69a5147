"""Clusters and their steps as they are kept, and how a call finds the one that it means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from passrole import arns
from passrole.arns import Account, Region, resource_key
from passrole.policy.request import Values
from passrole.policy.request_keys import resource_tag_keys
from passrole.services.context import Context
from passrole.services.emr import refusals
from passrole.services.operation import Parameters
from passrole.services.tags import TAGS_MAX, TagRules
from passrole.store import Collection, Tx

CHANNEL = "emr-clusters"
"""Its notices are keys of clusters for which there is something to do."""

_STEPS_AT_ONCE = 64

ACCEPTING = ("STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING")
OVER = ("TERMINATED", "TERMINATED_WITH_ERRORS")
STEP_OVER = ("COMPLETED", "CANCELLED", "FAILED", "INTERRUPTED")

TAGS = TagRules(
    reserved=refusals.invalid_request,
    too_many=lambda _, __: refusals.invalid_request(f"A resource can have {TAGS_MAX} tags at most."),
    prefixes=("aws", "elasticmapreduce"),
)


@dataclass(frozen=True)
class Cluster:
    """A cluster. Times are epoch seconds; `asked` holds the members of RunJobFlow that are only shown again.

    `service_role` and `instance_role` are ARNs; the latter is the role inside the instance profile.
    `instance` is the id of the one instance that every cluster here has. `request` is the id of the call
    that made it.
    """

    account: Account
    region: Region
    id: str
    name: str
    created: float
    service_role: str
    instance_role: str
    instance: str
    request: str
    asked: Mapping[str, Any] = field(default_factory=dict)
    state: str = "STARTING"
    reason: str = ""
    message: str = ""
    ready: float | None = None
    ended: float | None = None
    idle_since: float | None = None
    keep_alive: bool = False
    protected: bool = False
    concurrency: int = 1
    idle_seconds: int | None = None
    step_role: str | None = None
    bootstrap: Sequence[Mapping[str, Any]] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The cluster's key in the store."""
        return resource_key(self.account, self.region, self.id)

    @property
    def arn(self) -> str:
        """The cluster's ARN."""
        return arns.cluster(self.region, self.account, self.id)

    @property
    def log_uri(self) -> str | None:
        """Where logs are kept in S3, without a slash at the end."""
        uri = self.asked.get("LogUri")
        return str(uri).rstrip("/") if uri else None


@dataclass(frozen=True)
class EmrStep:
    """A step of a cluster (its key). `number` counts the cluster's steps in the order of their submission.

    `interrupted` is how the step was asked to end, SIGTERM or SIGKILL; `details` are AWS's FailureDetails.
    By `token` its program gets the credentials of its role (credentials.py).
    """

    cluster: str
    id: str
    number: int
    name: str
    on_failure: str
    created: float
    jar: str
    args: Sequence[str] = ()
    main_class: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    role: str | None = None
    request: str = ""
    state: str = "PENDING"
    message: str = ""
    started: float | None = None
    ended: float | None = None
    interrupted: str | None = None
    token: str = ""
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The step's key in the store, in the order of submission."""
        return STEPS.child(self.cluster, f"{self.number:06d}")


@dataclass(frozen=True)
class SecurityConfiguration:
    """A named document (JSON text) that clusters refer to."""

    name: str
    document: str
    created: float


@dataclass(frozen=True)
class ActiveStep:
    """Says that the step under the same key is not over: so a cluster's active steps are found by their
    number, and not by how many it ever had.
    """


CLUSTERS = Collection("emr-cluster", Cluster)
STEPS = Collection("emr-step", EmrStep)
ACTIVE_STEPS = Collection("emr-active-step", ActiveStep)
SECURITY_CONFIGURATIONS = Collection("emr-security-configuration", SecurityConfiguration)


def steps_of(tx: Tx, cluster: str) -> list[EmrStep]:
    """A cluster's steps in the order of their submission."""
    return [step for _, step in STEPS.children(tx, cluster)]


def find_step(tx: Tx, cluster: str, step_id: str) -> EmrStep | None:
    """A cluster's step by its id, if there is one; the newest, which most calls mean, are read first."""
    after = ""
    while found := STEPS.children(tx, cluster, after=after, limit=_STEPS_AT_ONCE, descending=True):
        for _, step in found:
            if step.id == step_id:
                return step
        after = found[-1][0]
    return None


def active_steps(tx: Tx, cluster: str) -> list[EmrStep]:
    """A cluster's steps that are not over, in the order of their submission."""
    found = (STEPS.get(tx, key) for key, _ in ACTIVE_STEPS.children(tx, cluster))
    return [step for step in found if step is not None]


def put_step(tx: Tx, step: EmrStep) -> None:
    """Store a step in its present state."""
    STEPS.put(tx, step.key, step)
    if step.state in STEP_OVER:
        ACTIVE_STEPS.delete(tx, step.key)
    else:
        ACTIVE_STEPS.put(tx, step.key, ActiveStep())


def job_flow(tx: Tx, ctx: Context, cluster_id: str) -> Cluster:
    """The cluster that the older operations call a job flow. Raises ValidationException."""
    return CLUSTERS.require(tx, ctx.key(cluster_id), refusals.no_job_flow)


def existing(tx: Tx, ctx: Context, cluster_id: str) -> Cluster:
    """The cluster. Raises InvalidRequestException."""
    return CLUSTERS.require(tx, ctx.key(cluster_id), lambda: refusals.no_cluster(cluster_id))


def the_cluster(ctx: Context, parameters: Parameters) -> str:
    """The ARN of the cluster in the call, whether it exists or not."""
    return arns.cluster(ctx.region, ctx.account, cluster_id_of(parameters))


async def cluster_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The condition keys that come from the tags of the cluster in the call."""
    key = ctx.key(cluster_id_of(parameters))
    cluster = await ctx.store.read(lambda tx: CLUSTERS.get(tx, key))
    return resource_tag_keys(cluster.tags, TAGS.prefixes) if cluster else {}


def cluster_id_of(parameters: Parameters) -> str:
    """The id that the call names, under whichever name the operation has for it."""
    for name in ("cluster_id", "job_flow_id", "resource_id"):
        if parameters.get(name):
            return str(parameters[name])
    return "*"
