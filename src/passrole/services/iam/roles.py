"""CreateRole, GetRole, ListRoles, UpdateRole, UpdateRoleDescription, UpdateAssumeRolePolicy, DeleteRole."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole import ids
from passrole.identities import principals, records
from passrole.identities.records import Role
from passrole.services.context import Context
from passrole.services.iam import documents, kinds, refusals, shapes
from passrole.services.iam.boundaries import held_boundary
from passrole.services.iam.creation import creation_keys, require_boundary, tagging
from passrole.services.iam.kinds import ROLE, new_resource, resource
from passrole.services.iam.paging import page
from passrole.services.iam.tags import TAGS
from passrole.services.operation import operation
from passrole.store import Tx

TRUST_CHARACTERS_MAX = 2048

_NEW = new_resource(ROLE, "role_name")
_ONE = resource(ROLE, "role_name")
_BOUNDARY = held_boundary(ROLE, "role_name")


@operation("iam:CreateRole", resource=_NEW, keys=creation_keys, also=tagging("iam:TagRole", _NEW))
async def create_role(
    ctx: Context,
    *,
    role_name: str,
    assume_role_policy_document: str,
    path: str = "/",
    description: str = "",
    max_session_duration: int = 3600,
    permissions_boundary: str | None = None,
    tags: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """A role without permissions that the document's principals may assume."""
    if path.startswith(kinds.SERVICE_LINKED_PATH):
        raise refusals.invalid_input(f"The path {path} is reserved for service-linked roles.")
    role = Role(
        account=ctx.account,
        name=role_name,
        path=path,
        id=ids.unique_id("AROA"),
        created=float(int(ctx.clock())),
        trust=_checked_trust(assume_role_policy_document),
        description=description,
        session_seconds_max=max_session_duration,
        tags=TAGS.read(tags),
        boundary=permissions_boundary,
    )

    def create(tx: Tx) -> None:
        require_boundary(tx, permissions_boundary)
        kinds.add(tx, ROLE, replace(role, trust=documents.pinned(tx, ctx.account, role.trust)))

    await ctx.store.write(create)
    return {"Role": await _shown(ctx, role_name)}


@operation("iam:GetRole", resource=_ONE, keys=_BOUNDARY)
async def get_role(ctx: Context, *, role_name: str) -> dict[str, Any]:
    """One role with its trust."""
    return {"Role": await _shown(ctx, role_name)}


@operation("iam:ListRoles")
async def list_roles(
    ctx: Context, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """Roles under a path, by name."""
    roles = await kinds.fetch_page(ctx, ROLE, kinds.under(path_prefix), marker, max_items)

    def shown(tx: Tx) -> list[Role]:
        show = principals.WithArns(tx, ctx.account)
        return [replace(role, trust=show(role.trust)) for role in roles]

    found = await ctx.store.read(shown)
    return page("Roles", found, by=kinds.order, shape=shapes.listed_role, marker=marker, max_items=max_items)


@operation("iam:UpdateRole", resource=_ONE, keys=_BOUNDARY)
async def update_role(
    ctx: Context, *, role_name: str, description: str | None = None, max_session_duration: int | None = None
) -> dict[str, Any]:
    """Change the given fields and leave the others."""

    def change(role: Role) -> Role:
        return replace(
            role,
            description=role.description if description is None else description,
            session_seconds_max=max_session_duration or role.session_seconds_max,
        )

    any_role = max_session_duration is None  # the description of a service-linked role is its owner's
    await kinds.amend(ctx, ROLE, role_name, change, any_role=any_role)
    return {}


@operation("iam:UpdateRoleDescription", resource=_ONE, keys=_BOUNDARY)
async def update_role_description(ctx: Context, *, role_name: str, description: str) -> dict[str, Any]:
    """Change the description; unlike UpdateRole, the response has the role."""
    await kinds.amend(
        ctx, ROLE, role_name, lambda role: replace(role, description=description), any_role=True
    )
    return {"Role": await _shown(ctx, role_name)}


@operation("iam:UpdateAssumeRolePolicy", resource=_ONE, keys=_BOUNDARY)
async def update_assume_role_policy(ctx: Context, *, role_name: str, policy_document: str) -> dict[str, Any]:
    """Replace the trust policy; it counts from the next AssumeRole."""
    trust = _checked_trust(policy_document)

    def update(tx: Tx) -> None:
        role = kinds.modifiable(kinds.existing(tx, ROLE, ctx.account, role_name))
        kept = documents.pinned(tx, ctx.account, trust)
        records.put(tx, records.ROLES, replace(role, trust=kept))

    await ctx.store.write(update)
    return {}


@operation("iam:DeleteRole", resource=_ONE, keys=_BOUNDARY)
async def delete_role(ctx: Context, *, role_name: str) -> dict[str, Any]:
    """Delete a role without policies and profiles; its sessions are denied everything from now on."""

    def delete(tx: Tx) -> None:
        role = kinds.modifiable(kinds.existing(tx, ROLE, ctx.account, role_name))
        profiles = records.every(tx, records.INSTANCE_PROFILES, ctx.account)
        if any(profile.role == role.name for profile in profiles):
            raise refusals.in_use("remove roles from instance profile")
        kinds.refuse_policies(role)
        records.remove(tx, records.ROLES, role)

    await ctx.store.write(delete)
    return {}


async def _shown(ctx: Context, role_name: str) -> dict[str, Any]:
    def show(tx: Tx) -> dict[str, Any]:
        role = kinds.existing(tx, ROLE, ctx.account, role_name)
        return shapes.full_role(replace(role, trust=principals.WithArns(tx, ctx.account)(role.trust)))

    return await ctx.store.read(show)


def _checked_trust(text: str) -> str:
    if documents.size(text) > TRUST_CHARACTERS_MAX:
        raise refusals.quota("ACLSizePerRole", TRUST_CHARACTERS_MAX)
    return documents.checked(text, "trust")
