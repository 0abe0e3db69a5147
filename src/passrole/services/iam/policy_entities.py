"""ListEntitiesForPolicy: who uses a managed policy, to be allowed or to be bounded."""

from collections.abc import Sequence
from typing import Any

from passrole.identities import records
from passrole.identities.records import Role, User
from passrole.services.context import Context
from passrole.services.iam import policy_catalog
from passrole.services.iam.paging import page
from passrole.services.iam.policies import named_policy
from passrole.services.operation import operation
from passrole.store import Tx

Entity = User | Role


@operation("iam:ListEntitiesForPolicy", resource=named_policy)
async def list_entities_for_policy(
    ctx: Context,
    *,
    policy_arn: str,
    entity_filter: str | None = None,
    path_prefix: str = "/",
    policy_usage_filter: str | None = None,
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """Users and roles; there are no groups. One page counts both."""

    def read(tx: Tx) -> list[Entity]:
        policy_catalog.find(tx, policy_arn)
        return _entities(tx, ctx.account, entity_filter)

    using = [
        entity
        for entity in await ctx.store.read(read)
        if entity.path.startswith(path_prefix) and policy_arn in _used(entity, policy_usage_filter)
    ]
    answer = page("all", using, by=_order, shape=lambda each: each, marker=marker, max_items=max_items)
    shown: list[Entity] = answer.pop("all")
    return {
        "PolicyGroups": [],
        "PolicyUsers": [
            {"UserName": each.name, "UserId": each.id} for each in shown if isinstance(each, User)
        ],
        "PolicyRoles": [
            {"RoleName": each.name, "RoleId": each.id} for each in shown if isinstance(each, Role)
        ],
        **answer,
    }


def _entities(tx: Tx, account: str, kind: str | None) -> list[Entity]:
    users = records.every(tx, records.USERS, account) if kind in (None, "User") else []
    roles = records.every(tx, records.ROLES, account) if kind in (None, "Role") else []
    return [*users, *roles]


def _used(entity: Entity, usage: str | None) -> Sequence[str]:
    """The policies that an entity uses in a way: attached, as its boundary, or in either."""
    attached = entity.attached if usage != "PermissionsBoundary" else ()
    boundary = [entity.boundary] if entity.boundary and usage != "PermissionsPolicy" else []
    return [*attached, *boundary]


def _order(entity: Entity) -> str:
    return f"{'role' if isinstance(entity, Role) else 'a user'} {entity.name.lower()}"  # users first
