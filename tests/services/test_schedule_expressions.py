"""When scheduled rules are due: tables."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from passrole.patterns.json_paths import ABSENT, InvalidPath, parse_path, value_at
from passrole.services.schedule_expressions import (
    InvalidSchedule,
    parse_schedule,
    parse_zoned_schedule,
)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        ("cron(0 12 * * ? *)", "2026-03-01T11:00:00", "2026-03-01T12:00:00"),
        ("cron(0 12 * * ? *)", "2026-03-01T12:00:00", "2026-03-02T12:00:00"),
        ("cron(15 10 ? * MON-FRI *)", "2026-03-06T10:15:00", "2026-03-09T10:15:00"),
        ("cron(0/15 * * * ? *)", "2026-03-01T11:16:00", "2026-03-01T11:30:00"),
        ("cron(5,35 14 * * ? *)", "2026-03-01T14:06:00", "2026-03-01T14:35:00"),
        ("cron(0 8 1 * ? *)", "2026-03-01T08:00:00", "2026-04-01T08:00:00"),
        ("cron(0 8 L * ? *)", "2028-02-01T00:00:00", "2028-02-29T08:00:00"),
        ("cron(0 8 ? * 6L *)", "2026-03-01T00:00:00", "2026-03-27T08:00:00"),
        ("cron(0 8 ? * 2#1 *)", "2026-03-03T00:00:00", "2026-04-06T08:00:00"),
        ("cron(0 8 15W * ? *)", "2026-08-01T00:00:00", "2026-08-14T08:00:00"),
        ("cron(0 8 1W * ? *)", "2026-07-30T00:00:00", "2026-08-03T08:00:00"),
        ("cron(0 8 31W * ? *)", "2026-05-01T00:00:00", "2026-05-29T08:00:00"),
        ("cron(0 18 ? * L *)", "2026-03-01T00:00:00", "2026-03-07T18:00:00"),
        ("cron(30 6 ? JAN,DEC SUN 2026-2027)", "2026-02-01T00:00:00", "2026-12-06T06:30:00"),
        ("cron(0 0 29 2 ? *)", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ("cron(0 0 1 1 ? 2025)", "2026-01-01T00:00:00", None),
        ("cron(0 0 31 2 ? *)", "2026-01-01T00:00:00", None),
    ],
)
def test_cron(expression: str, after: str, due: str | None) -> None:
    found = parse_schedule(expression).next(0.0, at(after))
    assert found == (at(due) if due else None)


@pytest.mark.parametrize(
    ("expression", "since", "after", "due"),
    [
        ("rate(1 minute)", 100.0, 100.0, 160.0),
        ("rate(5 minutes)", 100.0, 399.0, 400.0),
        ("rate(5 minutes)", 100.0, 400.0, 700.0),
        ("rate(2 hours)", 0.0, 7_200.0, 14_400.0),
        ("rate(1 day)", 0.0, 1.0, 86_400.0),
        ("rate(1 day)", 500.0, 0.0, 86_900.0),
    ],
)
def test_rate(expression: str, since: float, after: float, due: float) -> None:
    assert parse_schedule(expression).next(since, after) == due


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "rate()",
        "rate(0 minutes)",
        "rate( 10 minutes )",
        "rate(10  minutes)",
        "rate(10\tminutes)",
        "rate (10 minutes)",
        " rate(10 minutes)",
        "rate(10 MINUTES)",
        f"rate({'9' * 400} minutes)",
        f"rate({'9' * 5_000} minutes)",
        f"cron({'9' * 5_000} * * * ? *)",
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(5 seconds)",
        "rate(-5 minutes)",
        "rate(1.5 minutes)",
        "rate(5 minutes",
        "every(5 minutes)",
        "cron(* * * * *)",
        "cron(* * * * * *)",
        "cron(* * ? * ? *)",
        "cron(60 * * * ? *)",
        "cron(* 24 * * ? *)",
        "cron(* * 32 * ? *)",
        "cron(* * * 13 ? *)",
        "cron(* * ? * 8 *)",
        "cron(* * * * ? 1969)",
        "cron(5-1 * * * ? *)",
        "cron(0/0 * * * ? *)",
        "cron(a * * * ? *)",
        "cron(* * 0W * ? *)",
        "cron(* * ? * MON#x *)",
        "at(2026-01-01T00:00:00)",
    ],
)
def test_what_is_neither(expression: str) -> None:
    with pytest.raises(InvalidSchedule):
        parse_schedule(expression)


@pytest.mark.parametrize(
    ("expression", "zone", "after", "due"),
    [
        ("cron(30 8 * * ? *)", "UTC", "2026-03-01T00:00:00", "2026-03-01T08:30:00"),
        ("cron(30 8 * * ?)", "UTC", "2026-03-01T00:00:00", "2026-03-01T08:30:00"),
        ("cron(30 8 * * ? *)", "America/New_York", "2026-01-01T00:00:00", "2026-01-01T13:30:00"),
        ("cron(30 8 * * ? *)", "America/New_York", "2026-07-01T00:00:00", "2026-07-01T12:30:00"),
        ("cron(30 8 * * ? *)", "Asia/Kolkata", "2026-07-01T03:00:00", "2026-07-02T03:00:00"),
        # a day further on than UTC's, and one behind it
        ("cron(0 1 1 * ? *)", "Pacific/Auckland", "2026-06-30T12:00:00", "2026-06-30T13:00:00"),
        ("cron(0 23 L * ? *)", "America/Los_Angeles", "2026-07-01T05:00:00", "2026-07-01T06:00:00"),
        # AWS's own example: 2:30 is left out on 2026-03-08, and runs once, before the shift, on 2026-11-01
        ("cron(30 2 * * ? *)", "America/Los_Angeles", "2026-03-07T12:00:00", "2026-03-09T09:30:00"),
        ("cron(30 1 * * ? *)", "America/Los_Angeles", "2026-11-01T00:00:00", "2026-11-01T08:30:00"),
        ("cron(30 1 * * ? *)", "America/Los_Angeles", "2026-11-01T08:30:00", "2026-11-02T09:30:00"),
        ("cron(0 * * * ? *)", "America/Los_Angeles", "2026-11-01T08:00:00", "2026-11-01T10:00:00"),
        ("at(2026-11-20T13:00:00)", "America/Los_Angeles", "2026-01-01T00:00:00", "2026-11-20T21:00:00"),
        ("at(2026-11-20T13:00:00)", "UTC", "2026-11-20T13:00:00", None),
    ],
)
def test_a_zones_clock(expression: str, zone: str, after: str, due: str | None) -> None:
    found = parse_zoned_schedule(expression, ZoneInfo(zone)).next(0.0, at(after))
    assert found == (at(due) if due else None)


@pytest.mark.parametrize(
    ("since", "after", "due"), [(100.0, 99.0, 100.0), (100.0, 0.0, 100.0), (100.0, 100.0, 160.0)]
)
def test_a_rate_of_scheduler_begins_at_once(since: float, after: float, due: float) -> None:
    assert parse_zoned_schedule("rate(1 minute)", ZoneInfo("UTC")).next(since, after) == due


@pytest.mark.parametrize(
    "expression",
    [
        "at()",
        "at(2026-01-01)",
        "at(2026-01-01T00:00:00Z)",
        "at(2026-01-01T00:00:00.000)",
        "at(2026-1-1T0:0:0)",
        "at(2026-02-30T00:00:00)",
        "at(2026-01-01T00:00:00",
        "cron(* * * *)",
        "rate(1 week)",
    ],
)
def test_what_is_none_of_scheduler(expression: str) -> None:
    with pytest.raises(InvalidSchedule):
        parse_zoned_schedule(expression, ZoneInfo("UTC"))


DOCUMENT = {"a": {"b": [1, {"c d": 2}]}, "x.y": 3}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", DOCUMENT),
        ("$.a.b[0]", 1),
        ("$.a.b[1]['c d']", 2),
        ('$["x.y"]', 3),
        ("$.a.b[7]", ABSENT),
        ("$.a.none", ABSENT),
        ("$.a.b.c", ABSENT),
        ("$.a[0]", ABSENT),
    ],
)
def test_paths(path: str, value: object) -> None:
    assert value_at(DOCUMENT, path) == value


@pytest.mark.parametrize(
    "path", ["", "a", "$a", "$.", "$..a", "$.a[", "$.a[x]", "$.a[*]", "$.*", "$['']", "$.a[?(@.b)]"]
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(InvalidPath):
        parse_path(path)
