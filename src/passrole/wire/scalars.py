"""Reads and writes numbers, times and blobs as text; timestamps are seconds since the epoch.

Every reader raises ValueError for invalid text, and nothing else.
"""

import base64
import binascii
import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from itertools import repeat

EPOCH_SECONDS_MIN, EPOCH_SECONDS_MAX = -62_135_596_800, 253_402_300_799  # years 1 to 9999
INTEGER_BOUNDS = {"integer": 2**31, "long": 2**63}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PIECE_CHARS = 1_048_576
_DIGITS_MAX = 20
_CONTROLS = dict.fromkeys((*range(9), *range(10, 32), 127), " ")


def read_integer(text: str, bound: int) -> int:
    """A decimal integer within [-bound, bound)."""
    digits = text[1:] if text[:1] in ("-", "+") else text
    if not digits.isascii() or not digits.isdecimal() or len(digits) > _DIGITS_MAX:
        raise ValueError("not an integer")
    number = int(text)
    if not -bound <= number < bound:
        raise ValueError("integer out of range")
    return number


def read_float(text: str) -> float:
    """A finite decimal number."""
    if "_" in text or not text.isascii():
        raise ValueError("not a number")
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def read_boolean(text: str) -> bool:
    """`true` or `false` in any letter case."""
    lowered = text.lower()
    if lowered not in ("true", "false"):
        raise ValueError("not a boolean")
    return lowered == "true"


def read_blob(text: str) -> bytes:
    """The bytes of a base64 text."""
    try:
        if len(text) <= PIECE_CHARS:
            return base64.b64decode(text, validate=True)
        return b"".join(map(_piece, range(0, len(text), PIECE_CHARS), repeat(text)))
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _piece(start: int, text: str) -> bytes:
    """Decode a part of a long text; other threads can run between parts. Only the last may be padded."""
    piece = text[start : start + PIECE_CHARS]
    if "=" in piece and start + PIECE_CHARS < len(text):
        raise binascii.Error("padding within the text")
    return base64.b64decode(piece, validate=True)


def write_blob(blob: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(blob).decode("ascii")


def read_timestamp(text: str) -> float:
    """An ISO 8601 date and time (UTC by default), an HTTP date, or seconds since the epoch."""
    try:
        return check_epoch_seconds(read_float(text))
    except ValueError:
        pass
    try:
        timestamp = datetime.fromisoformat(text) if "T" in text[8:12] else parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError("not a timestamp") from error
    if timestamp.tzinfo is None:
        timestamp = timestamp.replace(tzinfo=UTC)
    return check_epoch_seconds((timestamp - _EPOCH) / timedelta(seconds=1))


def check_epoch_seconds(seconds: float) -> float:
    """The number as a float, if it is within the years 1 to 9999."""
    if not EPOCH_SECONDS_MIN <= seconds <= EPOCH_SECONDS_MAX:
        raise ValueError("timestamp out of range")
    return float(seconds)


def write_iso8601(seconds: float) -> str:
    """`2026-01-31T12:00:00Z`, with milliseconds only if they are not zero."""
    timestamp = _EPOCH + timedelta(milliseconds=round(seconds * 1000))
    text = timestamp.strftime("%Y-%m-%dT%H:%M:%S") if timestamp.year > 999 else timestamp.isoformat()[:19]
    milliseconds = timestamp.microsecond // 1000
    return f"{text}.{milliseconds:03}Z" if milliseconds else f"{text}Z"


def write_http_date(seconds: float) -> str:
    """`Sat, 31 Jan 2026 12:00:00 GMT`."""
    return format_datetime(_EPOCH + timedelta(seconds=math.floor(seconds)), usegmt=True)


def write_header(text: str) -> str:
    """Text as a header value: control characters, which could split the response, become spaces."""
    return text.translate(_CONTROLS)
