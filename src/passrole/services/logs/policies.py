"""Resource policies of CloudWatch Logs: ten for an account and a region, asked together where services write.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from passrole.arns import Account
from passrole.faults import Fault
from passrole.identities import principals
from passrole.policy import MalformedPolicyDocument, parse_document
from passrole.services.context import Context
from passrole.services.logs import refusals, registry
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


async def attached(ctx: Context, _parameters: Parameters) -> str | None:
    """All policies as one document, if there are any."""
    found = await ctx.store.read(lambda tx: _every(tx, ctx))
    if not found:
        return None
    documents = [orjson.loads(policy.document) for policy in found]
    statements = [statement for document in documents for statement in _statements(document)]
    return orjson.dumps({"Version": "2012-10-17", "Statement": statements}).decode()


@operation("logs:PutResourcePolicy")
async def put_resource_policy(ctx: Context, *, policy_name: str, policy_document: str) -> dict[str, Any]:
    """Keep a policy, in place of the one of that name."""
    try:
        parse_document(policy_document, "resource")
    except MalformedPolicyDocument as error:
        raise refusals.invalid(error.message) from None
    policy = ResourcePolicy(policy_name, policy_document, registry.now_ms(ctx))

    def put(tx: Tx) -> dict[str, Any]:
        others = [each for each in _every(tx, ctx) if each.name != policy_name]
        if len(others) >= POLICIES_MAX:
            raise Fault("LimitExceededException", "Resource limit exceeded.")
        kept = replace(policy, document=_pinned(tx, ctx.account, policy_document))
        POLICIES.put(tx, ctx.key(policy_name), kept)
        return _shape(kept, principals.Shown(tx, ctx.account))

    return {"resourcePolicy": await ctx.store.write(put)}


@operation("logs:DescribeResourcePolicies", ignores=["limit"])
async def describe_resource_policies(ctx: Context) -> dict[str, Any]:
    """All policies by name: there are never more than a page holds."""

    def read(tx: Tx) -> list[dict[str, Any]]:
        show = principals.Shown(tx, ctx.account)
        return [_shape(policy, show) for policy in _every(tx, ctx)]

    return {"resourcePolicies": await ctx.store.read(read)}


@operation("logs:DeleteResourcePolicy")
async def delete_resource_policy(ctx: Context, *, policy_name: str) -> None:
    """Forget a policy."""
    if not await ctx.store.write(lambda tx: POLICIES.delete(tx, ctx.key(policy_name))):
        raise Fault("ResourceNotFoundException", f"Policy with name [{policy_name}] does not exist.")


def _every(tx: Tx, ctx: Context) -> Sequence[ResourcePolicy]:
    return [policy for _, policy in POLICIES.within(tx, *ctx.place)]


def _pinned(tx: Tx, account: Account, document: str) -> str:
    try:
        return principals.pinned(tx, account, document)
    except principals.UnknownPrincipal as unknown:
        raise refusals.invalid(f'Invalid principal in policy: "AWS":"{unknown.name}"') from None


def _statements(document: dict[str, Any]) -> list[Any]:
    statements = document["Statement"]
    return statements if isinstance(statements, list) else [statements]


def _shape(policy: ResourcePolicy, show: principals.Shown) -> dict[str, Any]:
    return {
        "policyName": policy.name,
        "policyDocument": show(policy.document),
        "lastUpdatedTime": policy.updated,
    }
