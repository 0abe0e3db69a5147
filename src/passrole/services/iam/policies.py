"""CreatePolicy, GetPolicy, ListPolicies, DeletePolicy."""

from collections.abc import Mapping, Sequence
from typing import Any

from passrole import ids
from passrole.identities import records
from passrole.identities.records import ManagedPolicy, PolicyVersion
from passrole.services.context import Context
from passrole.services.iam import documents, kinds, policy_catalog, refusals
from passrole.services.iam.creation import tagging
from passrole.services.iam.kinds import POLICY, new_resource
from passrole.services.iam.paging import page
from passrole.services.iam.policy_catalog import Policy, Usage
from passrole.services.iam.tags import TAGS, to_wire
from passrole.services.operation import Parameters, operation
from passrole.store import Tx

CHARACTERS_MAX = 6144

_NEW = new_resource(POLICY, "policy_name")


def named_policy(_ctx: Context, parameters: Parameters) -> str:
    """The resource of a call on a managed policy."""
    return str(parameters["policy_arn"])


def checked_document(text: str) -> str:
    """A managed policy's document. Raises MalformedPolicyDocument, LimitExceeded."""
    if documents.size(text) > CHARACTERS_MAX:
        raise refusals.quota("PolicySize", CHARACTERS_MAX)
    return documents.checked(text, "managed")


def listed(policy: Policy, usage: Usage) -> dict[str, Any]:
    """As ListPolicies has it."""
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default,
        "AttachmentCount": usage.attached[policy.arn],
        "PermissionsBoundaryUsageCount": usage.bounding[policy.arn],
        "IsAttachable": True,
        "CreateDate": policy.created,
        "UpdateDate": policy.updated,
    }


@operation("iam:CreatePolicy", resource=_NEW, keys=TAGS.request_keys, also=tagging("iam:TagPolicy", _NEW))
async def create_policy(
    ctx: Context,
    *,
    policy_name: str,
    policy_document: str,
    path: str = "/",
    description: str = "",
    tags: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """A managed policy of the account, version v1."""
    text, now = checked_document(policy_document), float(int(ctx.clock()))
    policy = ManagedPolicy(
        account=ctx.account,
        name=policy_name,
        path=path,
        id=ids.unique_id("ANPA"),
        created=now,
        updated=now,
        description=description,
        tags=TAGS.read(tags),
    )

    def create(tx: Tx) -> dict[str, Any]:
        kinds.add(tx, POLICY, policy)
        records.put_policy_version(tx, PolicyVersion(policy.arn, 1, text, now))
        return listed(policy_catalog.customer(policy), policy_catalog.usage(tx, ctx.account))

    shape = await ctx.store.write(create)
    return {"Policy": {**shape, **_tags(policy.tags)}}


@operation("iam:GetPolicy", resource=named_policy)
async def get_policy(ctx: Context, *, policy_arn: str) -> dict[str, Any]:
    """A managed policy without its document."""

    def get(tx: Tx) -> dict[str, Any]:
        policy = policy_catalog.find(tx, policy_arn)
        shape = listed(policy, policy_catalog.usage(tx, ctx.account))
        described = {"Description": policy.description} if policy.description else {}
        return {**shape, **described, **_tags(policy.tags)}

    return {"Policy": await ctx.store.read(get)}


@operation("iam:ListPolicies")
async def list_policies(
    ctx: Context,
    *,
    scope: str = "All",
    only_attached: bool = False,
    path_prefix: str = "/",
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """Managed policies by name: all, AWS's, or the account's own (`Local`)."""

    def read(tx: Tx) -> tuple[list[Policy], Usage]:
        return policy_catalog.every(tx, ctx.account), policy_catalog.usage(tx, ctx.account)

    policies, usage = await ctx.store.read(read)
    wanted = [
        policy
        for policy in policies
        if (scope == "All" or policy.is_aws == (scope == "AWS"))
        and policy.path.startswith(path_prefix)
        and (usage.attached[policy.arn] or not only_attached)
    ]
    return page(
        "Policies",
        wanted,
        by=_order,
        shape=lambda policy: listed(policy, usage),
        marker=marker,
        max_items=max_items,
    )


@operation("iam:DeletePolicy", resource=named_policy)
async def delete_policy(ctx: Context, *, policy_arn: str) -> dict[str, Any]:
    """Remove a policy that nobody uses and that has no version but its default one."""

    def delete(tx: Tx) -> None:
        policy = policy_catalog.find_own(tx, policy_arn)
        usage = policy_catalog.usage(tx, ctx.account)
        if usage.attached[policy_arn] or usage.bounding[policy_arn]:
            raise refusals.delete_conflict("Cannot delete a policy attached to entities.")
        versions = records.policy_versions(tx, policy)
        if len(versions) > 1:
            raise refusals.delete_conflict(_VERSIONS_LEFT)
        records.remove_policy_version(tx, versions[0])
        records.remove(tx, records.POLICIES, policy)

    await ctx.store.write(delete)
    return {}


_VERSIONS_LEFT = (
    "This policy has more than one version. Before you delete a policy, you must delete the policy's"
    " versions. The default version is deleted with the policy."
)


def _order(policy: Policy) -> str:
    return f"{policy.name.lower()} {policy.arn}"


def _tags(tags: Mapping[str, str]) -> dict[str, Any]:
    return {"Tags": to_wire(tags)} if tags else {}
