"""How pages say things: moments, durations, ARNs, and texts of others without what a terminal would obey."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from markupsafe import Markup

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb]"
)
_BADGE = Markup('<span class="status {}"><span class="icon" aria-hidden="true">{}</span>{}</span>')

ICONS: Final = {
    "Succeeded": "✓",
    "Approved": "✓",
    "Completed": "✓",
    "Allowed": "✓",
    "Denied": "✕",
    "Failed": "✕",
    "Rejected": "✕",
    "CompletedWithFailures": "✕",
    "Executing": "●",
    "Starting": "●",
    "Waiting": "?",
    "Maybe": "?",
    "PendingManualApproval": "?",
    "Stopping": "■",
    "Stopped": "■",
    "Not started": "○",
    "Not taken": "–",
    "Not run": "–",
}
"""A shape for each status: colour alone would say nothing to some."""


def plain(text: object) -> str:
    """A text without escape sequences, control characters and what turns the direction of letters."""
    found = str(text)
    if found.isprintable():  # nearly all: what is taken out is not
        return found
    return _CONTROLS.sub("�", _ESCAPES.sub("", found))


def moment(seconds: float | None) -> str:
    """`2026-11-28 19:30:05`, in UTC."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def machine_moment(seconds: float) -> str:
    """As the `datetime` of HTML's time element has it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def duration(seconds: float | None) -> str:
    """`40 ms`, `0.4 s`, `1 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds is None:
        return ""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def number(value: float | None) -> str:
    """A number as people read it: `0.931`, `1,204`, `1.2e-05`."""
    return (
        ""
        if value is None
        else f"{value:,.0f}"
        if value == int(value) and abs(value) < 1e12
        else f"{value:,.5g}"
    )


def signed(value: float | None) -> str:
    """How much greater: `+0.02`, `−3`, `±0`."""
    if value is None:
        return ""
    return f"{'+' if value > 0 else '−' if value < 0 else '±'}{number(abs(value))}"


def signed_duration(seconds: float | None) -> str:
    """How much longer: `+0.4 s`, `−1 min 20 s`."""
    if seconds is None:
        return ""
    return f"{'+' if seconds >= 0 else '−'}{duration(abs(seconds))}"


def ago(seconds: float | None, now: float) -> str:
    """`20 s ago`, `3 h ago`."""
    if seconds is None:
        return ""
    past = max(0, int(now - seconds))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if past >= size:
            return f"{past // size} {unit} ago"
    return f"{past} s ago"


def last(arn: str) -> str:
    """The last part of an ARN or a path."""
    return arn.rpartition("/")[2]


def who(arn: str) -> str:
    """A principal in short: `user/ann`, `Approvers/ann`."""
    resource = arn.rpartition(":")[2]
    return resource.removeprefix("assumed-role/")


@lru_cache(256)
def badge(status: str) -> Markup:
    """A status as pages show it: its shape and its word."""
    return _BADGE.format(css(status), icon(status), status)


def icon(status: str) -> str:
    """The shape of a status."""
    return ICONS.get(status, "·")


@lru_cache(256)
def css(status: str) -> str:
    """The status as a class of the stylesheet."""
    return "s-" + re.sub(r"[^a-z]+", "-", status.lower())


def short(text: str, characters: int) -> str:
    """The text, cut where it is longer."""
    return text if len(text) <= characters else text[: characters - 1] + "…"


@lru_cache(8_192)
def fitting(text: str, pixels: int) -> str:
    """The text of a box of a picture, so wide at most; what is left out is in its middle.

    Names of steps often differ at their ends. The widths are those of DejaVu Sans at 13 pixels, which is
    wider than what most systems have.
    """
    if sum(map(_width, text)) <= pixels:
        return text
    room = pixels - _ELLIPSIS_WIDTH
    start, end = 0, len(text)
    while start < end:
        is_of_the_end = (start + len(text) - end) % 3 == 2
        room -= _width(text[end - 1] if is_of_the_end else text[start])
        if room < 0:
            break
        start, end = (start, end - 1) if is_of_the_end else (start + 1, end)
    return f"{text[:start]}…{text[end:]}"


def _width(letter: str) -> float:
    return next((width for letters, width in _WIDTHS if letter in letters), 8.3 if letter.isascii() else 13.0)


_ELLIPSIS_WIDTH = 13.0
_WIDTHS: Final = (("fijlrtI.,:;'|!()[]-", 5.3), ("mwMW@%", 12.9), ("ABCDEFGHJKLNOPQRSTUVXYZ&_", 9.9))


def breakable(text: str) -> Markup:
    """A name that may go on in the next line behind its points and underscores."""
    return Markup("<wbr>").join(re.split(r"(?<=[._/])", plain(text)))


def pretty(value: Any) -> str:
    """A JSON value over several lines."""
    return plain(json.dumps(value, indent=2, ensure_ascii=False))


def by_name(steps: Iterable[Any]) -> dict[str, Any]:
    """Steps by their names."""
    return {each.name: each for each in steps}


FILTERS: Final = {
    each.__name__: each
    for each in (
        *(ago, badge, breakable, by_name, css, duration, fitting, icon, last, machine_moment, moment, number),
        *(plain, pretty, short, signed, signed_duration, who),
    )
}
