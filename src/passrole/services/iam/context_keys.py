"""GetContextKeysForCustomPolicy, GetContextKeysForPrincipalPolicy: the condition keys of policies."""

from collections.abc import Sequence
from typing import Any

from passrole.services.context import Context
from passrole.services.iam.policy_sources import given, keys_of, policies_of, policy_source
from passrole.services.operation import operation


@operation("iam:GetContextKeysForCustomPolicy")
async def get_context_keys_for_custom_policy(
    _ctx: Context, *, policy_input_list: Sequence[str]
) -> dict[str, Any]:
    """Keys of the policies given, in the spelling and order of those."""
    return keys_of(given(policy_input_list, "PolicyInputList"))


@operation("iam:GetContextKeysForPrincipalPolicy", resource=policy_source)
async def get_context_keys_for_principal_policy(
    ctx: Context, *, policy_source_arn: str, policy_input_list: Sequence[str] = ()
) -> dict[str, Any]:
    """Keys of the policies of a user or role, then of those given; the boundary's are not among them."""
    own = await policies_of(ctx, policy_source_arn)
    return keys_of([*own.sources, *given(policy_input_list, "PolicyInputList")])
