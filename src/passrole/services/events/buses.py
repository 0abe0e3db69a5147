"""Event buses, as far as rules need them: made, described, listed, deleted."""

from collections.abc import Mapping, Sequence
from typing import Any

from passrole import arns
from passrole.event_outbox import DEFAULT_BUS
from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.events import refusals
from passrole.services.events.paging import page
from passrole.services.events.records import BUSES, EventBus, bus_here, named_bus, rules_of
from passrole.services.events.tags import TAGS, creation
from passrole.services.operation import Parameters, operation
from passrole.store import Tx

BUSES_MAX = 100


def the_bus(ctx: Context, parameters: Parameters) -> str:
    """The ARN of the bus in the call."""
    return named_bus(ctx, parameters.get("name")).arn


@operation("events:CreateEventBus", resource=the_bus, keys=TAGS.checked_request_keys, also=creation(the_bus))
async def create_event_bus(
    ctx: Context,
    *,
    name: str,
    description: str | None = None,
    tags: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Make a bus; partners' sources, keys of KMS and logs of a bus are refused."""
    if "/" in name:
        raise refusals.invalid("Event bus name must not contain '/'.")
    bus = EventBus(ctx.account, ctx.region, name, ctx.clock(), description, TAGS.read(tags))

    def create(tx: Tx) -> None:
        if len(_made(tx, ctx)) >= BUSES_MAX:
            raise refusals.limit()
        if name == DEFAULT_BUS or not BUSES.add(tx, ctx.key(name), bus):
            raise Fault("ResourceAlreadyExistsException", f"Event bus {name} already exists.")

    await ctx.store.write(create)
    described = {} if description is None else {"Description": description}
    return {"EventBusArn": arns.event_bus(ctx.region, ctx.account, name), **described}


@operation("events:DescribeEventBus", resource=the_bus)
async def describe_event_bus(ctx: Context, *, name: str | None = None) -> dict[str, Any]:
    """A bus; by default, the default bus."""
    wanted = bus_here(ctx, name)
    if wanted == DEFAULT_BUS:
        return _default(ctx)
    bus = await ctx.store.read(lambda tx: BUSES.require(tx, ctx.key(wanted), lambda: refusals.no_bus(wanted)))
    return _shape(ctx, bus)


@operation("events:ListEventBuses")
async def list_event_buses(
    ctx: Context,
    *,
    name_prefix: str | None = None,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """All buses by name, the default bus among them."""
    made = await ctx.store.read(lambda tx: _made(tx, ctx))
    every = sorted([_default(ctx), *(_shape(ctx, bus) for bus in made)], key=lambda shape: str(shape["Name"]))
    wanted = [each for each in every if each["Name"].startswith(name_prefix or "")]
    return page("EventBuses", wanted, lambda each: str(each["Name"]), lambda each: each, limit, next_token)


@operation("events:DeleteEventBus", resource=the_bus)
async def delete_event_bus(ctx: Context, *, name: str) -> None:
    """Remove a bus without rules; idempotent: an unknown bus is no error."""
    if name == DEFAULT_BUS:
        raise refusals.invalid("Cannot delete event bus default.")

    def delete(tx: Tx) -> None:
        if rules_of(tx, ctx.key(name)):
            raise refusals.invalid(f"Event bus {name} can't be deleted since it has rules.")
        BUSES.delete(tx, ctx.key(name))

    await ctx.store.write(delete)


def _made(tx: Tx, ctx: Context) -> list[EventBus]:
    """All but the default bus, which has a row only for its tags."""
    return [bus for _, bus in BUSES.within(tx, *ctx.location) if bus.name != DEFAULT_BUS]


def _default(ctx: Context) -> dict[str, Any]:
    return {"Name": DEFAULT_BUS, "Arn": arns.event_bus(ctx.region, ctx.account, DEFAULT_BUS)}


def _shape(ctx: Context, bus: EventBus) -> dict[str, Any]:
    described = {} if bus.description is None else {"Description": bus.description}
    return {
        "Name": bus.name,
        "Arn": arns.event_bus(ctx.region, ctx.account, bus.name),
        "CreationTime": bus.created,
        "LastModifiedTime": bus.created,
        **described,
    }
