"""Conditional requests and byte ranges, decided from an ETag, a time and a size.

It knows no object's bytes. The order is RFC 9110's, section 13.2.2, as S3 documents it for GetObject.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from passrole.faults import Fault
from passrole.services.s3.refusals import invalid_argument, not_modified, precondition_failed
from passrole.wire.scalars import write_http_date

PART_NUMBER_MAX = 10_000
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)


@dataclass(frozen=True)
class Conditions:
    """The conditional headers of a read; times in epoch seconds, `now` too."""

    now: float

    match: str | None = None
    none_match: str | None = None
    modified_since: float | None = None
    unmodified_since: float | None = None


def check_read(conditions: Conditions, etag: str, modified: float) -> None:
    """Refuse to read where a condition does not hold. Raises PreconditionFailed or NotModified.

    A time of If-Modified-Since that is still to come is passed over (RFC 9110, section 13.1.3; S3 too).
    """
    changed = int(modified)  # HTTP dates have no fractions
    if conditions.match is not None:
        if not fits(conditions.match, etag):
            raise precondition_failed("If-Match")
    elif conditions.unmodified_since is not None and changed > conditions.unmodified_since:
        raise precondition_failed("If-Unmodified-Since")
    since = conditions.modified_since
    unmodified: str | None = None
    if conditions.none_match is not None:
        unmodified = "If-None-Match" if fits(conditions.none_match, etag) else None
    elif since is not None and changed <= since <= conditions.now:
        unmodified = "If-Modified-Since"
    if unmodified is not None:
        raise not_modified(unmodified, f'"{etag}"', write_http_date(changed))


def fits(wanted: str, etag: str) -> bool:
    """Whether a list of ETags, quoted or not, or `*`, names this one (given without quotes)."""
    names = {part.strip().removeprefix("W/").strip('"') for part in wanted.split(",")}
    return "*" in names or etag in names


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last, or None for the whole. Raises InvalidRange.

    A header that is not one range of bytes is ignored, as HTTP says.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < start:
            return None
    if start >= size or start >= stop:
        members = {"ActualObjectSize": size, "RangeRequested": header}
        message = "The requested range is not satisfiable"
        raise Fault("InvalidRange", message, status=416, members=members)
    return start, stop


def part_range(number: int, sizes: Sequence[int]) -> tuple[int, int] | None:
    """First byte of a part, by its place in the object, and the one after its last; None for all of nothing.

    Raises InvalidPartNumber.
    """
    if not 1 <= number <= PART_NUMBER_MAX:
        message = f"Part number must be an integer between 1 and {PART_NUMBER_MAX}, inclusive"
        raise invalid_argument(message, "partNumber", number)
    if number > len(sizes):
        members = {"ActualPartCount": len(sizes), "PartNumberRequested": number}
        message = "The requested partnumber is not satisfiable"
        raise Fault("InvalidPartNumber", message, status=416, members=members)
    start = sum(sizes[: number - 1])
    return (start, start + sizes[number - 1]) if sum(sizes) else None
