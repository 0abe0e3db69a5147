"""AddLayerVersionPermission, GetLayerVersionPolicy, RemoveLayerVersionPermission: who may use a version."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from passrole import ids
from passrole.identities import principals
from passrole.services.context import Context
from passrole.services.lambda_ import layer_names, refusals
from passrole.services.lambda_.layer_records import (
    LAYER_VERSIONS,
    LayerVersion,
    existing_version,
    version_key,
)
from passrole.services.lambda_.permissions import (
    ResourcePolicy,
    checked,
    document_of,
    named_principal,
    pinned,
)
from passrole.services.operation import Parameters, operation
from passrole.store import Collection, Tx

LAYER_POLICIES = Collection("layer-version-policy", ResourcePolicy, separator=":")
"""Under the key of the version."""


async def its_policy(ctx: Context, parameters: Parameters) -> str | None:
    """The policy of the version that a call names."""
    named = layer_names.parse(ctx, parameters["layer_name"], parameters["version_number"])
    return await policy_of(ctx, named)


async def policy_by_arn(ctx: Context, parameters: Parameters) -> str | None:
    """The policy of the version that a call names by its ARN."""
    return await policy_of(ctx, layer_names.parse_version(parameters["arn"]))


async def policy_of(ctx: Context, named: layer_names.NamedLayer) -> str | None:
    """The policy of a version; of other accounts' layers none is known."""
    if (named.account, named.region) != ctx.location:
        return None
    key = version_key(ctx.key(named.name), named.version or 0)
    policy = await ctx.store.read(lambda tx: LAYER_POLICIES.get(tx, key))
    return document_of(policy) if policy else None


@operation("lambda:AddLayerVersionPermission", resource=layer_names.version_arn)
async def add_layer_version_permission(
    ctx: Context,
    *,
    layer_name: str,
    version_number: int,
    statement_id: str,
    action: str,
    principal: str,
    organization_id: str | None = None,
    revision_id: str | None = None,
) -> dict[str, Any]:
    """Add a statement to the policy; the response is the statement."""
    named = layer_names.parse(ctx, layer_name, version_number)
    statement: dict[str, Any] = {
        "Sid": statement_id,
        "Effect": "Allow",
        "Principal": named_principal(principal),
        "Action": action,
        "Resource": named.arn,
    }
    if organization_id is not None:
        statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": organization_id}}

    def add(tx: Tx, present: ResourcePolicy) -> ResourcePolicy:
        if any(each["Sid"] == statement_id for each in present.statements):
            raise refusals.statement_exists(statement_id)
        kept = {**statement, "Principal": pinned(tx, ctx.account, statement["Principal"])}
        changed = replace(present, statements=[*present.statements, kept])
        checked(document_of(changed))
        return changed

    revision = await _change(ctx, named, revision_id, add)
    return {"Statement": orjson.dumps(statement).decode(), "RevisionId": revision}


@operation("lambda:GetLayerVersionPolicy", resource=layer_names.version_arn)
async def get_layer_version_policy(ctx: Context, *, layer_name: str, version_number: int) -> dict[str, Any]:
    """The policy document (JSON) and its revision."""
    key = layer_names.key(ctx, layer_names.parse(ctx, layer_name))

    def read(tx: Tx) -> dict[str, Any]:
        existing_version(tx, key, version_number)
        policy = LAYER_POLICIES.require(tx, version_key(key, version_number), refusals.nothing_there)
        shown = principals.WithArns(tx, ctx.account)(document_of(policy))
        return {"Policy": shown, "RevisionId": policy.revision}

    return await ctx.store.read(read)


@operation("lambda:RemoveLayerVersionPermission", resource=layer_names.version_arn)
async def remove_layer_version_permission(
    ctx: Context,
    *,
    layer_name: str,
    version_number: int,
    statement_id: str,
    revision_id: str | None = None,
) -> None:
    """Remove a statement from the policy."""

    def remove(_tx: Tx, present: ResourcePolicy) -> ResourcePolicy:
        kept = [each for each in present.statements if each["Sid"] != statement_id]
        if len(kept) == len(present.statements):
            raise refusals.no_statement(statement_id)
        return replace(present, statements=kept)

    await _change(ctx, layer_names.parse(ctx, layer_name, version_number), revision_id, remove)


async def _change(
    ctx: Context,
    named: layer_names.NamedLayer,
    revision_id: str | None,
    change: Callable[[Tx, ResourcePolicy], ResourcePolicy],
) -> str:
    """The new revision of the policy."""
    layer, number = layer_names.key(ctx, named), named.version or 0
    key = version_key(layer, number)

    def write(tx: Tx) -> str:
        version: LayerVersion = existing_version(tx, layer, number)
        present = LAYER_POLICIES.get(tx, key) or ResourcePolicy([], version.revision)
        if revision_id is not None and revision_id != present.revision:
            raise refusals.revision_differs()
        changed = replace(change(tx, present), revision=ids.request_id())
        LAYER_VERSIONS.put(tx, key, replace(version, revision=changed.revision))
        if changed.statements:
            LAYER_POLICIES.put(tx, key, changed)
        else:
            LAYER_POLICIES.delete(tx, key)
        return changed.revision

    return await ctx.store.write(write)
