"""Permissions boundaries: PutRolePermissionsBoundary, DeleteRolePermissionsBoundary; the same for users.

It knows nothing of what a boundary does to a call: the directory hands it to the evaluator as a layer.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from passrole.identities import records
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.iam.creation import require_boundary
from passrole.services.iam.kinds import ROLE, USER, H, Kind, amend, existing, modifiable, resource
from passrole.services.operation import Parameters, operation
from passrole.store import Tx

KEY = "iam:PermissionsBoundary"


def held_boundary(
    kind: Kind[H], parameter: str
) -> Callable[[Context, Parameters], Awaitable[Mapping[str, Values]]]:
    """The condition key with the boundary that the named user or role has; none where it has none."""

    async def keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
        name = str(parameters[parameter])
        row = await ctx.store.read(lambda tx: records.find(tx, kind.collection, ctx.account, name))
        return {KEY: row.boundary} if row is not None and row.boundary else {}

    return keys


def _given(_ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {KEY: str(parameters["permissions_boundary"])}


_ROLE = resource(ROLE, "role_name")
_USER = resource(USER, "user_name")


@operation("iam:PutRolePermissionsBoundary", resource=_ROLE, keys=_given)
async def put_role_permissions_boundary(
    ctx: Context, *, role_name: str, permissions_boundary: str
) -> dict[str, Any]:
    """Bound a role, in place of the boundary it has; its running sessions are bounded at once."""
    return await _put(ctx, ROLE, role_name, permissions_boundary)


@operation("iam:PutUserPermissionsBoundary", resource=_USER, keys=_given)
async def put_user_permissions_boundary(
    ctx: Context, *, user_name: str, permissions_boundary: str
) -> dict[str, Any]:
    """Bound a user, in place of the boundary it has."""
    return await _put(ctx, USER, user_name, permissions_boundary)


@operation("iam:DeleteRolePermissionsBoundary", resource=_ROLE, keys=held_boundary(ROLE, "role_name"))
async def delete_role_permissions_boundary(ctx: Context, *, role_name: str) -> dict[str, Any]:
    """Remove the boundary of a role; a role without one is no error."""
    return await _delete(ctx, ROLE, role_name)


@operation("iam:DeleteUserPermissionsBoundary", resource=_USER, keys=held_boundary(USER, "user_name"))
async def delete_user_permissions_boundary(ctx: Context, *, user_name: str) -> dict[str, Any]:
    """Remove the boundary of a user; a user without one is no error."""
    return await _delete(ctx, USER, user_name)


async def _put(ctx: Context, kind: Kind[H], name: str, arn: str) -> dict[str, Any]:
    def put(tx: Tx) -> None:
        row: H = modifiable(existing(tx, kind, ctx.account, name))
        require_boundary(tx, arn)
        records.put(tx, kind.collection, replace(row, boundary=arn))

    await ctx.store.write(put)
    return {}


async def _delete(ctx: Context, kind: Kind[H], name: str) -> dict[str, Any]:
    await amend(ctx, kind, name, lambda row: replace(row, boundary=None))
    return {}
