"""Tags of schedule groups. A schedule has none: as condition keys it has those of its group."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole import arns
from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation
from passrole.services.scheduler import refusals
from passrole.services.scheduler.records import GROUPS, find_group, require_group
from passrole.services.tags import TagRules, Tags, removed_keys, to_list
from passrole.store import Tx


def _too_many(resource: str, count: int) -> Fault:
    message = f"{resource or 'The schedule group'} would have {count} tags."
    return Fault("ServiceQuotaExceededException", message)


TAGS = TagRules(reserved=refusals.invalid, too_many=_too_many)


async def tags_of(ctx: Context, arn: str) -> Mapping[str, str]:
    """The tags of the group with an ARN, or of the group of a schedule; none where there is none."""
    parsed = arns.parse(arn)
    if parsed is None or (parsed.account, parsed.region) != ctx.location:
        return {}
    _, _, path = parsed.resource.partition("/")
    name = path.partition("/")[0]
    found = await ctx.store.read(lambda tx: find_group(tx, ctx, name))
    return found.tags if found else {}


def _resource(_ctx: Context, parameters: Parameters) -> str:
    return str(parameters["resource_arn"])


@operation("scheduler:TagResource", resource=_resource, keys=TAGS.checked_request_keys)
async def tag_resource(
    ctx: Context, *, resource_arn: str, tags: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """Add tags, in place of those with the same keys."""
    return await _change(ctx, resource_arn, lambda present: TAGS.added(present, tags))


@operation("scheduler:UntagResource", resource=_resource, keys=removed_keys)
async def untag_resource(ctx: Context, *, resource_arn: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags; unknown keys are ignored."""
    return await _change(ctx, resource_arn, lambda present: TAGS.removed(present, tag_keys))


@operation("scheduler:ListTagsForResource", resource=_resource)
async def list_tags_for_resource(ctx: Context, *, resource_arn: str) -> dict[str, Any]:
    """The tags of a group."""
    name = _name(ctx, resource_arn)
    found = await ctx.store.read(lambda tx: require_group(tx, ctx, name))
    return {"Tags": to_list(found.tags)}


async def _change(ctx: Context, arn: str, change: Callable[[Tags], dict[str, str]]) -> dict[str, Any]:
    name = _name(ctx, arn)

    def write(tx: Tx) -> None:
        found = require_group(tx, ctx, name)
        GROUPS.put(tx, ctx.key(name), replace(found, tags=change(found.tags)))

    await ctx.store.write(write)
    return {}


def _name(ctx: Context, arn: str) -> str:
    """The name of the group of an ARN. Raises ResourceNotFoundException for a group that is elsewhere."""
    name = arn.rpartition("/")[2]
    if arn != arns.schedule_group(ctx.region, ctx.account, name):
        raise refusals.no_group(arn)
    return name
