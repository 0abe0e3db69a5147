"""TagResource, UntagResource, ListResourceTags: of keys. KMS spells tags TagKey and TagValue."""

from collections.abc import Mapping, Sequence
from typing import Any

from passrole import arns
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.kms import records, refusals
from passrole.services.kms.authorisation import key_arn, key_keys, key_policies
from passrole.services.kms.paging import LIMIT_DEFAULT, PAGES, paged
from passrole.services.operation import Parameters, operation
from passrole.services.tags import TagRules, removed_keys
from passrole.store import Tx

TAGS = TagRules(
    reserved=refusals.bad_tag,
    too_many=lambda _, __: refusals.bad_tag("Too many tags"),
    repeated=lambda: refusals.bad_tag("Duplicate tag keys"),
)


def from_wire(tags: Sequence[Mapping[str, str]] | None) -> list[dict[str, str]]:
    """KMS's tags as other services spell them."""
    return [{"Key": tag["TagKey"], "Value": tag["TagValue"]} for tag in tags or ()]


async def _added_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    given = TAGS.checked_request_keys(ctx, {"tags": from_wire(parameters.get("tags"))})
    return {**await key_keys(ctx, parameters), **given}


async def _removed_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**await key_keys(ctx, parameters), **removed_keys(ctx, parameters)}


@operation("kms:TagResource", resource=key_arn, keys=_added_keys, resource_policy=key_policies)
async def tag_resource(ctx: Context, *, key_id: str, tags: Sequence[Mapping[str, str]]) -> None:
    """Add tags, in place of those with the same keys."""
    arn = (await records.required(ctx, key_id)).arn

    def write(tx: Tx) -> None:
        key = records.required_key(tx, arn)
        records.changed(tx, key, tags=TAGS.added(key.tags, from_wire(tags)))

    await ctx.store.write(write)


@operation("kms:UntagResource", resource=key_arn, keys=_removed_keys, resource_policy=key_policies)
async def untag_resource(ctx: Context, *, key_id: str, tag_keys: Sequence[str]) -> None:
    """Remove tags; unknown keys are ignored."""
    arn = (await records.required(ctx, key_id)).arn

    def write(tx: Tx) -> None:
        key = records.required_key(tx, arn)
        records.changed(tx, key, tags=TAGS.removed(key.tags, tag_keys))

    await ctx.store.write(write)


@operation("kms:ListResourceTags", resource=key_arn, keys=key_keys, resource_policy=key_policies)
async def list_resource_tags(
    ctx: Context, *, key_id: str, limit: int = LIMIT_DEFAULT, marker: str | None = None
) -> dict[str, Any]:
    """The tags of a key, by name."""
    tags = (await records.required(ctx, key_id)).tags
    rows = PAGES.beyond(sorted(tags), marker, str)
    return paged("Tags", rows, limit, str, lambda name: {"TagKey": name, "TagValue": tags[name]})


async def tags_of(ctx: Context, arn: str) -> Mapping[str, str]:
    """The tags of the key with an ARN; none where there is no such key."""
    parsed = arns.parse(arn)
    if parsed is None or (parsed.account, parsed.region) != ctx.location:
        return {}
    key = (await records.meant(ctx, arn)).key if parsed.resource.startswith("key/") else None
    return key.tags if key else {}
