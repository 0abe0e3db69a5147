"""Scalars as text: what is read is what was written, and the rest is a ValueError."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.wire import scalars


def integer(text: str) -> int:
    return scalars.read_integer(text, 2**31)


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (integer, "-2147483648", -(2**31)),
        (integer, "+7", 7),
        (scalars.read_float, "1e3", 1000.0),
        (scalars.read_boolean, "True", True),
        (scalars.read_boolean, "false", False),
        (scalars.read_blob, "AP8=", b"\x00\xff"),
        (scalars.read_timestamp, "2026-01-31T12:00:00Z", 1769860800.0),
        (scalars.read_timestamp, "2026-01-31T12:00:00.250Z", 1769860800.25),
        (scalars.read_timestamp, "2026-01-31T13:00:00+01:00", 1769860800.0),
        (scalars.read_timestamp, "Sat, 31 Jan 2026 12:00:00 GMT", 1769860800.0),
        (scalars.read_timestamp, "1769860800", 1769860800.0),
    ],
)
def test_text_is_read(read: Callable[[str], Any], text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (integer, ""),
        (integer, "-"),
        (integer, "1_000"),
        (integer, " 1"),
        (integer, "٣"),
        (integer, "2147483648"),
        (integer, "9" * 5000),
        (scalars.read_float, "nan"),
        (scalars.read_float, "1e999"),
        (scalars.read_float, "1_0"),
        (scalars.read_boolean, "1"),
        (scalars.read_blob, "AP8"),
        (scalars.read_blob, "é"),
        (scalars.read_timestamp, "yesterday"),
        (scalars.read_timestamp, "2026-02-30T00:00:00Z"),
        (scalars.read_timestamp, "1e12"),
        (scalars.read_timestamp, "0001-01-01T00:00:00+23:00"),
    ],
)
def test_what_is_no_such_text_is_a_value_error(read: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(text)


@given(st.integers(scalars.EPOCH_SECONDS_MIN * 1000, scalars.EPOCH_SECONDS_MAX * 1000))
def test_a_time_is_read_as_it_was_written(milliseconds: int) -> None:
    seconds = milliseconds / 1000
    assert scalars.read_timestamp(scalars.write_iso8601(seconds)) == pytest.approx(seconds, abs=0.001)


@given(st.text(max_size=30))
def test_no_text_raises_anything_else(text: str) -> None:
    for read in (integer, scalars.read_float, scalars.read_blob, scalars.read_timestamp):
        try:
            read(text)
        except ValueError:
            continue
