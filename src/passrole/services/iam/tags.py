"""Tags of roles, users and instance profiles: TagRole, UntagRole, ListRoleTags and the same for others."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole import arns
from passrole.identities import records
from passrole.identities.records import N
from passrole.policy.request import Values
from passrole.policy.tags import RESERVED_MESSAGE, is_reserved, merged, repeats, without
from passrole.services.context import Context
from passrole.services.iam import refusals
from passrole.services.iam.kinds import INSTANCE_PROFILE, POLICY, ROLE, USER, Kind, amend, fetch, resource
from passrole.services.iam.paging import page
from passrole.services.operation import Parameters, operation
from passrole.store import Collection

TAGS_MAX = 50
Tag = Mapping[str, str]


def request_tags(_ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The condition keys of a call that brings tags."""
    tags: Sequence[Tag] = parameters.get("tags") or ()
    if not tags:
        return {}
    values = {f"aws:RequestTag/{tag['Key']}": tag.get("Value", "") for tag in tags}
    return {"aws:TagKeys": tuple(tag["Key"] for tag in tags), **values}


def from_wire(tags: Sequence[Tag]) -> dict[str, str]:
    """Tags by key. Raises Fault where two keys differ in letter case at most, or one is AWS's."""
    keys = [tag["Key"] for tag in tags]
    if repeats(keys):
        sentence = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        raise refusals.invalid_input(sentence)
    if is_reserved(keys):
        raise refusals.invalid_input(RESERVED_MESSAGE)
    return {tag["Key"]: tag.get("Value", "") for tag in tags}


def removed_keys(_ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The condition keys of a call that takes tags away."""
    return {"aws:TagKeys": tuple(parameters["tag_keys"])}


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


def added(present: Mapping[str, str], tags: Sequence[Tag], quota_noun: str) -> dict[str, str]:
    """The tags with new ones, which replace those of the same key. Raises Fault where they are too many."""
    after = merged(present, from_wire(tags))
    if len(after) > TAGS_MAX:
        raise refusals.quota(f"TagsPer{quota_noun}", TAGS_MAX)
    return after


def listed(tags: Mapping[str, str], marker: str | None, max_items: int | None) -> dict[str, Any]:
    """A page of tags, by key."""
    return page("Tags", to_wire(tags), by=_key, shape=dict, marker=marker, max_items=max_items)


def to_wire(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as IAM lists them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


@operation("iam:TagRole", resource=resource(ROLE, "role_name"), keys=request_tags)
async def tag_role(ctx: Context, *, role_name: str, tags: Sequence[Tag]) -> dict[str, Any]:
    """Add tags to a role."""
    return await _tag(ctx, ROLE, role_name, tags)


@operation("iam:TagUser", resource=resource(USER, "user_name"), keys=request_tags)
async def tag_user(ctx: Context, *, user_name: str, tags: Sequence[Tag]) -> dict[str, Any]:
    """Add tags to a user."""
    return await _tag(ctx, USER, user_name, tags)


@operation(
    "iam:TagInstanceProfile", resource=resource(INSTANCE_PROFILE, "instance_profile_name"), keys=request_tags
)
async def tag_instance_profile(
    ctx: Context, *, instance_profile_name: str, tags: Sequence[Tag]
) -> dict[str, Any]:
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


async def _tag(ctx: Context, kind: Kind[N], name: str, tags: Sequence[Tag]) -> dict[str, Any]:
    def change(row: N) -> N:
        return replace(row, tags=added(row.tags, tags, kind.quota_noun))

    await amend(ctx, kind, name, change, any_role=True)
    return {}


async def _untag(ctx: Context, kind: Kind[N], name: str, keys: Sequence[str]) -> dict[str, Any]:
    def change(row: N) -> N:
        return replace(row, tags=without(row.tags, keys))

    await amend(ctx, kind, name, change, any_role=True)
    return {}


async def _list(
    ctx: Context, kind: Kind[N], name: str, marker: str | None, max_items: int | None
) -> dict[str, Any]:
    return listed((await fetch(ctx, kind, name)).tags, marker, max_items)


def _key(tag: Tag) -> str:
    return tag["Key"]
