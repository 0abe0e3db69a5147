"""TagPolicy, UntagPolicy, ListPolicyTags: tags of the account's own managed policies, which go by ARN."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from passrole.identities import records
from passrole.services.context import Context
from passrole.services.iam import policy_catalog
from passrole.services.iam.kinds import POLICY
from passrole.services.iam.policies import named_policy
from passrole.services.iam.tags import TAGS, listed
from passrole.services.operation import operation
from passrole.services.tags import TagList, Tags, removed_keys
from passrole.store import Tx


@operation("iam:TagPolicy", resource=named_policy, keys=TAGS.request_keys)
async def tag_policy(ctx: Context, *, policy_arn: str, tags: TagList) -> dict[str, Any]:
    """Add tags to a policy."""
    return await _change(ctx, policy_arn, lambda present: TAGS.added(present, tags, POLICY.quota_noun))


@operation("iam:UntagPolicy", resource=named_policy, keys=removed_keys)
async def untag_policy(ctx: Context, *, policy_arn: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags from a policy."""
    return await _change(ctx, policy_arn, lambda present: TAGS.removed(present, tag_keys))


@operation("iam:ListPolicyTags", resource=named_policy)
async def list_policy_tags(
    ctx: Context, *, policy_arn: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """A policy's tags by key; AWS's own have none."""
    policy = await ctx.store.read(lambda tx: policy_catalog.find(tx, policy_arn))
    return listed(policy.tags, marker, max_items)


async def _change(ctx: Context, arn: str, change: Callable[[Tags], dict[str, str]]) -> dict[str, Any]:
    def write(tx: Tx) -> None:
        policy = policy_catalog.find_own(tx, arn)
        records.put(tx, records.POLICIES, replace(policy, tags=change(policy.tags)))

    await ctx.store.write(write)
    return {}
