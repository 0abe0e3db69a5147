"""CreateAlias, GetAlias, UpdateAlias, DeleteAlias, ListAliases: names for versions of a function."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from passrole import ids
from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.lambda_ import names, qualifiers, refusals
from passrole.services.lambda_.event_config_records import CONFIGS
from passrole.services.lambda_.names import LATEST
from passrole.services.lambda_.paging import PAGES
from passrole.services.lambda_.permissions import POLICIES
from passrole.services.lambda_.qualifiers import ALIASES, Alias
from passrole.services.lambda_.records import existing
from passrole.services.operation import operation
from passrole.services.pages import wanted_rows
from passrole.store import Tx

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import AliasRoutingConfigurationTypeDef

PAGE_MAX = 10_000
_WEIGHTS = "routingConfig.additionalVersionWeights"


@operation("lambda:CreateAlias", resource=names.unqualified_arn)
async def create_alias(
    ctx: Context,
    *,
    function_name: str,
    name: str,
    function_version: str,
    description: str = "",
    routing_config: "AliasRoutingConfigurationTypeDef | None" = None,
) -> dict[str, Any]:
    """A new name for $LATEST or a published version."""
    named = names.parse(ctx, function_name)
    key = names.latest_key(ctx, named)
    if names.is_version(name) or name == LATEST:
        rule = "satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"
        raise refusals.constraint(name, "name", rule)
    alias = Alias(
        account=ctx.account,
        region=ctx.region,
        function=named.name,
        name=name,
        version=function_version,
        description=description,
        revision=ids.request_id(),
        weights=_weights(routing_config) or {},
    )

    def write(tx: Tx) -> dict[str, Any]:
        existing(tx, key, named)
        _check(tx, key, alias)
        if not ALIASES.add(tx, qualifiers.version_key(key, name), alias):
            raise refusals.alias_exists(alias.arn)
        return _shown(alias)

    return await ctx.store.write(write)


@operation("lambda:GetAlias", resource=names.unqualified_arn)
async def get_alias(ctx: Context, *, function_name: str, name: str) -> dict[str, Any]:
    """The versions that an alias names."""
    named = names.parse(ctx, function_name)
    key = names.latest_key(ctx, named)
    return await ctx.store.read(lambda tx: _shown(_present(tx, key, named, name)))


@operation("lambda:UpdateAlias", resource=names.unqualified_arn)
async def update_alias(
    ctx: Context,
    *,
    function_name: str,
    name: str,
    function_version: str | None = None,
    description: str | None = None,
    routing_config: "AliasRoutingConfigurationTypeDef | None" = None,
    revision_id: str | None = None,
) -> dict[str, Any]:
    """Change the given fields; they count from the next invocation."""
    named = names.parse(ctx, function_name)
    key = names.latest_key(ctx, named)
    changes: dict[str, Any] = {
        "version": function_version,
        "description": description,
        "weights": _weights(routing_config),
        "revision": ids.request_id(),
    }
    given = without_none(**changes)

    def write(tx: Tx) -> dict[str, Any]:
        present = _present(tx, key, named, name)
        if revision_id is not None and revision_id != present.revision:
            raise refusals.revision_differs()
        alias: Alias = replace(present, **given)
        _check(tx, key, alias)
        ALIASES.put(tx, qualifiers.version_key(key, name), alias)
        return _shown(alias)

    return await ctx.store.write(write)


@operation("lambda:DeleteAlias", resource=names.unqualified_arn)
async def delete_alias(ctx: Context, *, function_name: str, name: str) -> None:
    """Delete an alias and its policy, not the version. An unknown alias is no error."""
    named = names.parse(ctx, function_name)
    key = names.latest_key(ctx, named)

    def write(tx: Tx) -> None:
        existing(tx, key, named)
        ALIASES.delete(tx, qualifiers.version_key(key, name))
        POLICIES.delete(tx, qualifiers.version_key(key, name))
        CONFIGS.delete(tx, qualifiers.version_key(key, name))

    await ctx.store.write(write)


@operation("lambda:ListAliases", resource=names.unqualified_arn)
async def list_aliases(
    ctx: Context,
    *,
    function_name: str,
    function_version: str | None = None,
    marker: str | None = None,
    max_items: int = PAGE_MAX,
) -> dict[str, Any]:
    """Aliases by name; only those of one version, if it is given."""
    named = names.parse(ctx, function_name)
    key = names.latest_key(ctx, named)
    after = PAGES.after(marker or None, lambda name: qualifiers.version_key(key, name))

    def read(tx: Tx) -> list[Alias]:
        existing(tx, key, named)
        return wanted_rows(
            lambda after, limit: ALIASES.children(tx, key, after=after, limit=limit),
            lambda alias: function_version in (None, alias.version),
            after=after,
            limit=max_items + 1,
        )

    found, more = PAGES.page(await ctx.store.read(read), max_items, lambda alias: alias.name)
    return {"Aliases": [_shown(alias) for alias in found], **more}


def _present(tx: Tx, key: str, named: names.Named, name: str) -> Alias:
    return ALIASES.require(
        tx, qualifiers.version_key(key, name), lambda: refusals.no_alias(f"{named.arn}:{name}")
    )


def _check(tx: Tx, key: str, alias: Alias) -> None:
    """Raises ResourceNotFoundException for an unknown version, and Fault for bad weights."""
    for version in (alias.version, *alias.weights):
        if qualifiers.version(tx, key, version) is None:
            raise refusals.not_found(f"{alias.arn.removesuffix(alias.name)}{version}")
    if not alias.weights:
        return
    if LATEST in (alias.version, *alias.weights):
        raise refusals.invalid("$LATEST is not supported for an alias pointing to more than 1 version")
    if alias.version in alias.weights:
        raise refusals.invalid(
            f"Invalid function version {alias.version}. Function version {alias.version} is already included"
            " in routing configuration."
        )


def _weights(routing: "AliasRoutingConfigurationTypeDef | None") -> dict[str, float] | None:
    """The weights; an empty configuration removes them."""
    if routing is None:
        return None
    weights = dict(routing.get("AdditionalVersionWeights") or {})
    if len(weights) > 1:
        raise refusals.invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    for version, weight in weights.items():
        if not names.is_version(version) or not 0 <= weight <= 1:
            rule = "satisfy constraint: [Member must be a version, with a weight between 0.0 and 1.0]"
            raise refusals.constraint(f"{{{version}={weight}}}", _WEIGHTS, rule)
    return weights


def _shown(alias: Alias) -> dict[str, Any]:
    """An AliasConfiguration."""
    shown: dict[str, Any] = {
        "AliasArn": alias.arn,
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    }
    if alias.weights:
        shown["RoutingConfig"] = {"AdditionalVersionWeights": dict(alias.weights)}
    return shown
