"""What AWS's command line and SDKs answer about roles and policies.

https://docs.aws.amazon.com/cli/latest/reference/iam/
"""

from collections.abc import Iterator
from typing import Any

from passrole.cli.documents import Path
from passrole.cli.permissions.role_files.described import Policy, Role, RoleFile, decoded, tags_of


def policy_document(value: dict[str, Any], form: str) -> RoleFile:
    """A document alone, as one writes it."""
    return RoleFile(form, policies=(Policy("", value),))


def get_role(value: dict[str, Any], form: str) -> RoleFile:
    """GetRole, ListRoles: roles with their trust, and without their permissions."""
    listed = value["Roles"] if "Roles" in value else [value["Role"]]
    many = "Roles" in value
    roles = [
        _role(each, ("Roles", at) if many else ("Role",)) for at, each in enumerate(listed) if _is_role(each)
    ]
    return RoleFile(form, tuple(roles))


def get_role_policy(value: dict[str, Any], form: str) -> RoleFile:
    """GetRolePolicy, and the same for users and groups: one inline policy."""
    policy = Policy(str(value.get("PolicyName") or ""), decoded(value["PolicyDocument"]), ("PolicyDocument",))
    return RoleFile(form, policies=(policy,))


def get_policy_version(value: dict[str, Any], form: str) -> RoleFile:
    """GetPolicyVersion: the document of a managed policy."""
    inner = value.get("PolicyVersion", value)
    path: Path = ("PolicyVersion", "Document") if "PolicyVersion" in value else ("Document",)
    return RoleFile(form, policies=(Policy("", decoded(inner.get("Document")), path),))


def authorization_details(value: dict[str, Any], form: str) -> RoleFile:
    """GetAccountAuthorizationDetails: every role with its policies, and the managed policies' documents."""
    managed = {policy.arn: policy for policy in _managed(value.get("Policies") or [])}
    details = value.get("RoleDetailList") or []
    roles = [
        _role(each, ("RoleDetailList", at), managed) for at, each in enumerate(details) if _is_role(each)
    ]
    return RoleFile(form, tuple(roles), tuple(managed.values()))


def _is_role(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("RoleName"), str)


def _managed(listed: list[Any]) -> Iterator[Policy]:
    for at, each in enumerate(listed):
        versions = each.get("PolicyVersionList") or [] if isinstance(each, dict) else []
        for number, version in enumerate(versions):
            if version.get("IsDefaultVersion") or version.get("VersionId") == each.get("DefaultVersionId"):
                path: Path = ("Policies", at, "PolicyVersionList", number, "Document")
                yield Policy(
                    str(each.get("PolicyName")), decoded(version.get("Document")), path, each.get("Arn")
                )
                break


def _role(detail: dict[str, Any], path: Path, managed: dict[str | None, Policy] | None = None) -> Role:
    known = managed or {}
    attached = [str(each.get("PolicyArn")) for each in detail.get("AttachedManagedPolicies") or []]
    inline = [
        Policy(
            str(each.get("PolicyName")),
            decoded(each.get("PolicyDocument")),
            (*path, "RolePolicyList", at, "PolicyDocument"),
        )
        for at, each in enumerate(detail.get("RolePolicyList") or [])
    ]
    bounded = (detail.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    trust = detail.get("AssumeRolePolicyDocument")
    return Role(
        tuple(str(name) for name in (detail["RoleName"], detail.get("Arn")) if name),
        (*inline, *(known[arn] for arn in attached if arn in known)),
        tuple(arn for arn in attached if arn not in known),
        None if trust is None else Policy("trust", decoded(trust), (*path, "AssumeRolePolicyDocument")),
        known.get(bounded, bounded),
        tags_of(detail.get("Tags")),
    )
