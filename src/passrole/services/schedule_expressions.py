"""When schedules are due: `rate(...)` and `cron(...)`, for EventBridge Scheduler `at(...)` and zones as well.

Pure. Rules of EventBridge go by UTC. EventBridge Scheduler goes by a zone's clock, and begins at once:
what a rate counts from is itself the first time. A time of a `cron` that a zone leaves out in spring is
skipped, one that it has twice in autumn is the first of the two.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import ClassVar, Protocol

YEARS_AHEAD = 12  # a 29th of February that is a Friday comes within them, but for centuries
PRECISION_SECONDS = 60.0  # "All schedule types invoke their targets with 60 second precision"
_AT_FORMAT = "%Y-%m-%dT%H:%M:%S"
_AT_CHARACTERS = len("2026-01-01T00:00:00")
_RATE_DIGITS_MAX = 9
_UNITS = {"minute": 60, "hour": 3_600, "day": 86_400}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class InvalidSchedule(Exception):
    """No expression of a schedule."""


class Schedule(Protocol):
    """When something is due.

    `late_seconds`: how long a time may be over when the schedule is made and still count.
    """

    late_seconds: ClassVar[float]

    def next(self, since: float, after: float) -> float | None:
        """The first time after `after` (epoch seconds) of what began at `since`; None: never again."""


@dataclass(frozen=True)
class Rate:
    """Every so many seconds, counted from the beginning, which is a time itself where it `begins_at_once`."""

    seconds: int
    begins_at_once: bool = False
    late_seconds: ClassVar[float] = PRECISION_SECONDS

    def next(self, since: float, after: float) -> float | None:
        """See Schedule."""
        base = since - self.seconds if self.begins_at_once else since
        passed = max(0, int((after - base) // self.seconds))
        return base + (passed + 1) * self.seconds


@dataclass(frozen=True)
class Cron:
    """Minutes, hours and years as sets; whether a day is one of those that are meant. In a zone's time."""

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    is_day: Callable[[date], bool]
    zone: tzinfo = UTC
    late_seconds: ClassVar[float] = 0.0

    def next(self, since: float, after: float) -> float | None:  # noqa: ARG002 (the clock alone counts)
        """See Schedule."""
        for day in self._days(datetime.fromtimestamp(after, self.zone).date()):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
                    moment = wall.timestamp()
                    if moment > after and _exists(wall):
                        return moment
        return None

    def _days(self, first: date) -> Iterator[date]:
        for ahead in range(366 * YEARS_AHEAD):
            day = first + timedelta(days=ahead)
            if day.year in self.years and day.month in self.months and self.is_day(day):
                yield day


@dataclass(frozen=True)
class At:
    """Once. A time that is over when the schedule is made is due at once."""

    moment: float
    late_seconds: ClassVar[float] = math.inf

    def next(self, since: float, after: float) -> float | None:  # noqa: ARG002
        """See Schedule."""
        return self.moment if self.moment > after else None


def parse_schedule(text: str) -> Schedule:
    """The schedule that a rule's expression spells: a rate or a cron. Raises InvalidSchedule."""
    return _parsed(text, _OF_RULES)


def parse_zoned_schedule(text: str, zone: tzinfo) -> Schedule:
    """The schedule that an expression of EventBridge Scheduler spells in a zone. Raises InvalidSchedule."""
    if text.startswith("at("):
        return _at(text, zone)
    found = _parsed(text, _OF_SCHEDULER)
    return replace(found, zone=zone) if isinstance(found, Cron) else found


def _exists(wall: datetime) -> bool:
    """Whether the zone's clock shows this time: not where it is put forward over it."""
    return datetime.fromtimestamp(wall.timestamp(), wall.tzinfo).replace(fold=0) == wall


def _at(text: str, zone: tzinfo) -> At:
    written = text.removeprefix("at(").removesuffix(")")
    try:
        moment = datetime.strptime(written, _AT_FORMAT).replace(tzinfo=zone)
    except ValueError:
        raise InvalidSchedule(text) from None
    if len(written) != _AT_CHARACTERS or not text.endswith(")"):
        raise InvalidSchedule(text)
    return At(moment.timestamp())


def _parsed(text: str, kinds: "Mapping[str, Callable[[list[str]], Rate | Cron]]") -> Rate | Cron:
    name, _, inner = text.partition("(")
    if not inner.endswith(")") or name not in kinds:
        raise InvalidSchedule(text)
    words = inner[:-1].split()
    if name == "rate" and inner[:-1] != " ".join(words):  # AWS refuses `rate( 10 minutes )`
        raise InvalidSchedule(text)
    try:
        return kinds[name](words)
    except ValueError:
        raise InvalidSchedule(text) from None


def _rate(words: list[str]) -> Rate:
    if len(words) != 2 or not words[0].isdecimal() or len(words[0]) > _RATE_DIGITS_MAX or int(words[0]) < 1:
        raise InvalidSchedule(words)
    count, unit = int(words[0]), words[1]
    singular = unit.removesuffix("s")
    if singular not in _UNITS or (count == 1) != (unit == singular):  # `1 minute`, `2 minutes`
        raise InvalidSchedule(words)
    return Rate(count * _UNITS[singular])


def _cron(words: list[str]) -> Cron:
    if len(words) != 6:
        raise InvalidSchedule(words)
    minutes, hours, of_month, months, of_week, years = words
    if (of_month == "?") == (of_week == "?"):  # one of the two says which days, the other nothing
        raise InvalidSchedule(words)
    is_day = _of_week(of_week) if of_month == "?" else _of_month(of_month)
    return Cron(
        minutes=_numbers(minutes, 0, 59),
        hours=_numbers(hours, 0, 23),
        months=_numbers(months, 1, 12, _MONTHS),
        years=_numbers(years, 1970, 2199),
        is_day=is_day,
    )


def _numbers(text: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """A field's numbers: `*`, `1,5`, `1-5`, `0/15`, names where the field has them."""
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        begin = low if first == "*" else _number(first, low, names)
        end = high if first == "*" or (slash and not dash) else _number(last if dash else first, low, names)
        width = int(step) if slash else 1
        if not (low <= begin <= high and low <= end <= high and begin <= end and width > 0):
            raise InvalidSchedule(text)
        found.update(range(begin, end + 1, width))
    return frozenset(found)


def _number(text: str, low: int, names: tuple[str, ...]) -> int:
    return names.index(text.upper()) + low if text.upper() in names else int(text)


def _of_month(text: str) -> Callable[[date], bool]:
    if text == "L":
        return lambda day: (day + timedelta(days=1)).day == 1
    if text.endswith("W"):
        nearest = int(text[:-1])
        if not 1 <= nearest <= 31:
            raise InvalidSchedule(text)
        return lambda day: day == _weekday_nearest(day, nearest)
    days = _numbers(text, 1, 31)
    return lambda day: day.day in days


def _weekday_nearest(in_month: date, wanted: int) -> date | None:
    """The weekday nearest to a day of the month, in the same month."""
    try:
        day = in_month.replace(day=wanted)
    except ValueError:
        return None
    shift = {5: -1, 6: 1}.get(day.weekday(), 0)
    moved = day + timedelta(days=shift)
    # a Saturday the 1st goes to Monday the 3rd, a Sunday at the end to the Friday before
    return moved if moved.month == day.month else day - timedelta(days=2 * shift)


def _of_week(text: str) -> Callable[[date], bool]:
    if text == "L":
        return lambda day: _week_number(day) == 7
    if "#" in text:
        name, _, count = text.partition("#")
        wanted, nth = _number(name, 1, _DAYS), int(count)
        return lambda day: _week_number(day) == wanted and (day.day - 1) // 7 + 1 == nth
    if text.endswith("L"):
        wanted = _number(text[:-1], 1, _DAYS)
        return lambda day: _week_number(day) == wanted and (day + timedelta(days=7)).month != day.month
    days = _numbers(text, 1, 7, _DAYS)
    return lambda day: _week_number(day) in days


def _week_number(day: date) -> int:
    """Sunday is 1, as AWS counts."""
    return day.isoweekday() % 7 + 1


def _rate_at_once(words: list[str]) -> Rate:
    return replace(_rate(words), begins_at_once=True)


def _cron_without_year(words: list[str]) -> Cron:
    """Scheduler's has "five required fields, and one optional field, year"."""
    return _cron([*words, "*"] if len(words) == 5 else words)


_OF_RULES: Mapping[str, Callable[[list[str]], Rate | Cron]] = {"rate": _rate, "cron": _cron}
_OF_SCHEDULER: Mapping[str, Callable[[list[str]], Rate | Cron]] = {
    "rate": _rate_at_once,
    "cron": _cron_without_year,
}
