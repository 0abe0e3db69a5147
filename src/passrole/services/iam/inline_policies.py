"""Inline policies: PutRolePolicy, GetRolePolicy, ListRolePolicies, DeleteRolePolicy; the same for users."""

from dataclasses import replace
from typing import Any

from passrole.services.context import Context
from passrole.services.iam import documents, refusals
from passrole.services.iam.boundaries import held_boundary
from passrole.services.iam.kinds import ROLE, USER, H, Kind, amend, fetch, resource
from passrole.services.iam.paging import page
from passrole.services.operation import operation

# All inline policies of one user or role together, without white space.
CHARACTERS_MAX = {"role": 10_240, "user": 2_048}

_ROLE = resource(ROLE, "role_name")
_USER = resource(USER, "user_name")


@operation("iam:PutRolePolicy", resource=_ROLE, keys=held_boundary(ROLE, "role_name"))
async def put_role_policy(
    ctx: Context, *, role_name: str, policy_name: str, policy_document: str
) -> dict[str, Any]:
    """Give a role an inline policy, in place of one of that name."""
    return await _put(ctx, ROLE, role_name, policy_name, policy_document)


@operation("iam:PutUserPolicy", resource=_USER, keys=held_boundary(USER, "user_name"))
async def put_user_policy(
    ctx: Context, *, user_name: str, policy_name: str, policy_document: str
) -> dict[str, Any]:
    """Give a user an inline policy, in place of one of that name."""
    return await _put(ctx, USER, user_name, policy_name, policy_document)


@operation("iam:GetRolePolicy", resource=_ROLE)
async def get_role_policy(ctx: Context, *, role_name: str, policy_name: str) -> dict[str, Any]:
    """The document of an inline policy of a role."""
    return {"RoleName": role_name, **await _get(ctx, ROLE, role_name, policy_name)}


@operation("iam:GetUserPolicy", resource=_USER)
async def get_user_policy(ctx: Context, *, user_name: str, policy_name: str) -> dict[str, Any]:
    """The document of an inline policy of a user."""
    return {"UserName": user_name, **await _get(ctx, USER, user_name, policy_name)}


@operation("iam:ListRolePolicies", resource=_ROLE)
async def list_role_policies(
    ctx: Context, *, role_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """The names of the inline policies of a role."""
    return await _list(ctx, ROLE, role_name, marker, max_items)


@operation("iam:ListUserPolicies", resource=_USER)
async def list_user_policies(
    ctx: Context, *, user_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """The names of the inline policies of a user."""
    return await _list(ctx, USER, user_name, marker, max_items)


@operation("iam:DeleteRolePolicy", resource=_ROLE, keys=held_boundary(ROLE, "role_name"))
async def delete_role_policy(ctx: Context, *, role_name: str, policy_name: str) -> dict[str, Any]:
    """Delete an inline policy of a role."""
    return await _delete(ctx, ROLE, role_name, policy_name)


@operation("iam:DeleteUserPolicy", resource=_USER, keys=held_boundary(USER, "user_name"))
async def delete_user_policy(ctx: Context, *, user_name: str, policy_name: str) -> dict[str, Any]:
    """Delete an inline policy of a user."""
    return await _delete(ctx, USER, user_name, policy_name)


async def _put(ctx: Context, kind: Kind[H], name: str, policy_name: str, document: str) -> dict[str, Any]:
    text, most = documents.checked(document), CHARACTERS_MAX[kind.noun]

    def change(row: H) -> H:
        inline = {**row.inline, policy_name: text}
        if sum(map(documents.size, inline.values())) > most:
            raise refusals.limit(f"Maximum policy size of {most} bytes exceeded for {kind.noun} {name}")
        return replace(row, inline=inline)

    await amend(ctx, kind, name, change)
    return {}


async def _get(ctx: Context, kind: Kind[H], name: str, policy_name: str) -> dict[str, Any]:
    text = (await fetch(ctx, kind, name)).inline.get(policy_name)
    if text is None:
        raise _no_such(kind.noun, policy_name)
    return {"PolicyName": policy_name, "PolicyDocument": documents.encoded(text)}


async def _list(
    ctx: Context, kind: Kind[H], name: str, marker: str | None, max_items: int | None
) -> dict[str, Any]:
    names = (await fetch(ctx, kind, name)).inline
    return page("PolicyNames", names, by=str, shape=str, marker=marker, max_items=max_items)


async def _delete(ctx: Context, kind: Kind[H], name: str, policy_name: str) -> dict[str, Any]:
    def change(row: H) -> H:
        if policy_name not in row.inline:
            raise _no_such(kind.noun, policy_name)
        return replace(row, inline={key: row.inline[key] for key in row.inline if key != policy_name})

    await amend(ctx, kind, name, change)
    return {}


def _no_such(noun: str, policy_name: str) -> Exception:
    return refusals.no_such(f"The {noun} policy with name {policy_name} cannot be found.")
