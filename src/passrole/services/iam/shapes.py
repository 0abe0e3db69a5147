"""Rows as IAM answers them. Lists leave out what AWS's lists leave out: tags, boundary, last use."""

from typing import Any

from passrole.identities.records import InstanceProfile, Role, User
from passrole.services.iam.documents import encoded
from passrole.services.iam.tags import to_wire


def listed_user(user: User) -> dict[str, Any]:
    """As ListUsers has it."""
    return {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": user.created,
    }


def full_user(user: User) -> dict[str, Any]:
    """As GetUser has it."""
    return {**listed_user(user), **_tags_and_boundary(user)}


def listed_role(role: Role) -> dict[str, Any]:
    """As ListRoles has it."""
    shape = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": role.created,
        "AssumeRolePolicyDocument": encoded(role.trust),
        "MaxSessionDuration": role.session_seconds_max,
    }
    return {**shape, "Description": role.description} if role.description else shape


def full_role(role: Role) -> dict[str, Any]:
    """As GetRole has it. When a role was last used is not recorded, which AWS says with an empty object."""
    return {**listed_role(role), **_tags_and_boundary(role), "RoleLastUsed": {}}


def instance_profile(profile: InstanceProfile, role: Role | None) -> dict[str, Any]:
    """With the role that it holds, if any."""
    shape = {
        "Path": profile.path,
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.id,
        "Arn": profile.arn,
        "CreateDate": profile.created,
        "Roles": [listed_role(role)] if role is not None else [],
    }
    return {**shape, "Tags": to_wire(profile.tags)} if profile.tags else shape


def _tags_and_boundary(holder: User | Role) -> dict[str, Any]:
    shape: dict[str, Any] = {}
    if holder.tags:
        shape["Tags"] = to_wire(holder.tags)
    if holder.boundary:
        shape["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": holder.boundary,
        }
    return shape
