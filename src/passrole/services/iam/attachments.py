"""Attached policies: AttachRolePolicy, DetachRolePolicy, ListAttachedRolePolicies, and the same for users."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole import arns
from passrole.identities import managed_document, records
from passrole.identities.records import Role, User
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.iam import refusals
from passrole.services.iam.boundaries import held_boundary
from passrole.services.iam.checked_arns import check_policy
from passrole.services.iam.kinds import ROLE, USER, H, Kind, amend, existing, fetch, modifiable, resource
from passrole.services.iam.paging import page
from passrole.services.operation import Parameters, operation
from passrole.store import Tx

ATTACHED_MAX = 10


def attached_shapes(holder: User | Role) -> list[dict[str, str]]:
    """The managed policies of a user or role by name, all of them."""
    return [_shape(arn) for arn in sorted(holder.attached, key=_name)]


def _keys(kind: Kind[H], parameter: str) -> Callable[[Context, Parameters], Awaitable[Mapping[str, Values]]]:
    boundary = held_boundary(kind, parameter)

    async def keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
        return {"iam:PolicyARN": str(parameters["policy_arn"]), **await boundary(ctx, parameters)}

    return keys


_ROLE = resource(ROLE, "role_name")
_USER = resource(USER, "user_name")
_ROLE_KEYS = _keys(ROLE, "role_name")
_USER_KEYS = _keys(USER, "user_name")


@operation("iam:AttachRolePolicy", resource=_ROLE, keys=_ROLE_KEYS)
async def attach_role_policy(ctx: Context, *, role_name: str, policy_arn: str) -> dict[str, Any]:
    """Attach a managed policy to a role; an attached one is no error."""
    return await _attach(ctx, ROLE, role_name, policy_arn)


@operation("iam:AttachUserPolicy", resource=_USER, keys=_USER_KEYS)
async def attach_user_policy(ctx: Context, *, user_name: str, policy_arn: str) -> dict[str, Any]:
    """Attach a managed policy to a user; an attached one is no error."""
    return await _attach(ctx, USER, user_name, policy_arn)


@operation("iam:DetachRolePolicy", resource=_ROLE, keys=_ROLE_KEYS)
async def detach_role_policy(ctx: Context, *, role_name: str, policy_arn: str) -> dict[str, Any]:
    """Detach a managed policy from a role."""
    return await _detach(ctx, ROLE, role_name, policy_arn)


@operation("iam:DetachUserPolicy", resource=_USER, keys=_USER_KEYS)
async def detach_user_policy(ctx: Context, *, user_name: str, policy_arn: str) -> dict[str, Any]:
    """Detach a managed policy from a user."""
    return await _detach(ctx, USER, user_name, policy_arn)


@operation("iam:ListAttachedRolePolicies", resource=_ROLE)
async def list_attached_role_policies(
    ctx: Context,
    *,
    role_name: str,
    path_prefix: str = "/",
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """A role's managed policies."""
    attached = (await fetch(ctx, ROLE, role_name)).attached
    return _listed(attached, path_prefix, marker, max_items)


@operation("iam:ListAttachedUserPolicies", resource=_USER)
async def list_attached_user_policies(
    ctx: Context,
    *,
    user_name: str,
    path_prefix: str = "/",
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """A user's managed policies."""
    attached = (await fetch(ctx, USER, user_name)).attached
    return _listed(attached, path_prefix, marker, max_items)


async def _attach(ctx: Context, kind: Kind[H], name: str, arn: str) -> dict[str, Any]:
    check_policy(arn)

    def attach(tx: Tx) -> None:
        row: H = modifiable(existing(tx, kind, ctx.account, name))
        if managed_document(tx, arn) is None:
            raise refusals.not_attachable(arn)
        if arn in row.attached:
            return
        if len(row.attached) >= ATTACHED_MAX:
            raise refusals.quota(f"PoliciesPer{kind.quota_noun}", ATTACHED_MAX)
        records.put(tx, kind.collection, replace(row, attached=(*row.attached, arn)))

    await ctx.store.write(attach)
    return {}


async def _detach(ctx: Context, kind: Kind[H], name: str, arn: str) -> dict[str, Any]:
    check_policy(arn)

    def change(row: H) -> H:
        if arn not in row.attached:
            raise refusals.no_such_policy(arn)
        return replace(row, attached=[one for one in row.attached if one != arn])

    await amend(ctx, kind, name, change)
    return {}


def _listed(
    attached: Sequence[str], path_prefix: str, marker: str | None, max_items: int | None
) -> dict[str, Any]:
    under = [arn for arn in attached if _path(arn).startswith(path_prefix)]
    return page("AttachedPolicies", under, by=_name, shape=_shape, marker=marker, max_items=max_items)


def _shape(arn: str) -> dict[str, str]:
    return {"PolicyName": _name(arn), "PolicyArn": arn}


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _path(arn: str) -> str:
    parsed = arns.parse(arn)
    return parsed.resource.removeprefix("policy").removesuffix(_name(arn)) if parsed else "/"
