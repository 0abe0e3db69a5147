"""GetAccountAuthorizationDetails: everything that grants anything in the account, in one answer.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from passrole.arns import Account
from passrole.identities import principals, records
from passrole.identities.records import Role, User
from passrole.services.context import Context
from passrole.services.iam import attachments, policies, policy_catalog, policy_versions, shapes
from passrole.services.iam.documents import encoded
from passrole.services.iam.paging import page
from passrole.services.iam.policy_catalog import Policy, Usage, Version
from passrole.services.operation import operation
from passrole.store import Tx

_LISTS: Final = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")


@dataclass(frozen=True)
class _Detail:
    """One entry of one of the answer's lists; `kind` is the word of Filter."""

    kind: str
    list_: str
    name: str
    shape: Mapping[str, Any]

    @property
    def order(self) -> str:
        """List by list, and by name and ARN in each: one page counts all."""
        return f"{_LISTS.index(self.list_)} {self.name.lower()} {self.shape['Arn']}"


@operation("iam:GetAccountAuthorizationDetails")
async def get_account_authorization_details(
    ctx: Context, *, filter_: Sequence[str] = (), marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """Users, roles, the account's policies, and those of AWS's that are in use; there are no groups."""
    found = await ctx.store.read(lambda tx: _details(tx, ctx.account))
    wanted = [detail for detail in found if not filter_ or detail.kind in filter_]
    answer = page(
        "all",
        wanted,
        by=lambda detail: detail.order,
        shape=lambda detail: detail,
        marker=marker,
        max_items=max_items,
    )
    shown: list[_Detail] = answer.pop("all")
    lists = {name: [detail.shape for detail in shown if detail.list_ == name] for name in _LISTS}
    return {**lists, **answer}


def _details(tx: Tx, account: Account) -> list[_Detail]:
    show = principals.WithArns(tx, account)
    users = records.every(tx, records.USERS, account)
    roles = [replace(role, trust=show(role.trust)) for role in records.every(tx, records.ROLES, account)]
    usage = policy_catalog.usage(tx, account)
    used = [
        policy
        for policy in policy_catalog.every(tx, account)
        if not policy.is_aws or usage.attached[policy.arn] or usage.bounding[policy.arn]
    ]
    return [
        *(_Detail("User", "UserDetailList", user.name, _user(user)) for user in users),
        *(_Detail("Role", "RoleDetailList", role.name, _role(tx, role)) for role in roles),
        *(_policy(policy, usage, policy_catalog.versions(tx, policy.arn)) for policy in used),
    ]


def _user(user: User) -> dict[str, Any]:
    return {
        **shapes.full_user(user),
        "UserPolicyList": _inline(user),
        "GroupList": [],
        "AttachedManagedPolicies": attachments.attached_shapes(user),
    }


def _role(tx: Tx, role: Role) -> dict[str, Any]:
    profiles = records.every(tx, records.INSTANCE_PROFILES, role.account)
    # The details of a role have neither its description nor how long its sessions last.
    known = {
        name: value
        for name, value in shapes.full_role(role).items()
        if name not in ("Description", "MaxSessionDuration")
    }
    return {
        **known,
        "InstanceProfileList": [
            shapes.instance_profile(profile, role) for profile in profiles if profile.role == role.name
        ],
        "RolePolicyList": _inline(role),
        "AttachedManagedPolicies": attachments.attached_shapes(role),
    }


def _inline(holder: User | Role) -> list[dict[str, str]]:
    return [
        {"PolicyName": name, "PolicyDocument": encoded(text)} for name, text in sorted(holder.inline.items())
    ]


def _policy(policy: Policy, usage: Usage, versions: Sequence[Version]) -> _Detail:
    shape = {
        **policies.listed(policy, usage),
        "PolicyVersionList": [policy_versions.with_document(version) for version in versions],
    }
    if policy.description:
        shape["Description"] = policy.description
    kind = "AWSManagedPolicy" if policy.is_aws else "LocalManagedPolicy"
    return _Detail(kind, "Policies", policy.name, shape)
