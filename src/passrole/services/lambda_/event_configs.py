"""Put-, Update-, Get-, List- and DeleteFunctionEventInvokeConfig: retries, age and destinations of
asynchronous invocations.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.lambda_ import destinations, names, refusals
from passrole.services.lambda_.event_config_records import CONFIGS, EventConfig, config_of, shown
from passrole.services.lambda_.names import LATEST, Named
from passrole.services.lambda_.paging import PAGES
from passrole.services.lambda_.qualifiers import resolve, version_key
from passrole.services.lambda_.records import Function
from passrole.services.operation import operation
from passrole.store import Tx

PAGE_MAX = 50
Destinations = Mapping[str, Mapping[str, str]]


@operation("lambda:PutFunctionEventInvokeConfig", resource=names.stored_arn)
async def put_function_event_invoke_config(
    ctx: Context,
    *,
    function_name: str,
    qualifier: str | None = None,
    maximum_retry_attempts: int | None = None,
    maximum_event_age_in_seconds: int | None = None,
    destination_config: Destinations | None = None,
) -> dict[str, Any]:
    """Replace the whole configuration; what is not given gets its default."""
    given = _given(maximum_retry_attempts, maximum_event_age_in_seconds, destination_config)
    named = names.parse(ctx, function_name, qualifier)
    await _check_destinations(ctx, named, destination_config)

    def new(_tx: Tx) -> EventConfig:
        latest = named.qualifier or LATEST
        return EventConfig(ctx.account, ctx.region, named.name, latest, ctx.clock(), **given)

    return await _put(ctx, named, new)


@operation("lambda:UpdateFunctionEventInvokeConfig", resource=names.stored_arn)
async def update_function_event_invoke_config(
    ctx: Context,
    *,
    function_name: str,
    qualifier: str | None = None,
    maximum_retry_attempts: int | None = None,
    maximum_event_age_in_seconds: int | None = None,
    destination_config: Destinations | None = None,
) -> dict[str, Any]:
    """Change the given fields and leave the others."""
    given = _given(maximum_retry_attempts, maximum_event_age_in_seconds, destination_config)
    named = names.parse(ctx, function_name, qualifier)
    await _check_destinations(ctx, named, destination_config)

    def changed(tx: Tx) -> EventConfig:
        return replace(_existing(tx, ctx, named), modified=ctx.clock(), **given)

    return await _put(ctx, named, changed)


@operation("lambda:GetFunctionEventInvokeConfig", resource=names.stored_arn)
async def get_function_event_invoke_config(
    ctx: Context, *, function_name: str, qualifier: str | None = None
) -> dict[str, Any]:
    """The configuration of the function, or of one version or alias."""
    named = names.parse(ctx, function_name, qualifier)
    return await ctx.store.read(lambda tx: shown(_existing(tx, ctx, named)))


@operation("lambda:ListFunctionEventInvokeConfigs", resource=names.unqualified_arn)
async def list_function_event_invoke_configs(
    ctx: Context, *, function_name: str, marker: str | None = None, max_items: int = PAGE_MAX
) -> dict[str, Any]:
    """The configurations of the function, its versions and its aliases."""
    named = names.parse(ctx, function_name)
    key = names.key(ctx, named)
    after = PAGES.after(marker or None, lambda qualifier: version_key(key, qualifier))

    def read(tx: Tx) -> list[EventConfig]:
        _present(tx, ctx, named)
        return [config for _, config in CONFIGS.children(tx, key, after=after, limit=max_items + 1)]

    found, more = PAGES.page(await ctx.store.read(read), max_items, lambda config: config.qualifier)
    return {"FunctionEventInvokeConfigs": [shown(each) for each in found], **more}


@operation("lambda:DeleteFunctionEventInvokeConfig", resource=names.stored_arn)
async def delete_function_event_invoke_config(
    ctx: Context, *, function_name: str, qualifier: str | None = None
) -> None:
    """Delete the configuration: the defaults count from now on."""
    named = names.parse(ctx, function_name, qualifier)

    def delete(tx: Tx) -> None:
        config = _existing(tx, ctx, named)
        CONFIGS.delete(tx, version_key(names.key(ctx, named), config.qualifier))

    await ctx.store.write(delete)


def _given(
    retries: int | None, age_seconds: int | None, destination_config: Destinations | None
) -> dict[str, Any]:
    """The fields that the call brings. Raises InvalidParameterValueException where it brings none."""
    if retries is None and age_seconds is None and destination_config is None:
        raise refusals.invalid("You must specify at least one of error handling or destination setting.")
    given = {"retries": retries, "age_seconds": age_seconds}
    fields: dict[str, Any] = without_none(**given)
    if destination_config is not None:
        fields["on_success"] = _destination(destination_config, "OnSuccess")
        fields["on_failure"] = _destination(destination_config, "OnFailure")
    return fields


def _destination(config: Destinations, when: str) -> str | None:
    return (config.get(when) or {}).get("Destination") or None


async def _check_destinations(ctx: Context, named: Named, destination_config: Destinations | None) -> None:
    """The function's role must reach the destinations.

    Raises InvalidParameterValueException, ResourceNotFoundException.
    """
    function = await ctx.store.read(lambda tx: _present(tx, ctx, named))
    config = destination_config or {}
    given = {when: _destination(config, when) for when in ("OnSuccess", "OnFailure")}
    for arn in given.values():
        if arn is not None:
            await destinations.check(ctx, function, arn, given)


async def _put(ctx: Context, named: Named, make: Callable[[Tx], EventConfig]) -> dict[str, Any]:
    """Store what `make` gives for a function, version or alias that exists.

    Raises ResourceNotFoundException, and what `make` raises.
    """

    def write(tx: Tx) -> dict[str, Any]:
        _present(tx, ctx, named)
        config = make(tx)
        CONFIGS.put(tx, version_key(names.key(ctx, named), config.qualifier), config)
        return shown(config)

    return await ctx.store.write(write)


def _present(tx: Tx, ctx: Context, named: Named) -> Function:
    function = resolve(tx, names.key(ctx, named), named.qualifier)
    if function is None:
        raise refusals.no_function()
    return function


def _existing(tx: Tx, ctx: Context, named: Named) -> EventConfig:
    config = config_of(tx, names.key(ctx, named), named.qualifier)
    if config is None:
        unqualified = named._replace(qualifier=named.qualifier or LATEST)
        raise refusals.no_event_config(unqualified.arn)
    return config
