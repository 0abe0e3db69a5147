"""Who may use a key: its policy, the grants on it, and the condition keys of a call.

A key is closed to IAM unless its policy names the account (the door knows that of all of KMS). A grant is one
more statement: it allows its operations to its grantee, with its constraints as conditions.
https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.kms import records
from passrole.services.kms.records import Grant, Meant
from passrole.services.operation import Parameters

_CONSTRAINED = frozenset({"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"})


async def key_arn(ctx: Context, parameters: Parameters) -> str:
    """The key that a call is about, by its ARN, also where the call has an alias."""
    return (await records.meant(ctx, parameters["key_id"])).arn


async def key_policies(ctx: Context, parameters: Parameters) -> Sequence[str]:
    """The documents that decide about the key."""
    return await policies_of(ctx, await records.meant(ctx, parameters["key_id"]))


async def key_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The condition keys of a call about a key."""
    meant = await records.meant(ctx, parameters["key_id"])
    return await keys_of(ctx, meant._replace(alias=None), parameters)


async def named_key_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The same of calls that use or describe a key: they have the alias by which it was named, too."""
    return await keys_of(ctx, await records.meant(ctx, parameters["key_id"]), parameters)


async def policies_of(ctx: Context, meant: Meant) -> Sequence[str]:
    """The key's policy, and its grants; nothing of a key that is not here."""
    key = meant.key
    if key is None:
        return ()
    grants = await ctx.store.read(lambda tx: records.grants_of(tx, key))
    statements = [each for grant in grants for each in _statements(grant)]
    if not statements:
        return (key.policy,)
    granted = {"Version": "2012-10-17", "Statement": statements}
    return (key.policy, orjson.dumps(granted).decode())


async def keys_of(ctx: Context, meant: Meant, parameters: Parameters) -> Mapping[str, Values]:
    """The condition keys of the key, the caller, the alias in the call and its encryption context.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    """
    keys = {**caller_keys(ctx, parameters), **context_keys(parameters.get("encryption_context"))}
    if meant.alias is not None:
        keys["kms:RequestAlias"] = meant.alias
    key = meant.key
    if key is None:
        return keys
    aliases = await ctx.store.read(lambda tx: records.aliases_of(tx, key))
    if aliases:
        keys["kms:ResourceAliases"] = tuple(alias.name for alias in aliases)
    return {**keys, **SYMMETRIC_KEYS}


def caller_keys(ctx: Context, _parameters: Parameters) -> dict[str, Values]:
    """The condition keys of every call."""
    return {"kms:CallerAccount": ctx.principal.account}


def context_keys(context: Mapping[str, str] | None) -> dict[str, Values]:
    """The condition keys of an encryption context; none without one."""
    if not context:
        return {}
    values = {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
    return {"kms:EncryptionContextKeys": tuple(context), **values}


SYMMETRIC_KEYS: Mapping[str, Values] = {
    "kms:KeyOrigin": "AWS_KMS",
    "kms:KeySpec": "SYMMETRIC_DEFAULT",
    "kms:KeyUsage": "ENCRYPT_DECRYPT",
    "kms:MultiRegion": "false",
}


def _statements(grant: Grant) -> list[dict[str, Any]]:
    """What the grant allows, and to the principal that may retire it, that."""
    open_ = [each for each in grant.operations if each not in _CONSTRAINED or not grant.constraints]
    bound = [each for each in grant.operations if each in _CONSTRAINED and grant.constraints]
    found = [_statement(grant.grantee, open_), _statement(grant.grantee, bound, _conditions(grant))]
    if grant.retiring is not None:
        found.append(_statement(grant.retiring, ["RetireGrant"]))
    return [each for each in found if each["Action"]]


def _statement(
    principal: str, operations: Sequence[str], conditions: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": [f"kms:{operation}" for operation in operations],
        "Resource": "*",
    }
    return {**statement, "Condition": conditions} if conditions else statement


def _conditions(grant: Grant) -> Mapping[str, Any]:
    exact = grant.constraints.get("EncryptionContextEquals")
    wanted = exact if exact is not None else grant.constraints.get("EncryptionContextSubset", {})
    conditions: dict[str, Any] = {
        "StringEquals": {f"kms:EncryptionContext:{name}": value for name, value in wanted.items()}
    }
    if exact is not None:
        conditions["ForAllValues:StringEquals"] = {"kms:EncryptionContextKeys": list(exact)}
    return {operator: tests for operator, tests in conditions.items() if tests}
