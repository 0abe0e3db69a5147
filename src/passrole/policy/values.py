"""Parses the values of conditions: numbers, dates, addresses, booleans and bytes; None if a text is invalid.

It knows no operators.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import base64
import binascii
import re
from calendar import monthrange
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_NUMBER_LETTERS: Final = frozenset("0123456789+-.eE")
_YEAR_DIGITS: Final = 4
_SECONDS_MAX: Final = 2**63 - 1
# The Gregorian calendar repeats itself after 400 years.
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097
_MAPPED_BITS: Final = 96
_DAY_SECONDS: Final = 86_400
_EPOCH_DAYS: Final = date(1970, 1, 1).toordinal()

_SECONDS: Final = re.compile(r"\d+(?:\.\d+)?", re.ASCII)

# W3C's profile of ISO 8601 with IAM's extensions: one digit for hour, minute or second, a lower-case `t` or
# `z`, a year of any length, and a time zone after any part of the time.
_DATE: Final = re.compile(
    r"(?P<year>-?\d{1,9})(?:-(?P<month>\d\d?)(?:-(?P<day>\d\d?))?)?"
    r"(?:t(?:(?P<hour>\d\d?)(?::(?P<minute>\d\d?)(?::(?P<second>\d\d?)(?:\.(?P<fraction>\d{1,9}))?)?)?)?"
    r"(?P<zone>z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?",
    re.ASCII | re.IGNORECASE,
)
# https://www.w3.org/TR/NOTE-datetime
_LIMITS: Final = {"month": (1, 12), "hour": (0, 23), "minute": (0, 59), "second": (0, 59)}


def number(text: str) -> Decimal | None:
    """An integer or decimal number; Decimal alone would also accept `NaN`, `Infinity` and `1_0`."""
    if not text or not set(text) <= _NUMBER_LETTERS:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def timestamp(text: str) -> Decimal | None:
    """Seconds since the epoch, of a W3C date (UTC by default) or of a number of seconds.

    Four digits are a year: `2026` is its first second, as `2026-01` is that of the month.
    """
    if _SECONDS.fullmatch(text) and len(text) != _YEAR_DIGITS:
        seconds = Decimal(text)
        return seconds if seconds <= _SECONDS_MAX else None
    found = _DATE.fullmatch(text)
    return None if found is None else _seconds(found)


def truth(text: str) -> bool | None:
    """`true` or `false` in any letter case."""
    return {"true": True, "false": False}.get(text.lower())


def octets(text: str) -> bytes | None:
    """The bytes of a base64 text."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def network(text: str) -> Network | None:
    """An address or a CIDR range; an IPv4-mapped range (`::ffff:192.0.2.0/120`) becomes IPv4."""
    try:
        found = ip_network(text, strict=False)
    except ValueError:
        return None
    mapped = found.network_address.ipv4_mapped if isinstance(found, IPv6Network) else None
    if mapped is None or found.prefixlen < _MAPPED_BITS:
        return found
    return IPv4Network((mapped, found.prefixlen - _MAPPED_BITS))


@lru_cache(maxsize=1024)
def address(text: str) -> Address | None:
    """An IP address; an IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) becomes IPv4."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def _seconds(found: re.Match[str]) -> Decimal | None:
    parts = {name: int(found[name] or least) for name, (least, _) in _LIMITS.items()}
    if any(not least <= parts[name] <= most for name, (least, most) in _LIMITS.items()):
        return None
    cycles, year = divmod(int(found["year"]), _CYCLE_YEARS)
    year += _CYCLE_YEARS
    day = int(found["day"] or 1)
    if not 1 <= day <= monthrange(year, parts["month"])[1]:
        return None
    days = date(year, parts["month"], day).toordinal() - _EPOCH_DAYS + (cycles - 1) * _CYCLE_DAYS
    clock = parts["hour"] * 3600 + parts["minute"] * 60 + parts["second"] - _offset(found["zone"])
    fraction = found["fraction"] or ""
    return days * _DAY_SECONDS + clock + Decimal(fraction or 0).scaleb(-len(fraction))


def _offset(zone: str | None) -> int:
    """The time zone's offset from UTC in seconds."""
    if zone is None or zone in "zZ":
        return 0
    digits = zone[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60
    return -seconds if zone[0] == "-" else seconds
