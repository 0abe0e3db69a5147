"""CreateSchedule, GetSchedule, UpdateSchedule, DeleteSchedule, ListSchedules.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole import arns
from passrole.arns import Account, Region
from passrole.services.context import Context
from passrole.services.deliveries import DeliveryRetries
from passrole.services.operation import Parameters, Permission, operation, passing
from passrole.services.pages import wanted_rows
from passrole.services.scheduler import refusals, runs, targets, timing
from passrole.services.scheduler.paging import PAGE_ITEMS, PAGES
from passrole.services.scheduler.records import (
    DEFAULT_GROUP,
    ENABLED,
    SCHEDULES,
    Schedule,
    require_group,
    require_schedule,
    the_schedule,
)
from passrole.services.scheduler.roles import SERVICE, check_role
from passrole.store import Tx

_KEPT = (
    "ActionAfterCompletion",
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
)
_DEFAULTS: Mapping[str, Any] = {
    "ActionAfterCompletion": "NONE",
    "ScheduleExpressionTimezone": "UTC",
    "State": ENABLED,
}
_RETRIES = {
    "MaximumEventAgeInSeconds": DeliveryRetries.age_seconds_max,
    "MaximumRetryAttempts": DeliveryRetries.attempts_max,
}


def _passed(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    return [passing(parameters["target"]["RoleArn"], SERVICE, the_schedule(ctx, parameters))]


@operation("scheduler:CreateSchedule", resource=the_schedule, also=_passed, keeps=_KEPT)
async def create_schedule(
    ctx: Context,
    *,
    name: str,
    target: Mapping[str, Any],
    kept: Mapping[str, Any],
    group_name: str = DEFAULT_GROUP,
    client_token: str | None = None,
) -> dict[str, Any]:
    """Make a schedule. Raises ConflictException for a name that is taken, but not for the same request again,
    ResourceNotFoundException, ValidationException.
    """
    now = ctx.clock()
    await ctx.store.read(lambda tx: require_group(tx, ctx, group_name))
    given = await _checked(ctx, group_name, name, {**kept, "Target": target})
    schedule = Schedule(ctx.account, ctx.region, group_name, name, now, now, now, given, client_token)

    def create(tx: Tx) -> None:
        require_group(tx, ctx, group_name)
        present = SCHEDULES.get(tx, schedule.key)
        if present is None:
            SCHEDULES.put(tx, schedule.key, schedule)
            runs.plan_first(tx, schedule)
        elif present.token is None or (present.token, present.given) != (client_token, given):
            raise refusals.schedule_exists(name)

    await ctx.store.write(create)
    return {"ScheduleArn": schedule.arn}


@operation("scheduler:GetSchedule", resource=the_schedule)
async def get_schedule(ctx: Context, *, name: str, group_name: str = DEFAULT_GROUP) -> dict[str, Any]:
    """Everything about a schedule."""
    found = await ctx.store.read(lambda tx: require_schedule(tx, ctx, group_name, name))
    return {**_head(found), **found.given}


@operation(
    "scheduler:UpdateSchedule", resource=the_schedule, also=_passed, keeps=_KEPT, ignores=("client_token",)
)
async def update_schedule(
    ctx: Context,
    *,
    name: str,
    target: Mapping[str, Any],
    kept: Mapping[str, Any],
    group_name: str = DEFAULT_GROUP,
) -> dict[str, Any]:
    """Put another schedule in the place of one: what is left out is reset.

    Raises ResourceNotFoundException, ValidationException.
    """
    await ctx.store.read(lambda tx: require_schedule(tx, ctx, group_name, name))
    given = await _checked(ctx, group_name, name, {**kept, "Target": target})
    now = ctx.clock()

    def update(tx: Tx) -> Schedule:
        present = require_schedule(tx, ctx, group_name, name)
        stays = timing.is_same(given, present.given)
        changed = replace(present, given=given, modified=now, since=present.since if stays else now)
        SCHEDULES.put(tx, changed.key, changed)
        if not stays:
            runs.plan_first(tx, changed)
        return changed

    return {"ScheduleArn": (await ctx.store.write(update)).arn}


@operation("scheduler:DeleteSchedule", resource=the_schedule, ignores=("client_token",))
async def delete_schedule(ctx: Context, *, name: str, group_name: str = DEFAULT_GROUP) -> dict[str, Any]:
    """Remove a schedule. Raises ResourceNotFoundException."""

    def delete(tx: Tx) -> None:
        found = require_schedule(tx, ctx, group_name, name)
        SCHEDULES.delete(tx, found.key)
        runs.forget(tx, found.key)

    await ctx.store.write(delete)
    return {}


@operation("scheduler:ListSchedules")
async def list_schedules(
    ctx: Context,
    *,
    group_name: str | None = None,
    name_prefix: str | None = None,
    state: str | None = None,
    next_token: str | None = None,
    max_results: int = PAGE_ITEMS,
) -> dict[str, Any]:
    """The schedules of a group, or of all groups, by group and name."""

    def find(tx: Tx) -> list[Schedule]:
        if group_name is not None:
            require_group(tx, ctx, group_name)
        begins = "" if group_name is None else f"{group_name}/"

        def read(after: str, limit: int) -> list[tuple[str, Schedule]]:
            return SCHEDULES.within(tx, *ctx.location, begins=begins, after=after, limit=limit)

        def wanted(schedule: Schedule) -> bool:
            is_named = schedule.name.startswith(name_prefix or "")
            return is_named and state in (None, schedule.given["State"])

        return wanted_rows(read, wanted, after=PAGES.after(next_token, ctx.key), limit=max_results + 1)

    found = await ctx.store.read(find)
    shown, more = PAGES.page(found, max_results, lambda each: f"{each.group}/{each.name}")
    return {"Schedules": [_summary(schedule) for schedule in shown], **more}


async def _checked(ctx: Context, group: str, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The request with AWS's defaults, once all of it makes sense. Raises ValidationException."""
    target = asked["Target"]
    retries = {**_RETRIES, **(target.get("RetryPolicy") or {})}
    given = {**_DEFAULTS, **asked, "Target": {**target, "RetryPolicy": retries}}
    timing.check(given, ctx.clock())
    targets.check(target, ctx.supports)
    schedule, of_group = _arns(ctx.region, ctx.account, group, name)
    await check_role(ctx, target["RoleArn"], schedule, of_group)
    return given


def _arns(region: Region, account: Account, group: str, name: str) -> tuple[str, str]:
    return arns.schedule(region, account, group, name), arns.schedule_group(region, account, group)


def _head(schedule: Schedule) -> dict[str, Any]:
    return {
        "Arn": schedule.arn,
        "GroupName": schedule.group,
        "Name": schedule.name,
        "CreationDate": schedule.created,
        "LastModificationDate": schedule.modified,
    }


def _summary(schedule: Schedule) -> dict[str, Any]:
    given = schedule.given
    return {**_head(schedule), "State": given["State"], "Target": {"Arn": given["Target"]["Arn"]}}
