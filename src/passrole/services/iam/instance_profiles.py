"""Instance profiles: what hands a role to EC2, which EMR clusters are created with. One role each."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole import ids
from passrole.identities import principals, records
from passrole.identities.records import InstanceProfile
from passrole.services.context import Context
from passrole.services.iam import kinds, refusals, shapes
from passrole.services.iam.creation import tagging
from passrole.services.iam.kinds import INSTANCE_PROFILE, ROLE, new_resource, resource
from passrole.services.iam.paging import page
from passrole.services.iam.tags import TAGS
from passrole.services.operation import Parameters, Permission, operation, passing
from passrole.store import Tx

_NEW = new_resource(INSTANCE_PROFILE, "instance_profile_name")
_ONE = resource(INSTANCE_PROFILE, "instance_profile_name")
_ROLE = resource(ROLE, "role_name")


async def _passing(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    # "An instance profile passes a role to an EC2 instance":
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html
    profile = await _ONE(ctx, parameters)
    return [passing(await _ROLE(ctx, parameters), "ec2.amazonaws.com", profile)]


@operation(
    "iam:CreateInstanceProfile",
    resource=_NEW,
    keys=TAGS.request_keys,
    also=tagging("iam:TagInstanceProfile", _NEW),
)
async def create_instance_profile(
    ctx: Context, *, instance_profile_name: str, path: str = "/", tags: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """A profile without a role."""
    profile = InstanceProfile(
        account=ctx.account,
        name=instance_profile_name,
        path=path,
        id=ids.unique_id("AIPA"),
        created=float(int(ctx.clock())),
        tags=TAGS.read(tags),
    )
    await ctx.store.write(lambda tx: kinds.add(tx, INSTANCE_PROFILE, profile))
    return {"InstanceProfile": shapes.instance_profile(profile, None)}


@operation("iam:GetInstanceProfile", resource=_ONE)
async def get_instance_profile(ctx: Context, *, instance_profile_name: str) -> dict[str, Any]:
    """A profile and its role."""

    def get(tx: Tx) -> dict[str, Any]:
        return _shape(tx, kinds.existing(tx, INSTANCE_PROFILE, ctx.account, instance_profile_name))

    return {"InstanceProfile": await ctx.store.read(get)}


@operation("iam:ListInstanceProfiles")
async def list_instance_profiles(
    ctx: Context, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """Profiles under a path, by name."""
    found = await kinds.fetch_page(ctx, INSTANCE_PROFILE, kinds.under(path_prefix), marker, max_items)
    return await _listed(ctx, found, marker, max_items)


@operation("iam:ListInstanceProfilesForRole", resource=_ROLE)
async def list_instance_profiles_for_role(
    ctx: Context, *, role_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """The profiles that hold a role."""
    role = await kinds.fetch(ctx, ROLE, role_name)
    found = await kinds.fetch_page(
        ctx, INSTANCE_PROFILE, lambda profile: profile.role == role.name, marker, max_items
    )
    return await _listed(ctx, found, marker, max_items)


@operation("iam:AddRoleToInstanceProfile", resource=_ONE, also=_passing)
async def add_role_to_instance_profile(
    ctx: Context, *, instance_profile_name: str, role_name: str
) -> dict[str, Any]:
    """Put a role into an empty profile."""

    def add(tx: Tx) -> None:
        profile = kinds.existing(tx, INSTANCE_PROFILE, ctx.account, instance_profile_name)
        role = kinds.existing(tx, ROLE, ctx.account, role_name)
        if profile.role is not None:
            raise refusals.quota("InstanceSessionsPerInstanceProfile", 1)
        records.put(tx, records.INSTANCE_PROFILES, replace(profile, role=role.name))

    await ctx.store.write(add)
    return {}


@operation("iam:RemoveRoleFromInstanceProfile", resource=_ONE)
async def remove_role_from_instance_profile(
    ctx: Context, *, instance_profile_name: str, role_name: str
) -> dict[str, Any]:
    """Empty a profile of that role."""

    def change(profile: InstanceProfile) -> InstanceProfile:
        if profile.role != role_name:
            raise refusals.no_such(ROLE.missing.format(role_name))
        return replace(profile, role=None)

    await kinds.amend(ctx, INSTANCE_PROFILE, instance_profile_name, change)
    return {}


@operation("iam:DeleteInstanceProfile", resource=_ONE)
async def delete_instance_profile(ctx: Context, *, instance_profile_name: str) -> dict[str, Any]:
    """Remove an empty profile."""

    def delete(tx: Tx) -> None:
        profile = kinds.existing(tx, INSTANCE_PROFILE, ctx.account, instance_profile_name)
        if profile.role is not None:
            raise refusals.in_use("remove roles from instance profile")
        records.remove(tx, records.INSTANCE_PROFILES, profile)

    await ctx.store.write(delete)
    return {}


async def _listed(
    ctx: Context, profiles: Sequence[InstanceProfile], marker: str | None, max_items: int | None
) -> dict[str, Any]:
    def listed(tx: Tx) -> dict[str, Any]:
        return page(
            "InstanceProfiles",
            profiles,
            by=kinds.order,
            shape=lambda profile: _shape(tx, profile),
            marker=marker,
            max_items=max_items,
        )

    return await ctx.store.read(listed)


def _shape(tx: Tx, profile: InstanceProfile) -> dict[str, Any]:
    role = records.find(tx, records.ROLES, profile.account, profile.role) if profile.role else None
    if role is not None:
        role = replace(role, trust=principals.WithArns(tx, profile.account)(role.trust))
    return shapes.instance_profile(profile, role)
