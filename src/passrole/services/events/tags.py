"""Tags of rules and of buses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from passrole import arns
from passrole.event_outbox import DEFAULT_BUS
from passrole.faults import Fault
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.events import refusals
from passrole.services.events.records import (
    BUSES,
    RULES,
    EventBus,
    NamedBus,
    Rule,
    creator_of,
    place_of,
)
from passrole.services.operation import Parameters, Permission, operation
from passrole.services.tags import TagRules, Tags, removed_keys, tagging, to_list
from passrole.store import Tx

TAGS = TagRules(reserved=refusals.invalid, too_many=lambda _, __: refusals.limit())


class _Meant(NamedTuple):
    """What has tags: a rule, or a bus itself."""

    bus: NamedBus
    rule: str | None

    @property
    def arn(self) -> str:
        return self.bus.arn if self.rule is None else self.bus.rule_arn(self.rule)

    def __str__(self) -> str:
        if self.rule is None:
            return f"Event bus {self.bus.name}"
        on_bus = "" if self.bus.name == DEFAULT_BUS else f"{self.bus.name}/"
        return f"Rule {on_bus}{self.rule}"


def creation(resource: Callable[[Context, Parameters], str]) -> Callable[..., Sequence[Permission]]:
    """The permission to tag, asked for where a new rule or bus is given tags."""

    def keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
        return {
            **TAGS.checked_request_keys(ctx, parameters),
            **creator_of(ctx, resource(ctx, parameters)),
        }

    return tagging("events:TagResource", resource, keys)


async def tags_of(ctx: Context, arn: str) -> Mapping[str, str]:
    """The tags of the rule or the bus with an ARN; none where there is none."""
    found = await ctx.store.read(lambda tx: _find(tx, ctx, _meant(arn)))
    return found.tags if found else {}


def _resource(_ctx: Context, parameters: Parameters) -> str:
    return _meant(str(parameters["resource_arn"])).arn


def _removed(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**removed_keys(ctx, parameters), **_creator(ctx, parameters)}


def _added(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**TAGS.checked_request_keys(ctx, parameters), **_creator(ctx, parameters)}


def _creator(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return creator_of(ctx, _resource(ctx, parameters))


@operation("events:TagResource", resource=_resource, keys=_added)
async def tag_resource(
    ctx: Context, *, resource_arn: str, tags: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """Add tags, in place of those with the same keys."""
    return await _change(ctx, resource_arn, lambda present: TAGS.added(present, tags))


@operation("events:UntagResource", resource=_resource, keys=_removed)
async def untag_resource(ctx: Context, *, resource_arn: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags; unknown keys are ignored."""
    return await _change(ctx, resource_arn, lambda present: TAGS.removed(present, tag_keys))


@operation("events:ListTagsForResource", resource=_resource, keys=_creator)
async def list_tags_for_resource(ctx: Context, *, resource_arn: str) -> dict[str, Any]:
    """The tags of a rule or a bus."""
    found = await ctx.store.read(lambda tx: _existing(tx, ctx, resource_arn))
    return {"Tags": to_list(found.tags)}


async def _change(ctx: Context, arn: str, change: Callable[[Tags], dict[str, str]]) -> dict[str, Any]:
    def write(tx: Tx) -> None:
        found = _existing(tx, ctx, arn)
        tags = change(found.tags)
        if isinstance(found, Rule):
            RULES.put(tx, found.key, replace(found, tags=tags))
        else:
            BUSES.put(tx, ctx.key(found.name), replace(found, tags=tags))

    await ctx.store.write(write)
    return {}


def _existing(tx: Tx, ctx: Context, arn: str) -> Rule | EventBus:
    meant = _meant(arn)
    found = _find(tx, ctx, meant)
    if found is None:
        raise Fault("ResourceNotFoundException", f"{meant} does not exist.")
    return found


def _find(tx: Tx, ctx: Context, meant: _Meant) -> Rule | EventBus | None:
    bus, rule = meant
    if (bus.account, bus.region) != ctx.location:
        return None
    key = ctx.key(bus.name)
    if rule is not None:
        return RULES.get(tx, f"{key}/{rule}")
    found = BUSES.get(tx, key)
    if found is None and bus.name == DEFAULT_BUS:  # it is there without a row, which its tags make
        return EventBus(ctx.account, ctx.region, bus.name, created=0.0)
    return found


def _meant(text: str) -> _Meant:
    """The rule or bus that an ARN means, however it spells the default bus. Raises ValidationException."""
    arn = arns.parse(text)
    if arn is None or (arn.partition, arn.service) != (arns.PARTITION, "events"):
        raise refusals.bad_arn(text)
    kind, _, path = arn.resource.partition("/")
    if kind == "rule" and path:
        bus, _, rule = path.rpartition("/")
        return _Meant(place_of(arn, bus or DEFAULT_BUS), rule)
    if kind == "event-bus" and path:
        return _Meant(place_of(arn, path), None)
    raise refusals.bad_arn(text)
