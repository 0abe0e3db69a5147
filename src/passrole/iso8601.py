"""Moments as text, in UTC: `2026-01-31T12:00:00Z`. They are given in seconds since the epoch."""

from datetime import UTC, datetime


def seconds(at: float) -> str:
    """To the second, as events and the condition keys that are dates have it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(at: float) -> str:
    """To the millisecond: `2026-01-31T12:00:00.250Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def microseconds(at: float) -> str:
    """To the microsecond: `2026-01-31T12:00:00.250000Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
