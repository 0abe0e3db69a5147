"""Tags of rules and of buses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole import arns
from passrole.emitted import DEFAULT_BUS
from passrole.faults import Fault
from passrole.policy.request import Values
from passrole.policy.tags import RESERVED_SENTENCE, is_reserved
from passrole.services.context import Context
from passrole.services.events import refusals
from passrole.services.events.records import BUSES, RULES, EventBus, Rule
from passrole.services.operation import Parameters, operation
from passrole.store import Tx

TAGS_MAX = 50
Tags = Mapping[str, str]


def tags_from(given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """A list of tags as they are kept. Raises Fault where a key is AWS's."""
    if is_reserved(tag["Key"] for tag in given):
        raise refusals.invalid(RESERVED_SENTENCE)
    return {tag["Key"]: tag["Value"] for tag in given}


def request_tags(_ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The condition keys of the tags in the call."""
    given = tags_from(parameters.get("tags") or ())
    keys: dict[str, Values] = {"aws:TagKeys": tuple(given)} if given else {}
    return {**keys, **{f"aws:RequestTag/{key}": value for key, value in given.items()}}


def _resource(_ctx: Context, parameters: Parameters) -> str:
    return str(parameters["resource_arn"])


def _removed(_ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {"aws:TagKeys": tuple(parameters["tag_keys"])}


@operation("events:TagResource", resource=_resource, keys=request_tags)
async def tag_resource(
    ctx: Context, *, resource_arn: str, tags: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """Add tags, or give those that are there another value."""
    return await _change(ctx, resource_arn, lambda present: {**present, **tags_from(tags)})


@operation("events:UntagResource", resource=_resource, keys=_removed)
async def untag_resource(ctx: Context, *, resource_arn: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Take tags away; those that are not there are passed over."""
    return await _change(
        ctx, resource_arn, lambda present: {key: present[key] for key in present if key not in tag_keys}
    )


@operation("events:ListTagsForResource", resource=_resource)
async def list_tags_for_resource(ctx: Context, *, resource_arn: str) -> dict[str, Any]:
    """The tags of a rule or a bus."""
    found = await ctx.store.read(lambda tx: _existing(tx, ctx, resource_arn))
    return {"Tags": [{"Key": key, "Value": value} for key, value in found.tags.items()]}


async def _change(ctx: Context, arn: str, change: Callable[[Tags], dict[str, str]]) -> dict[str, Any]:
    def write(tx: Tx) -> None:
        found = _existing(tx, ctx, arn)
        tags = change(found.tags)
        if len(tags) > TAGS_MAX:
            raise refusals.limit()
        if isinstance(found, Rule):
            RULES.put(tx, found.key, replace(found, tags=tags))
        else:
            BUSES.put(tx, ctx.key(found.name), replace(found, tags=tags))

    await ctx.store.write(write)
    return {}


def _existing(tx: Tx, ctx: Context, arn: str) -> Rule | EventBus:
    parsed = arns.parse(arn)
    if parsed is None or parsed.service != "events":
        raise refusals.bad_arn(arn)
    kind, _, name = parsed.resource.partition("/")
    found: Rule | EventBus | None = None
    if kind == "rule":
        bus, _, rule = name.rpartition("/")
        found = RULES.get(tx, ctx.key(f"{bus or DEFAULT_BUS}/{rule}"))
    elif kind == "event-bus":
        found = BUSES.get(tx, ctx.key(name))
    if found is None:
        sentence = f"{'Rule' if kind == 'rule' else 'Event bus'} {name} does not exist."
        raise Fault("ResourceNotFoundException", sentence)
    return found
