"""CreateAlias, UpdateAlias, DeleteAlias, ListAliases. Who changes one is asked about it and its key."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from passrole.services.context import Context
from passrole.services.kms import records, refusals
from passrole.services.kms.authorisation import caller_keys, keys_of, policies_of
from passrole.services.kms.paging import LIMIT_DEFAULT, PAGES, paged
from passrole.services.kms.records import ALIASES, Alias
from passrole.services.operation import Parameters, Permission, operation
from passrole.store import Tx

_PREFIX = "alias/"
_AWS = "alias/aws/"


def _alias(ctx: Context, parameters: Parameters) -> str:
    return records.alias_arn(ctx, parameters["alias_name"])


async def _on_key(ctx: Context, action: str, key_id: str) -> Permission:
    meant = await records.meant(ctx, key_id)
    keys = await keys_of(ctx, meant, {})
    return Permission(action, meant.arn, keys, tuple(await policies_of(ctx, meant)) or None)


async def _on_target(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    return [await _on_key(ctx, "kms:CreateAlias", parameters["target_key_id"])]


async def _on_both(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    target = await _on_key(ctx, "kms:UpdateAlias", parameters["target_key_id"])
    return [*await _on_present(ctx, parameters, "kms:UpdateAlias"), target]


async def _on_its_key(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    return await _on_present(ctx, parameters, "kms:DeleteAlias")


async def _on_present(ctx: Context, parameters: Parameters, action: str) -> Sequence[Permission]:
    alias = await ctx.store.read(lambda tx: ALIASES.get(tx, ctx.key(parameters["alias_name"])))
    return [] if alias is None else [await _on_key(ctx, action, alias.target)]


@operation("kms:CreateAlias", resource=_alias, keys=caller_keys, also=_on_target)
async def create_alias(ctx: Context, *, alias_name: str, target_key_id: str) -> None:
    """Name a key."""
    name = _checked(alias_name)
    target = (await records.required(ctx, target_key_id)).id
    now = ctx.clock()
    if not await ctx.store.write(lambda tx: ALIASES.add(tx, ctx.key(name), Alias(name, target, now, now))):
        raise refusals.alias_exists(records.alias_arn(ctx, name))


@operation("kms:UpdateAlias", resource=_alias, keys=caller_keys, also=_on_both)
async def update_alias(ctx: Context, *, alias_name: str, target_key_id: str) -> None:
    """Let an alias name another key."""
    name = _checked(alias_name)
    target = (await records.required(ctx, target_key_id)).id

    def write(tx: Tx) -> None:
        alias = _existing(tx, ctx, name)
        ALIASES.put(tx, ctx.key(name), replace(alias, target=target, updated=ctx.clock()))

    await ctx.store.write(write)


@operation("kms:DeleteAlias", resource=_alias, keys=caller_keys, also=_on_its_key)
async def delete_alias(ctx: Context, *, alias_name: str) -> None:
    """Delete an alias; its key stays."""
    name = _checked(alias_name)

    def write(tx: Tx) -> None:
        _existing(tx, ctx, name)
        ALIASES.delete(tx, ctx.key(name))

    await ctx.store.write(write)


@operation("kms:ListAliases", keys=caller_keys)
async def list_aliases(
    ctx: Context, *, key_id: str | None = None, limit: int = LIMIT_DEFAULT, marker: str | None = None
) -> dict[str, Any]:
    """The aliases of the region by name, or those of a key; AWS's own have no key before one is needed."""
    only = None if key_id is None else (await records.required(ctx, key_id)).id
    found = await ctx.store.read(lambda tx: [alias for _, alias in ALIASES.within(tx, *ctx.location)])
    known = {alias.name: alias for alias in found}
    names = sorted({*known, *records.MANAGED} if only is None else known)
    wanted = [name for name in names if only is None or known[name].target == only]
    rows = PAGES.beyond(wanted, marker, str)
    return paged("Aliases", rows, limit, str, lambda name: _shown(ctx, name, known.get(name)))


def _shown(ctx: Context, name: str, alias: Alias | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"AliasName": name, "AliasArn": records.alias_arn(ctx, name)}
    if alias is None:
        return shown
    times = {"CreationDate": alias.created, "LastUpdatedDate": alias.updated}
    return {**shown, "TargetKeyId": alias.target, **times}


def _checked(name: str) -> str:
    if not name.startswith(_PREFIX) or name == _PREFIX:
        raise refusals.bad_alias('Alias must start with the prefix "alias/". Please see the documentation.')
    if name.startswith(_AWS):
        raise refusals.bad_alias("Aliases that begin with alias/aws/ are reserved for AWS.")
    return name


def _existing(tx: Tx, ctx: Context, name: str) -> Alias:
    return ALIASES.require(tx, ctx.key(name), lambda: refusals.no_alias(records.alias_arn(ctx, name)))
