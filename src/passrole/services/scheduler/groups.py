"""CreateScheduleGroup, GetScheduleGroup, ListScheduleGroups, DeleteScheduleGroup.

A group that is deleted is gone at once, with its schedules: there is no state DELETING.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-group.html
"""

from collections.abc import Sequence
from typing import Any

from passrole import arns
from passrole.services.context import Context
from passrole.services.operation import Parameters, Permission, operation
from passrole.services.scheduler import refusals, runs
from passrole.services.scheduler.paging import PAGE_ITEMS, PAGES
from passrole.services.scheduler.records import (
    DEFAULT_GROUP,
    GROUPS,
    SCHEDULES,
    Group,
    require_group,
    the_group,
)
from passrole.services.scheduler.tags import TAGS
from passrole.services.tags import TagList, tagging
from passrole.store import Tx


@operation(
    "scheduler:CreateScheduleGroup",
    resource=the_group,
    keys=TAGS.checked_request_keys,
    also=tagging("scheduler:TagResource", the_group, TAGS.checked_request_keys),
)
async def create_schedule_group(
    ctx: Context, *, name: str, tags: TagList = (), client_token: str | None = None
) -> dict[str, Any]:
    """Make a group. Raises ConflictException for a name that is taken, but not for the same request again."""
    now = ctx.clock()
    group = Group(ctx.account, ctx.region, name, now, now, client_token, TAGS.added({}, tags))

    def create(tx: Tx) -> None:
        present = GROUPS.get(tx, group.key)
        if name == DEFAULT_GROUP or (present is not None and _other(present, group)):
            raise refusals.group_exists(name)
        if present is None:
            GROUPS.put(tx, group.key, group)

    await ctx.store.write(create)
    return {"ScheduleGroupArn": group.arn}


@operation("scheduler:GetScheduleGroup", resource=the_group)
async def get_schedule_group(ctx: Context, *, name: str) -> dict[str, Any]:
    """A group."""
    return _shape(await ctx.store.read(lambda tx: require_group(tx, ctx, name)))


@operation("scheduler:ListScheduleGroups")
async def list_schedule_groups(
    ctx: Context,
    *,
    name_prefix: str | None = None,
    next_token: str | None = None,
    max_results: int = PAGE_ITEMS,
) -> dict[str, Any]:
    """All groups by name, the default group among them."""

    def find(tx: Tx) -> list[Group]:
        made = [group for _, group in GROUPS.within(tx, *ctx.location) if group.name != DEFAULT_GROUP]
        every = [*made, require_group(tx, ctx, DEFAULT_GROUP)]
        return sorted(every, key=lambda group: group.name)

    found = [each for each in await ctx.store.read(find) if each.name.startswith(name_prefix or "")]
    beyond = PAGES.beyond(found, next_token, lambda group: group.name)
    shown, more = PAGES.page(beyond, max_results, lambda group: group.name)
    return {"ScheduleGroups": [_shape(group) for group in shown], **more}


def _schedules_too(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    """To delete a group is to delete its schedules."""
    schedules = arns.schedule(ctx.region, ctx.account, str(parameters["name"]), "*")
    return [Permission("scheduler:DeleteSchedule", schedules)]


@operation(
    "scheduler:DeleteScheduleGroup", resource=the_group, also=_schedules_too, ignores=("client_token",)
)
async def delete_schedule_group(ctx: Context, *, name: str) -> dict[str, Any]:
    """Remove a group and its schedules. Raises ResourceNotFoundException."""
    if name == DEFAULT_GROUP:
        raise refusals.invalid("The default schedule group cannot be deleted.")

    def delete(tx: Tx) -> None:
        group = require_group(tx, ctx, name)
        for key, _ in SCHEDULES.children(tx, group.key):
            SCHEDULES.delete(tx, key)
            runs.forget(tx, key)
        GROUPS.delete(tx, group.key)

    await ctx.store.write(delete)
    return {}


def _other(present: Group, asked: Group) -> bool:
    """Whether the request is not the one that made the group."""
    return present.token is None or (present.token, present.tags) != (asked.token, asked.tags)


def _shape(group: Group) -> dict[str, Any]:
    return {
        "Arn": group.arn,
        "Name": group.name,
        "State": "ACTIVE",
        "CreationDate": group.created,
        "LastModificationDate": group.modified,
    }
