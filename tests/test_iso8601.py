"""Moments as text."""

from passrole import iso8601


def test_a_moment_is_cut_to_the_second_and_to_the_millisecond() -> None:
    assert iso8601.seconds(1_769_860_800.9) == "2026-01-31T12:00:00Z"
    assert iso8601.milliseconds(1_769_860_800.25) == "2026-01-31T12:00:00.250Z"
    assert iso8601.milliseconds(1_769_860_800) == "2026-01-31T12:00:00.000Z"
