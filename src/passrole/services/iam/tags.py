"""Tags of roles and users: TagRole, UntagRole, ListRoleTags and the same for users."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.iam import refusals
from passrole.services.iam.paging import page
from passrole.services.iam.rows import ROLE, USER, H, Kind, amend, fetch, resource
from passrole.services.operation import Parameters, operation

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
    """Tags by key. Raises Fault where two keys differ in letter case at most."""
    found = {tag["Key"]: tag.get("Value", "") for tag in tags}
    if len({key.lower() for key in found}) != len(tags):
        sentence = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        raise refusals.invalid_input(sentence)
    return found


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


def _tag_keys(_ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {"aws:TagKeys": tuple(parameters["tag_keys"])}


@operation("iam:UntagRole", resource=resource(ROLE, "role_name"), keys=_tag_keys)
async def untag_role(ctx: Context, *, role_name: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags from a role."""
    return await _untag(ctx, ROLE, role_name, tag_keys)


@operation("iam:UntagUser", resource=resource(USER, "user_name"), keys=_tag_keys)
async def untag_user(ctx: Context, *, user_name: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags from a user."""
    return await _untag(ctx, USER, user_name, tag_keys)


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


async def _tag(ctx: Context, kind: Kind[H], name: str, tags: Sequence[Tag]) -> dict[str, Any]:
    new = from_wire(tags)

    def change(row: H) -> H:
        replaced = {key.lower() for key in new}
        kept = {key: value for key, value in row.tags.items() if key.lower() not in replaced}
        if len(kept) + len(new) > TAGS_MAX:
            raise refusals.quota(f"TagsPer{kind.quota_noun}", TAGS_MAX)
        return replace(row, tags={**kept, **new})

    await amend(ctx, kind, name, change)
    return {}


async def _untag(ctx: Context, kind: Kind[H], name: str, keys: Sequence[str]) -> dict[str, Any]:
    gone = {key.lower() for key in keys}

    def change(row: H) -> H:
        return replace(row, tags={key: value for key, value in row.tags.items() if key.lower() not in gone})

    await amend(ctx, kind, name, change)
    return {}


async def _list(
    ctx: Context, kind: Kind[H], name: str, marker: str | None, max_items: int | None
) -> dict[str, Any]:
    tags = to_wire((await fetch(ctx, kind, name)).tags)
    return page("Tags", tags, by=_key, shape=dict, marker=marker, max_items=max_items)


def _key(tag: Tag) -> str:
    return tag["Key"]
