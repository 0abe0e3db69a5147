"""Groups and schedules as they are kept, and how a call finds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from passrole import arns
from passrole.arns import Account, Region, resource_key
from passrole.services.context import Context
from passrole.services.operation import Parameters
from passrole.services.scheduler import refusals
from passrole.store import Collection, Tx

DEFAULT_GROUP = "default"
ENABLED, DISABLED = "ENABLED", "DISABLED"


@dataclass(frozen=True)
class Group:
    """A group that somebody made; the default group has one only for its tags. Times are epoch seconds."""

    account: Account
    region: Region
    name: str
    created: float
    modified: float
    token: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The group's key in the store."""
        return resource_key(self.account, self.region, self.name)

    @property
    def arn(self) -> str:
        """The group's ARN."""
        return arns.schedule_group(self.region, self.account, self.name)


@dataclass(frozen=True)
class Schedule:
    """A schedule. `given` is the request that made it, without name and group, AWS's defaults filled in.

    `since` is when its timing was last changed, in epoch seconds: a rate without a StartDate counts from
    there. `token` is the ClientToken with which it was created.
    """

    account: Account
    region: Region
    group: str
    name: str
    created: float
    modified: float
    since: float
    given: Mapping[str, Any]
    token: str | None = None

    @property
    def group_key(self) -> str:
        """The key of the schedule's group."""
        return resource_key(self.account, self.region, self.group)

    @property
    def key(self) -> str:
        """The schedule's key in the store."""
        return f"{self.group_key}/{self.name}"

    @property
    def arn(self) -> str:
        """The schedule's ARN."""
        return arns.schedule(self.region, self.account, self.group, self.name)

    @property
    def group_arn(self) -> str:
        """The ARN of its group: what EventBridge Scheduler acts for, as `aws:SourceArn` has it.

        https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
        """
        return arns.schedule_group(self.region, self.account, self.group)


GROUPS = Collection("schedule-group", Group)
SCHEDULES = Collection("schedule-of-scheduler", Schedule)


def the_group(ctx: Context, parameters: Parameters) -> str:
    """The ARN of the group that a call is about, whether it exists or not."""
    return arns.schedule_group(ctx.region, ctx.account, str(parameters["name"]))


def the_schedule(ctx: Context, parameters: Parameters) -> str:
    """The ARN of the schedule that a call is about, whether it exists or not."""
    group = parameters.get("group_name") or DEFAULT_GROUP
    return arns.schedule(ctx.region, ctx.account, str(group), str(parameters["name"]))


def find_group(tx: Tx, ctx: Context, name: str) -> Group | None:
    """The group of that name; the default one is there without a row."""
    found = GROUPS.get(tx, ctx.key(name))
    if found is None and name == DEFAULT_GROUP:
        return Group(ctx.account, ctx.region, name, created=0.0, modified=0.0)
    return found


def require_group(tx: Tx, ctx: Context, name: str) -> Group:
    """The group of that name. Raises ResourceNotFoundException."""
    found = find_group(tx, ctx, name)
    if found is None:
        raise refusals.no_group(name)
    return found


def require_schedule(tx: Tx, ctx: Context, group: str, name: str) -> Schedule:
    """The schedule of that name in a group. Raises ResourceNotFoundException."""
    require_group(tx, ctx, group)
    return SCHEDULES.require(tx, ctx.key(f"{group}/{name}"), lambda: refusals.no_schedule(name))
