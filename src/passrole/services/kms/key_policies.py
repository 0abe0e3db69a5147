"""GetKeyPolicy, PutKeyPolicy, ListKeyPolicies: the one policy of a key, `default`."""

from collections.abc import Mapping
from typing import Any

import orjson

from passrole import arns
from passrole.identities import principals
from passrole.policy import MalformedPolicyDocument, PolicySet, evaluate, parse_document
from passrole.policy.request import Request, Values
from passrole.services.context import Context
from passrole.services.kms import records, refusals
from passrole.services.kms.authorisation import key_arn, key_keys
from passrole.services.kms.authorisation import key_policies as its_policies
from passrole.services.operation import Parameters, operation
from passrole.store import Tx

NAME = "default"
_EVERYTHING = parse_document(
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}', "identity"
)


@operation("kms:GetKeyPolicy", resource=key_arn, keys=key_keys, resource_policy=its_policies)
async def get_key_policy(ctx: Context, *, key_id: str, policy_name: str = NAME) -> dict[str, Any]:
    """The document (JSON)."""
    key = await records.required(ctx, key_id)
    _check_name(policy_name)
    shown = await ctx.store.read(lambda tx: principals.WithArns(tx, ctx.account)(key.policy))
    return {"Policy": shown, "PolicyName": NAME}


def safety_keys(parameters: Parameters) -> Mapping[str, Values]:
    """The condition key of calls that can lock their caller out."""
    bypasses = bool(parameters.get("bypass_policy_lockout_safety_check"))
    return {"kms:BypassPolicyLockoutSafetyCheck": "true" if bypasses else "false"}


async def _changing_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**await key_keys(ctx, parameters), **safety_keys(parameters)}


@operation("kms:PutKeyPolicy", resource=key_arn, keys=_changing_keys, resource_policy=its_policies)
async def put_key_policy(
    ctx: Context,
    *,
    key_id: str,
    policy: str,
    policy_name: str = NAME,
    bypass_policy_lockout_safety_check: bool = False,
) -> None:
    """Replace the policy. One that locks the caller out is refused, unless that is asked for."""
    arn = (await records.required(ctx, key_id)).arn
    _check_name(policy_name)
    check(ctx, arn, policy, safely=not bypass_policy_lockout_safety_check)
    await ctx.store.write(
        lambda tx: records.changed(tx, records.required_key(tx, arn), policy=pinned(tx, ctx, policy))
    )


@operation(
    "kms:ListKeyPolicies",
    resource=key_arn,
    keys=key_keys,
    resource_policy=its_policies,
    ignores=("limit", "marker"),
)
async def list_key_policies(ctx: Context, *, key_id: str) -> dict[str, Any]:
    """The name of the one policy."""
    await records.required(ctx, key_id)
    return {"PolicyNames": [NAME], "Truncated": False}


def default_policy(ctx: Context) -> str:
    """The policy of a key that is made without one: IAM decides in the account.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    """
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{arns.PARTITION}:iam::{ctx.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    document = {"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]}
    return orjson.dumps(document).decode()


def check(ctx: Context, arn: str, document: str, *, safely: bool) -> None:
    """Refuse what is no policy, or would never let the caller change it. MalformedPolicyDocumentException."""
    try:
        compiled = parse_document(document, "resource")
    except MalformedPolicyDocument as error:
        raise refusals.malformed_policy(error.message) from None
    if not safely:
        return
    keys = {"kms:CallerAccount": ctx.principal.account}
    request = Request(ctx.principal, "kms:PutKeyPolicy", arn, ctx.account, keys)
    policies = PolicySet(identity=(("everything", _EVERYTHING),), resource=compiled, must_grant=True)
    if not evaluate(request, policies).allowed:
        message = "The new key policy will not allow you to update the key policy in the future."
        raise refusals.malformed_policy(message)


def pinned(tx: Tx, ctx: Context, document: str) -> str:
    """The document as it is stored. Raises MalformedPolicyDocumentException."""
    try:
        return principals.with_unique_ids(tx, ctx.account, document)
    except principals.UnknownPrincipal:
        message = "Policy contains a statement with one or more invalid principals."
        raise refusals.malformed_policy(message) from None


def _check_name(name: str) -> None:
    if name != NAME:
        raise refusals.no_policy(name)
