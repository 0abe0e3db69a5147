"""When scheduled rules are due: tables."""

from datetime import UTC, datetime

import pytest

from passrole.patterns.json_paths import ABSENT, InvalidPath, parse_path, value_at
from passrole.services.events.schedules import InvalidSchedule, parse_schedule


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
