"""Buses, rules and targets as they are kept, and how a call finds the rule that it means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from passrole import arns
from passrole.arns import Account, Arn, InvalidPart, Region, resource_key
from passrole.event_outbox import DEFAULT_BUS, RULES_KIND
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.events import refusals
from passrole.services.operation import Parameters
from passrole.store import Collection, Tx

CHANNEL = "event-rules"
"""Its notices are keys of buses whose rules have changed."""

ENABLED, DISABLED = "ENABLED", "DISABLED"
LISTENING = (ENABLED, "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")


@dataclass(frozen=True)
class EventBus:
    """A bus that somebody made; the default bus has one only for its tags. `created` is epoch seconds."""

    account: Account
    region: Region
    name: str
    created: float
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """A rule. `since` is when it was made or last changed, in epoch seconds: rates count from there."""

    account: Account
    region: Region
    bus: str
    name: str
    since: float
    pattern: str | None = None
    schedule: str | None = None
    state: str = ENABLED
    description: str | None = None
    role: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def bus_key(self) -> str:
        """The key of the rule's bus."""
        return resource_key(self.account, self.region, self.bus)

    @property
    def key(self) -> str:
        """The rule's key in the store."""
        return f"{self.bus_key}/{self.name}"

    @property
    def arn(self) -> str:
        """The rule's ARN."""
        return arns.rule(self.region, self.account, self.name, self.bus)


@dataclass(frozen=True)
class Target:
    """A target as PutTargets was given it."""

    given: Mapping[str, Any]


BUSES = Collection("event-bus", EventBus)
RULES = Collection(RULES_KIND, Rule)
TARGETS = Collection("event-target", Target)


class NamedBus(NamedTuple):
    """A bus as a call means it: of this region, in whichever account."""

    region: Region
    account: Account
    name: str

    @property
    def arn(self) -> str:
        """The bus's ARN."""
        return arns.event_bus(self.region, self.account, self.name)

    def rule_arn(self, rule: str) -> str:
        """The ARN of a rule on the bus."""
        return arns.rule(self.region, self.account, rule, self.name)


def named_bus(ctx: Context, given: str | None) -> NamedBus:
    """The bus that a call names by name or ARN; by default, the default bus. Raises ValidationException.

    The call is authorised on the bus of the account in the ARN: another account's bus is another bus,
    whatever the policy of the local bus of that name allows.
    """
    if not given:
        return NamedBus(ctx.region, ctx.account, DEFAULT_BUS)
    if ":" not in given:
        return NamedBus(ctx.region, ctx.account, given)
    arn = arns.parse(given)
    kind, _, name = arn.resource.partition("/") if arn else ("", "", "")
    if arn is None or kind != "event-bus" or not name:
        raise refusals.bad_arn(given)
    bus = place_of(arn, name)
    if bus.region != ctx.region or bus.arn != given:
        raise refusals.bad_arn(given)
    return bus


def place_of(arn: Arn, name: str) -> NamedBus:
    """The bus of that name in an ARN's region and account. Raises ValidationException."""
    try:
        return NamedBus(Region(arn.region), Account(arn.account), name)
    except InvalidPart:
        raise refusals.bad_arn(str(arn)) from None


def bus_here(ctx: Context, given: str | None) -> str:
    """The name of a bus of the account. Raises ResourceNotFoundException for other accounts' buses."""
    named = named_bus(ctx, given)
    if named.account != ctx.account:
        raise refusals.no_bus(named.arn)
    return named.name


def check_bus(tx: Tx, ctx: Context, name: str) -> None:
    """Refuse a bus that is not there."""
    if not is_bus(tx, ctx, name):
        raise refusals.no_bus(name)


def is_bus(tx: Tx, ctx: Context, name: str) -> bool:
    """Whether there is such a bus."""
    return name == DEFAULT_BUS or BUSES.get(tx, ctx.key(name)) is not None


def existing(tx: Tx, ctx: Context, name: str, bus: str) -> Rule:
    """The rule. Raises ResourceNotFoundException."""
    check_bus(tx, ctx, bus)
    return RULES.require(tx, ctx.key(f"{bus}/{name}"), lambda: refusals.no_rule(name, bus))


def rules_of(tx: Tx, bus_key: str) -> list[Rule]:
    """A bus's rules by name."""
    return [rule for _, rule in RULES.children(tx, bus_key)]


def targets_of(tx: Tx, rule_key: str) -> list[Mapping[str, Any]]:
    """A rule's targets by id."""
    return [target.given for _, target in TARGETS.children(tx, rule_key)]


def the_rule(ctx: Context, parameters: Parameters) -> str:
    """The ARN of the rule in the call, whether it exists or not."""
    name = parameters.get("name") or parameters.get("rule")
    return named_bus(ctx, parameters.get("event_bus_name")).rule_arn(str(name))


def creator_of(ctx: Context, arn: str) -> Mapping[str, Values]:
    """The condition key of calls on a rule: whose it is, or will be. A bus has no such key."""
    return {"events:creatorAccount": ctx.account} if ":rule/" in arn else {}


def creator(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The same, of the rule in the call."""
    return creator_of(ctx, the_rule(ctx, parameters))


def changed(tx: Tx, bus_key: str) -> None:
    """Tell whoever matches events that rules of the bus are not what they were."""
    tx.notify(CHANNEL, bus_key)
