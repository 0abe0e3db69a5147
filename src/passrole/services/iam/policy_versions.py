"""CreatePolicyVersion, GetPolicyVersion, ListPolicyVersions, SetDefaultPolicyVersion, DeletePolicyVersion."""

from dataclasses import replace
from typing import Any

from passrole.identities import records
from passrole.identities.records import ManagedPolicy, PolicyVersion
from passrole.services.context import Context
from passrole.services.iam import documents, policy_catalog, refusals
from passrole.services.iam.paging import page
from passrole.services.iam.policies import checked_document, named_policy
from passrole.services.iam.policy_catalog import Version
from passrole.services.operation import operation
from passrole.store import Tx

VERSIONS_MAX = 5


def with_document(version: Version) -> dict[str, Any]:
    """As GetPolicyVersion has it."""
    return {**_listed(version), "Document": documents.encoded(version.document)}


@operation("iam:CreatePolicyVersion", resource=named_policy)
async def create_policy_version(
    ctx: Context, *, policy_arn: str, policy_document: str, set_as_default: bool = False
) -> dict[str, Any]:
    """The next version; numbers of deleted ones are not used again."""
    text, now = checked_document(policy_document), float(int(ctx.clock()))

    def create(tx: Tx) -> dict[str, Any]:
        policy = policy_catalog.find_own(tx, policy_arn)
        if len(records.policy_versions(tx, policy)) >= VERSIONS_MAX:
            raise refusals.limit(_TOO_MANY)
        number = policy.newest + 1
        default = number if set_as_default else policy.default
        policy = replace(policy, newest=number, default=default, updated=now)
        version = PolicyVersion(policy_arn, number, text, now)
        records.put(tx, records.POLICIES, policy)
        records.put_policy_version(tx, version)
        return _listed(policy_catalog.own_version(policy, version))

    return {"PolicyVersion": await ctx.store.write(create)}


@operation("iam:GetPolicyVersion", resource=named_policy)
async def get_policy_version(ctx: Context, *, policy_arn: str, version_id: str) -> dict[str, Any]:
    """One version with its document."""
    versions = await ctx.store.read(lambda tx: policy_catalog.versions(tx, policy_arn))
    found = next((version for version in versions if version.id == version_id), None)
    if found is None:
        raise _no_such(policy_arn, version_id)
    return {"PolicyVersion": with_document(found)}


@operation("iam:ListPolicyVersions", resource=named_policy)
async def list_policy_versions(
    ctx: Context, *, policy_arn: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """Versions, newest first."""
    versions = await ctx.store.read(lambda tx: policy_catalog.versions(tx, policy_arn))
    return page("Versions", versions, by=_newest_first, shape=_listed, marker=marker, max_items=max_items)


@operation("iam:SetDefaultPolicyVersion", resource=named_policy)
async def set_default_policy_version(ctx: Context, *, policy_arn: str, version_id: str) -> dict[str, Any]:
    """What the policy grants from now on, wherever it is attached."""

    def change(tx: Tx) -> None:
        policy = policy_catalog.find_own(tx, policy_arn)
        version = _existing(tx, policy, version_id)
        now = float(int(ctx.clock()))
        records.put(tx, records.POLICIES, replace(policy, default=version.number, updated=now))

    await ctx.store.write(change)
    return {}


@operation("iam:DeletePolicyVersion", resource=named_policy)
async def delete_policy_version(ctx: Context, *, policy_arn: str, version_id: str) -> dict[str, Any]:
    """Remove a version that is not the default one."""

    def delete(tx: Tx) -> None:
        policy = policy_catalog.find_own(tx, policy_arn)
        version = _existing(tx, policy, version_id)
        if version.number == policy.default:
            raise refusals.delete_conflict("Cannot delete the default version of a policy.")
        records.remove_policy_version(tx, version)

    await ctx.store.write(delete)
    return {}


_TOO_MANY = (
    f"A managed policy can have up to {VERSIONS_MAX} versions."
    " Before you create a new version, you must delete an existing version."
)


def _existing(tx: Tx, policy: ManagedPolicy, version_id: str) -> PolicyVersion:
    versions = records.policy_versions(tx, policy)
    found = next((version for version in versions if f"v{version.number}" == version_id), None)
    if found is None:
        raise _no_such(policy.arn, version_id)
    return found


def _no_such(arn: str, version_id: str) -> Exception:
    return refusals.no_such(f"Policy {arn} version {version_id} does not exist or is not attachable.")


def _newest_first(version: Version) -> str:
    return f"{10**9 - version.number:010d}"


def _listed(version: Version) -> dict[str, Any]:
    return {
        "VersionId": version.id,
        "IsDefaultVersion": version.is_default,
        "CreateDate": version.created,
    }
