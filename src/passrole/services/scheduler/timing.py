"""When a schedule is due: its expression in its time zone, between its dates, somewhere in its window. Pure.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-flexible-time-windows.html
"""

import zlib
from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from passrole.faults import Fault
from passrole.services.schedule_expressions import At, InvalidSchedule, parse_zoned_schedule
from passrole.services.schedule_expressions import Schedule as Expression
from passrole.services.scheduler import refusals
from passrole.services.scheduler.records import ENABLED, Schedule

START_SECONDS_MAX = 300.0  # "The StartDate you specify cannot be earlier than 5 minutes ago."
_TIMING = (
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "EndDate",
    "FlexibleTimeWindow",
    "State",
)
_INSTANT_SECONDS = 0.001


def check(given: Mapping[str, Any], now: float) -> None:
    """Refuse a timing that makes no sense. Raises ValidationException."""
    expression = _expression(given)
    window = given["FlexibleTimeWindow"]
    if window["Mode"] == "FLEXIBLE" and "MaximumWindowInMinutes" not in window:
        raise refusals.invalid("MaximumWindowInMinutes is required when the FlexibleTimeWindow is FLEXIBLE.")
    if isinstance(expression, At):  # "EventBridge Scheduler ignores the StartDate and EndDate"
        return
    start, end = given.get("StartDate"), given.get("EndDate")
    if start is not None and start < now - START_SECONDS_MAX:
        raise refusals.invalid("The StartDate you specify cannot be earlier than 5 minutes ago.")
    if start is not None and end is not None and end <= start:
        raise refusals.invalid("The EndDate you specify must come after the StartDate.")


def is_same(given: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether a change of a schedule leaves its times as they were."""
    return all(given.get(member) == before.get(member) for member in _TIMING)


def first(schedule: Schedule) -> float | None:
    """When a schedule that was made or changed runs first; None: never."""
    return following(schedule, schedule.since - _expression(schedule.given).late_seconds - _INSTANT_SECONDS)


def following(schedule: Schedule, after: float) -> float | None:
    """The first time later than `after`, in epoch seconds; None: never again."""
    given = schedule.given
    if given["State"] != ENABLED:
        return None
    expression = _expression(given)
    if isinstance(expression, At):
        return expression.next(0.0, after)
    begins = given.get("StartDate") or schedule.since
    found = expression.next(begins, max(after, begins - _INSTANT_SECONDS))
    ends = given.get("EndDate")
    return None if found is None or (ends is not None and found > ends) else found


def in_window(schedule: Schedule, at: float) -> float:
    """When the target is invoked for `at`: at any time of the flexible window, always the same one."""
    window: Mapping[str, Any] = schedule.given["FlexibleTimeWindow"]
    if window["Mode"] == "OFF":
        return at
    share = zlib.crc32(f"{schedule.arn} {at!r}".encode()) / 2**32
    return at + share * float(window["MaximumWindowInMinutes"]) * 60


def _expression(given: Mapping[str, Any]) -> Expression:
    text = given["ScheduleExpression"]
    try:
        return parse_zoned_schedule(text, _zone(given["ScheduleExpressionTimezone"]))
    except InvalidSchedule:
        raise refusals.bad_expression(text) from None


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _no_zone(name) from None


def _no_zone(name: str) -> Fault:
    try:
        ZoneInfo("Etc/UTC")
    except (ZoneInfoNotFoundError, OSError):
        lacks = "this machine has no time zones: install the package `tzdata` of the system or of PyPI"
        return refusals.unsupported(f"the time zone {name}, for {lacks}")
    return refusals.invalid(f"Invalid ScheduleExpressionTimezone {name}.")
