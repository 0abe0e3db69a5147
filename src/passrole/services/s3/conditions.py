"""Conditional requests and byte ranges, decided from an ETag, a time and a size.

It knows no object's bytes. The order is RFC 9110's, section 13.2.2, as S3 documents it for GetObject.
"""

import re
from dataclasses import dataclass

from passrole.faults import Fault
from passrole.services.s3.refusals import not_modified, precondition_failed

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)


@dataclass(frozen=True)
class Conditions:
    """What a reader wants to hold; times in epoch seconds."""

    match: str | None = None
    none_match: str | None = None
    modified_since: float | None = None
    unmodified_since: float | None = None


def check_read(conditions: Conditions, etag: str, modified: float) -> None:
    """Refuse to read where a condition does not hold. Raises Fault: PreconditionFailed or NotModified."""
    changed = int(modified)  # HTTP dates have no fractions
    if conditions.match is not None:
        if not fits(conditions.match, etag):
            raise precondition_failed()
    elif conditions.unmodified_since is not None and changed > conditions.unmodified_since:
        raise precondition_failed()
    if conditions.none_match is not None:
        if fits(conditions.none_match, etag):
            raise not_modified()
    elif conditions.modified_since is not None and changed <= conditions.modified_since:
        raise not_modified()


def fits(wanted: str, etag: str) -> bool:
    """Whether a list of ETags, quoted or not, or `*`, names this one (given without quotes)."""
    names = {part.strip().removeprefix("W/").strip('"') for part in wanted.split(",")}
    return "*" in names or etag in names


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last, or None for the whole. Raises Fault: InvalidRange.

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
        raise Fault("InvalidRange", "The requested range is not satisfiable", status=416)
    return start, stop
