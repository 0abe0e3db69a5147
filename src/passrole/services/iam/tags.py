"""Tags of roles, users and instance profiles: TagRole, UntagRole, ListRoleTags and the same for others."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole import arns
from passrole.identities import records
from passrole.identities.records import N
from passrole.services.context import Context
from passrole.services.iam import refusals
from passrole.services.iam.kinds import INSTANCE_PROFILE, POLICY, ROLE, USER, Kind, amend, fetch, resource
from passrole.services.iam.paging import page
from passrole.services.operation import operation
from passrole.services.tags import TAGS_MAX, TagList, TagRules, removed_keys, to_list
from passrole.store import Collection

_REPEATED = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
TAGS = TagRules(
    reserved=refusals.invalid_input,
    too_many=lambda quota_noun, _: refusals.quota(f"TagsPer{quota_noun}", TAGS_MAX),
    repeated=lambda: refusals.invalid_input(_REPEATED),
    ignores_case=True,
)


async def tags_of(ctx: Context, arn: str) -> Mapping[str, str]:
    """The tags of the role, user, policy or instance profile with an ARN; none where there is none."""
    parsed = arns.parse(arn)
    kind = _TAGGED.get(parsed.resource.partition("/")[0]) if parsed else None
    if kind is None:
        return {}
    row = await ctx.store.read(lambda tx: records.find_arn(tx, kind, arn))
    return row.tags if row else {}


_TAGGED: Mapping[str, Collection[Any]] = {
    kind.noun: kind.collection for kind in (ROLE, USER, POLICY, INSTANCE_PROFILE)
}


def listed(tags: Mapping[str, str], marker: str | None, max_items: int | None) -> dict[str, Any]:
    """A page of tags, by key."""
    return page("Tags", to_wire(tags), by=_key, shape=dict, marker=marker, max_items=max_items)


def to_wire(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as IAM lists them."""
    return to_list(dict(sorted(tags.items())))


@operation("iam:TagRole", resource=resource(ROLE, "role_name"), keys=TAGS.request_keys)
async def tag_role(ctx: Context, *, role_name: str, tags: TagList) -> dict[str, Any]:
    """Add tags to a role."""
    return await _tag(ctx, ROLE, role_name, tags)


@operation("iam:TagUser", resource=resource(USER, "user_name"), keys=TAGS.request_keys)
async def tag_user(ctx: Context, *, user_name: str, tags: TagList) -> dict[str, Any]:
    """Add tags to a user."""
    return await _tag(ctx, USER, user_name, tags)


@operation(
    "iam:TagInstanceProfile",
    resource=resource(INSTANCE_PROFILE, "instance_profile_name"),
    keys=TAGS.request_keys,
)
async def tag_instance_profile(ctx: Context, *, instance_profile_name: str, tags: TagList) -> dict[str, Any]:
    """Add tags to an instance profile."""
    return await _tag(ctx, INSTANCE_PROFILE, instance_profile_name, tags)


@operation("iam:UntagRole", resource=resource(ROLE, "role_name"), keys=removed_keys)
async def untag_role(ctx: Context, *, role_name: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags from a role."""
    return await _untag(ctx, ROLE, role_name, tag_keys)


@operation("iam:UntagUser", resource=resource(USER, "user_name"), keys=removed_keys)
async def untag_user(ctx: Context, *, user_name: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags from a user."""
    return await _untag(ctx, USER, user_name, tag_keys)


@operation(
    "iam:UntagInstanceProfile",
    resource=resource(INSTANCE_PROFILE, "instance_profile_name"),
    keys=removed_keys,
)
async def untag_instance_profile(
    ctx: Context, *, instance_profile_name: str, tag_keys: Sequence[str]
) -> dict[str, Any]:
    """Remove tags from an instance profile."""
    return await _untag(ctx, INSTANCE_PROFILE, instance_profile_name, tag_keys)


@operation("iam:ListRoleTags", resource=resource(ROLE, "role_name"))
async def list_role_tags(
    ctx: Context, *, role_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """A role's tags by key."""
    return await _list(ctx, ROLE, role_name, marker, max_items)


@operation("iam:ListUserTags", resource=resource(USER, "user_name"))
async def list_user_tags(
    ctx: Context, *, user_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """A user's tags by key."""
    return await _list(ctx, USER, user_name, marker, max_items)


@operation("iam:ListInstanceProfileTags", resource=resource(INSTANCE_PROFILE, "instance_profile_name"))
async def list_instance_profile_tags(
    ctx: Context, *, instance_profile_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """An instance profile's tags by key."""
    return await _list(ctx, INSTANCE_PROFILE, instance_profile_name, marker, max_items)


async def _tag(ctx: Context, kind: Kind[N], name: str, tags: TagList) -> dict[str, Any]:
    def change(row: N) -> N:
        return replace(row, tags=TAGS.added(row.tags, tags, kind.quota_noun))

    await amend(ctx, kind, name, change, any_role=True)
    return {}


async def _untag(ctx: Context, kind: Kind[N], name: str, keys: Sequence[str]) -> dict[str, Any]:
    def change(row: N) -> N:
        return replace(row, tags=TAGS.removed(row.tags, keys))

    await amend(ctx, kind, name, change, any_role=True)
    return {}


async def _list(
    ctx: Context, kind: Kind[N], name: str, marker: str | None, max_items: int | None
) -> dict[str, Any]:
    return listed((await fetch(ctx, kind, name)).tags, marker, max_items)


def _key(tag: Mapping[str, str]) -> str:
    return tag["Key"]
