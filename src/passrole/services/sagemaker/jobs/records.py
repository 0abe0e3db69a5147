"""A job as it is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from passrole.arns import Account, Location, Region

IN_PROGRESS, STOPPING = "InProgress", "Stopping"
COMPLETED, FAILED, STOPPED = "Completed", "Failed", "Stopped"
ENDED = frozenset({COMPLETED, FAILED, STOPPED})


@dataclass(frozen=True)
class Job:
    """A document of the store, in the collection of its kind.

    `request` is the Create request in AWS's spelling, without name, role and tags. `secondary` is the phase,
    `transitions` are SecondaryStatusTransitions with times in epoch seconds. `results` are members of the
    description that only a run produces, such as FinalMetricDataList. `served` are the containers of the
    model of a transform job, as they were when it was created; they have no network where `is_isolated`.
    `tokens` are hashes, by instance (credentials.py).

    A training job of a tuning job has TuningJobArn among its results. Where the tuning job may stop it early,
    `watched` is the metric of its objective, and `course` the values of that which it has printed, in order.
    `ending` is how a tuning job will end, once its training jobs have: Status, and Reason where it failed.
    """

    name: str
    account: Account
    region: Region
    arn: str
    role_arn: str
    request: Mapping[str, Any]
    created: float
    modified: float
    status: str = IN_PROGRESS
    secondary: str = ""
    transitions: Sequence[Mapping[str, Any]] = ()
    started: float | None = None
    ended: float | None = None
    failure_reason: str | None = None
    exit_message: str | None = None
    results: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    tokens: Mapping[str, str] = field(default_factory=dict)
    served: Sequence[Mapping[str, Any]] = ()
    is_isolated: bool = False
    watched: str | None = None
    course: Sequence[float] = ()
    ending: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The job's key in its collection, and in the list of tasks."""
        return Location(self.account, self.region).key(self.name)

    @property
    def has_ended(self) -> bool:
        """Whether the status is Completed, Failed or Stopped."""
        return self.status in ENDED
