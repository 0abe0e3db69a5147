"""CreateGrant, ListGrants, RevokeGrant, RetireGrant: what somebody may do with a key beside its policy."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole.identities import principals
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.kms import records, refusals
from passrole.services.kms.authorisation import context_keys, key_arn, key_keys, keys_of, policies_of
from passrole.services.kms.authorisation import key_policies as its_policies
from passrole.services.kms.paging import LIMIT_DEFAULT, PAGES, paged
from passrole.services.kms.records import GRANTS, Grant, Key, Meant
from passrole.services.operation import Parameters, operation
from passrole.store import Tx


async def _creation_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    constraints = parameters.get("constraints") or {}
    keys: dict[str, Values] = {
        **await key_keys(ctx, parameters),
        "kms:GrantOperations": tuple(parameters["operations"]),
        "kms:GranteePrincipal": parameters["grantee_principal"],
    }
    if parameters.get("retiring_principal"):
        keys["kms:RetiringPrincipal"] = parameters["retiring_principal"]
    return {**keys, **_constraint_keys(constraints)}


def _constraint_keys(constraints: Mapping[str, Mapping[str, str]]) -> dict[str, Values]:
    keys: dict[str, Values] = {}
    for kind, context in constraints.items():
        keys |= {"kms:GrantConstraintType": kind, **context_keys(context)}
    return keys


@operation(
    "kms:CreateGrant",
    resource=key_arn,
    keys=_creation_keys,
    resource_policy=its_policies,
    ignores=("grant_tokens",),
)
async def create_grant(
    ctx: Context,
    *,
    key_id: str,
    grantee_principal: str,
    operations: Sequence[str],
    retiring_principal: str | None = None,
    constraints: Mapping[str, Any] | None = None,
    name: str | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Grant operations to somebody; again under the same name, the same grant."""
    key = await records.usable(ctx, key_id)
    if dry_run:
        raise refusals.dry_run()

    def write(tx: Tx) -> Grant:
        grant = Grant(
            id=secrets.token_hex(32),
            token=secrets.token_urlsafe(96),
            grantee=_pinned(tx, ctx, grantee_principal),
            operations=list(operations),
            created=ctx.clock(),
            issuer=ctx.account,
            retiring=_pinned(tx, ctx, retiring_principal) if retiring_principal else None,
            name=name,
            constraints={kind: dict(context) for kind, context in (constraints or {}).items()},
        )
        for present in records.grants_of(tx, key) if name is not None else ():
            if present == replace(grant, id=present.id, token=present.token, created=present.created):
                return present
        GRANTS.put(tx, GRANTS.child(key.key, grant.id), grant)
        return grant

    made = await ctx.store.write(write)
    return {"GrantToken": made.token, "GrantId": made.id}


@operation("kms:ListGrants", resource=key_arn, keys=key_keys, resource_policy=its_policies)
async def list_grants(
    ctx: Context,
    *,
    key_id: str,
    grant_id: str | None = None,
    grantee_principal: str | None = None,
    limit: int = LIMIT_DEFAULT,
    marker: str | None = None,
) -> dict[str, Any]:
    """The grants on a key, or those of one grantee."""
    key = await records.required(ctx, key_id)

    def read(tx: Tx) -> list[dict[str, Any]]:
        show = _Shown(tx, ctx, key)
        return [show(grant) for grant in records.grants_of(tx, key)]

    wanted = [
        each
        for each in await ctx.store.read(read)
        if grant_id in (None, each["GrantId"]) and grantee_principal in (None, each["GranteePrincipal"])
    ]
    rows = PAGES.beyond(wanted, marker, lambda each: str(each["GrantId"]))
    return paged("Grants", rows, limit, lambda each: str(each["GrantId"]), lambda each: each)


@operation("kms:RevokeGrant", resource=key_arn, keys=key_keys, resource_policy=its_policies)
async def revoke_grant(ctx: Context, *, key_id: str, grant_id: str, dry_run: bool = False) -> None:
    """Take a grant away."""
    key = await records.required(ctx, key_id)
    await _delete(ctx, key, grant_id, dry_run)


async def _retired(ctx: Context, parameters: Parameters) -> tuple[Meant, Grant | None]:
    """The key and the grant that RetireGrant means, by its token or by both ids."""
    token, key_id = parameters.get("grant_token"), parameters.get("key_id")
    if token is None and (key_id is None or parameters.get("grant_id") is None):
        raise refusals.invalid("Please specify a grant token, or a key ARN and a grant ID.")
    if token is None:
        meant = (await records.meant(ctx, str(key_id)))._replace(alias=None)
        grants = await ctx.store.read(lambda tx: records.grants_of(tx, meant.key) if meant.key else [])
        return meant, next((each for each in grants if each.id == parameters["grant_id"]), None)

    def find(tx: Tx) -> tuple[Meant, Grant | None]:
        for key in records.every(tx, ctx):
            for grant in records.grants_of(tx, key):
                if secrets.compare_digest(grant.token, token):
                    return Meant(key, key.arn), grant
        raise refusals.bad_grant_token()

    return await ctx.store.read(find)


async def _retired_arn(ctx: Context, parameters: Parameters) -> str:
    return (await _retired(ctx, parameters))[0].arn


async def _retired_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    meant, grant = await _retired(ctx, parameters)
    return {**await keys_of(ctx, meant, {}), **_constraint_keys(grant.constraints if grant else {})}


async def _retired_policies(ctx: Context, parameters: Parameters) -> Sequence[str]:
    return await policies_of(ctx, (await _retired(ctx, parameters))[0])


@operation("kms:RetireGrant", resource=_retired_arn, keys=_retired_keys, resource_policy=_retired_policies)
async def retire_grant(
    ctx: Context,
    *,
    grant_token: str | None = None,
    key_id: str | None = None,
    grant_id: str | None = None,
    dry_run: bool = False,
) -> None:
    """Give a grant back, as who uses it or may retire it."""
    given = {"grant_token": grant_token, "key_id": key_id, "grant_id": grant_id}
    meant, grant = await _retired(ctx, given)
    if meant.key is None:
        raise refusals.no_key(meant.arn)
    if grant is None:
        raise refusals.no_grant(str(grant_id))
    await _delete(ctx, meant.key, grant.id, dry_run)


async def _delete(ctx: Context, key: Key, grant_id: str, dry_run: bool) -> None:
    def write(tx: Tx) -> None:
        stored = f"{key.key}/{grant_id}"
        if GRANTS.get(tx, stored) is None:
            raise refusals.no_grant(grant_id)
        if dry_run:
            raise refusals.dry_run()
        GRANTS.delete(tx, stored)

    await ctx.store.write(write)


def _pinned(tx: Tx, ctx: Context, principal: str) -> str:
    try:
        return principals.unique_id_of(tx, ctx.account, principal)
    except principals.UnknownPrincipal:
        raise refusals.invalid_arn(principal) from None


class _Shown:
    """A GrantListEntry in AWS's spelling."""

    def __init__(self, tx: Tx, ctx: Context, key: Key) -> None:
        self._names = principals.WithArns(tx, ctx.account)
        self._key = key

    def __call__(self, grant: Grant) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "KeyId": self._key.arn,
            "GrantId": grant.id,
            "CreationDate": grant.created,
            "GranteePrincipal": self._names.name(grant.grantee),
            "IssuingAccount": f"arn:aws:iam::{grant.issuer}:root",
            "Operations": grant.operations,
        }
        if grant.name is not None:
            shown["Name"] = grant.name
        if grant.retiring is not None:
            shown["RetiringPrincipal"] = self._names.name(grant.retiring)
        return {**shown, "Constraints": grant.constraints} if grant.constraints else shown
