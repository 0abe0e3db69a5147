"""When schedules are due: dates, windows, changes; tables."""

from dataclasses import replace
from typing import Any

import pytest

from passrole.arns import Account, Region
from passrole.services.scheduler import timing
from passrole.services.scheduler.records import Schedule

NOW = 1_800_000_000.0  # a whole minute
HOUR = 3_600.0
GIVEN = {
    "ScheduleExpression": "rate(1 hour)",
    "ScheduleExpressionTimezone": "UTC",
    "State": "ENABLED",
    "ActionAfterCompletion": "NONE",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {},
}


def schedule(**members: Any) -> Schedule:
    place = (Account("111122223333"), Region("us-east-1"), "default", "s")
    return Schedule(*place, NOW, NOW, NOW, {**GIVEN, **members})


@pytest.mark.parametrize(
    ("members", "first", "second"),
    [
        ({}, NOW, NOW + HOUR),
        ({"StartDate": NOW + 500}, NOW + 500, NOW + 500 + HOUR),
        ({"StartDate": NOW - 1}, NOW - 1, NOW - 1 + HOUR),  # the SDK's `start_date` is now
        ({"StartDate": NOW - 200}, NOW - 200 + HOUR, NOW - 200 + 2 * HOUR),
        ({"EndDate": NOW + 10}, NOW, None),
        ({"State": "DISABLED"}, None, None),
        ({"ScheduleExpression": "cron(* * * * ? *)"}, NOW, NOW + 60),
        ({"ScheduleExpression": "cron(* * * * ? *)", "StartDate": NOW + 120}, NOW + 120, NOW + 180),
        ({"ScheduleExpression": "at(2027-01-15T08:00:01)"}, NOW + 1, None),
        ({"ScheduleExpression": "at(2027-01-15T08:00:01)", "EndDate": NOW - HOUR}, NOW + 1, None),
        ({"ScheduleExpression": "at(2026-01-15T08:00:00)"}, NOW - 365 * 86_400, None),
    ],
)
def test_first_and_following_times(
    members: dict[str, Any], first: float | None, second: float | None
) -> None:
    found = schedule(**members)
    assert timing.first(found) == first
    assert timing.following(found, NOW if first is None else first) == second


def test_a_cron_does_not_run_for_the_minute_in_which_it_was_made() -> None:
    made = replace(schedule(ScheduleExpression="cron(* * * * ? *)"), since=NOW + 30)
    assert timing.first(made) == NOW + 60


def test_a_flexible_window_is_kept_and_spreads_schedules() -> None:
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 30}
    several = [replace(schedule(FlexibleTimeWindow=window), name=f"s{n}") for n in range(20)]
    moments = [timing.in_window(each, NOW) for each in several]
    assert moments == [timing.in_window(each, NOW) for each in several]
    assert len(set(moments)) == 20 and all(NOW <= each <= NOW + 1_800 for each in moments)
    assert timing.in_window(schedule(), NOW) == NOW


@pytest.mark.parametrize(
    ("members", "same"),
    [({"Description": "d"}, True), ({"Target": {"Input": "i"}}, True), ({"State": "DISABLED"}, False),
     ({"ScheduleExpression": "rate(2 hours)"}, False), ({"StartDate": NOW}, False)],
)  # fmt: skip
def test_which_changes_leave_the_times_as_they_were(members: dict[str, Any], same: bool) -> None:
    assert timing.is_same({**GIVEN, **members}, GIVEN) is same
