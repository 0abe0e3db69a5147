"""Rules: put, described, listed, switched on and off, deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole import arns
from passrole.event_outbox import DEFAULT_BUS
from passrole.members import without_none
from passrole.patterns import InvalidPattern, compile_pattern
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.events import refusals, scheduled_runs
from passrole.services.events.paging import PAGE_ITEMS, PAGES, page
from passrole.services.events.records import (
    DISABLED,
    ENABLED,
    RULES,
    Rule,
    bus_here,
    changed,
    check_bus,
    creator,
    existing,
    rules_of,
    targets_of,
    the_rule,
)
from passrole.services.events.roles import check_role
from passrole.services.events.tags import TAGS, creation
from passrole.services.operation import Parameters, PassRole, operation
from passrole.services.schedule_expressions import InvalidSchedule, parse_schedule
from passrole.store import Tx

RULES_MAX = 300

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
_FIELDS_WITH_KEYS = (
    ("source",),
    ("detail-type",),
    ("detail", "eventTypeCode"),
    ("detail", "service"),
    ("detail", "userIdentity", "principalId"),
)


def _keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """Beside tags and creator, what the pattern asks of some fields, where it names values."""
    keys = {**TAGS.checked_request_keys(ctx, parameters), **creator(ctx, parameters)}
    try:
        pattern = compile_pattern(str(parameters.get("event_pattern") or "{}"))
    except InvalidPattern:
        return keys
    named = {".".join(path): pattern.named(*path) for path in _FIELDS_WITH_KEYS}
    return keys | {f"events:{member}": texts for member, texts in named.items() if texts}


@operation(
    "events:PutRule",
    resource=the_rule,
    keys=_keys,
    also=creation(the_rule),
    passes=[PassRole("role_arn", "events.amazonaws.com")],
)
async def put_rule(
    ctx: Context,
    *,
    name: str,
    schedule_expression: str | None = None,
    event_pattern: str | None = None,
    state: str = ENABLED,
    description: str | None = None,
    role_arn: str | None = None,
    tags: Sequence[Mapping[str, str]] = (),
    event_bus_name: str | None = None,
) -> dict[str, Any]:
    """Make a rule, or put it in the place of the one that is there: what is left out is reset, tags are
    kept.
    """
    bus = bus_here(ctx, event_bus_name)
    _check(bus, event_pattern or None, schedule_expression or None)
    if role_arn is not None:
        await check_role(ctx, role_arn, arns.rule(ctx.region, ctx.account, name, bus))
    rule = Rule(
        account=ctx.account,
        region=ctx.region,
        bus=bus,
        name=name,
        since=ctx.clock(),
        pattern=event_pattern or None,
        schedule=schedule_expression or None,
        state=state,
        description=description,
        role=role_arn,
        tags=TAGS.read(tags),
    )

    def put(tx: Tx) -> None:
        check_bus(tx, ctx, bus)
        present = RULES.get(tx, rule.key)
        if present is None and len(rules_of(tx, rule.bus_key)) >= RULES_MAX:
            raise refusals.limit()
        RULES.put(tx, rule.key, rule if present is None else replace(rule, tags=present.tags))
        scheduled_runs.plan(tx, rule)
        changed(tx, rule.bus_key)

    await ctx.store.write(put)
    return {"RuleArn": rule.arn}


@operation("events:DescribeRule", resource=the_rule, keys=creator)
async def describe_rule(ctx: Context, *, name: str, event_bus_name: str | None = None) -> dict[str, Any]:
    """Everything about a rule but its targets."""
    bus = bus_here(ctx, event_bus_name)
    rule = await ctx.store.read(lambda tx: existing(tx, ctx, name, bus))
    return _shape(rule) | {"CreatedBy": rule.account}


@operation("events:ListRules")
async def list_rules(
    ctx: Context,
    *,
    name_prefix: str | None = None,
    event_bus_name: str | None = None,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """A bus's rules by name."""
    bus = bus_here(ctx, event_bus_name)
    rows_max = (limit or PAGE_ITEMS) + 1

    def find(tx: Tx) -> list[Rule]:
        check_bus(tx, ctx, bus)
        after = PAGES.after(next_token, lambda name: ctx.key(f"{bus}/{name}"))
        rows = RULES.children(tx, ctx.key(bus), begins=name_prefix or "", after=after, limit=rows_max)
        return [rule for _, rule in rows]

    found = await ctx.store.read(find)
    return page("Rules", found, lambda rule: rule.name, _shape, limit, next_token)


@operation("events:EnableRule", resource=the_rule, keys=creator)
async def enable_rule(ctx: Context, *, name: str, event_bus_name: str | None = None) -> None:
    """Have the rule listen (again)."""
    await _switch(ctx, name, bus_here(ctx, event_bus_name), ENABLED)


@operation("events:DisableRule", resource=the_rule, keys=creator)
async def disable_rule(ctx: Context, *, name: str, event_bus_name: str | None = None) -> None:
    """Have the rule listen no longer."""
    await _switch(ctx, name, bus_here(ctx, event_bus_name), DISABLED)


@operation("events:DeleteRule", resource=the_rule, keys=creator, ignores=("force",))
async def delete_rule(ctx: Context, *, name: str, event_bus_name: str | None = None) -> None:
    """Remove a rule without targets; idempotent: an unknown rule is no error."""
    bus = bus_here(ctx, event_bus_name)

    def delete(tx: Tx) -> None:
        check_bus(tx, ctx, bus)
        key = ctx.key(f"{bus}/{name}")
        if targets_of(tx, key):
            raise refusals.invalid("Rule can't be deleted since it has targets.")
        RULES.delete(tx, key)
        scheduled_runs.forget(tx, key)
        changed(tx, ctx.key(bus))

    await ctx.store.write(delete)


async def _switch(ctx: Context, name: str, bus: str, state: str) -> None:
    def switch(tx: Tx) -> None:
        rule = existing(tx, ctx, name, bus)
        if rule.state != state:
            rule = replace(rule, state=state, since=ctx.clock())
            RULES.put(tx, rule.key, rule)
            scheduled_runs.plan(tx, rule)
            changed(tx, rule.bus_key)

    await ctx.store.write(switch)


def _check(bus: str, pattern: str | None, schedule: str | None) -> None:
    if pattern is None and schedule is None:
        raise refusals.invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if schedule is not None and bus != DEFAULT_BUS:
        raise refusals.invalid("ScheduleExpression is supported only on the default event bus.")
    if pattern is not None:
        try:
            compile_pattern(pattern)
        except InvalidPattern as error:
            raise refusals.bad_pattern(error.reason) from None
    if schedule is not None:
        try:
            parse_schedule(schedule)
        except InvalidSchedule:
            raise refusals.invalid("Parameter ScheduleExpression is not valid.") from None


def _shape(rule: Rule) -> dict[str, Any]:
    members = {
        "Name": rule.name,
        "Arn": rule.arn,
        "EventPattern": rule.pattern,
        "ScheduleExpression": rule.schedule,
        "State": rule.state,
        "Description": rule.description,
        "RoleArn": rule.role,
        "EventBusName": rule.bus,
    }
    return without_none(**members)
