"""Resource policies of CloudWatch Logs: ten for an account and a region, each judged where services write.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from passrole.arns import Account
from passrole.faults import Fault
from passrole.identities import principals
from passrole.policy import MalformedPolicyDocument, parse_document
from passrole.services.context import Context
from passrole.services.logs import records, refusals
from passrole.services.operation import Parameters, operation
from passrole.store import Collection, Tx

POLICIES_MAX = 10


@dataclass(frozen=True)
class ResourcePolicy:
    """A named document (JSON text); `updated` in epoch milliseconds."""

    name: str
    document: str
    updated: int


POLICIES = Collection("log_resource_policy", ResourcePolicy)


async def attached(ctx: Context, _parameters: Parameters) -> Sequence[str]:
    """The documents of all policies, which are judged one by one."""
    found = await ctx.store.read(lambda tx: _every(tx, ctx))
    return [policy.document for policy in found]


@operation("logs:PutResourcePolicy")
async def put_resource_policy(ctx: Context, *, policy_name: str, policy_document: str) -> dict[str, Any]:
    """Store a policy, in place of the one of that name."""
    try:
        parse_document(policy_document, "resource")
    except MalformedPolicyDocument as error:
        raise refusals.invalid(error.message) from None
    policy = ResourcePolicy(policy_name, policy_document, records.now_ms(ctx))

    def put(tx: Tx) -> dict[str, Any]:
        others = [each for each in _every(tx, ctx) if each.name != policy_name]
        if len(others) >= POLICIES_MAX:
            raise Fault("LimitExceededException", "Resource limit exceeded.")
        kept = replace(policy, document=_pinned(tx, ctx.account, policy_document))
        POLICIES.put(tx, ctx.key(policy_name), kept)
        return _shape(kept, principals.WithArns(tx, ctx.account))

    return {"resourcePolicy": await ctx.store.write(put)}


@operation("logs:DescribeResourcePolicies", ignores=["limit"])
async def describe_resource_policies(ctx: Context) -> dict[str, Any]:
    """All policies by name: there are never more than a page holds."""

    def read(tx: Tx) -> list[dict[str, Any]]:
        show = principals.WithArns(tx, ctx.account)
        return [_shape(policy, show) for policy in _every(tx, ctx)]

    return {"resourcePolicies": await ctx.store.read(read)}


@operation("logs:DeleteResourcePolicy")
async def delete_resource_policy(ctx: Context, *, policy_name: str) -> None:
    """Delete a policy."""
    if not await ctx.store.write(lambda tx: POLICIES.delete(tx, ctx.key(policy_name))):
        raise Fault("ResourceNotFoundException", f"Policy with name [{policy_name}] does not exist.")


def _every(tx: Tx, ctx: Context) -> Sequence[ResourcePolicy]:
    return [policy for _, policy in POLICIES.within(tx, *ctx.location)]


def _pinned(tx: Tx, account: Account, document: str) -> str:
    try:
        return principals.with_unique_ids(tx, account, document)
    except principals.UnknownPrincipal as unknown:
        raise refusals.invalid(f'Invalid principal in policy: "AWS":"{unknown.name}"') from None


def _shape(policy: ResourcePolicy, show: principals.WithArns) -> dict[str, Any]:
    return {
        "policyName": policy.name,
        "policyDocument": show(policy.document),
        "lastUpdatedTime": policy.updated,
    }
