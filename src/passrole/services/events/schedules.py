"""Next run time of `rate(...)` and `cron(...)` expressions. Pure; all times are UTC.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

YEARS_AHEAD = 12  # a 29th of February that is a Friday comes within them, but for centuries
_RATE_DIGITS_MAX = 9
_UNITS = {"minute": 60, "hour": 3_600, "day": 86_400}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class InvalidSchedule(Exception):
    """Neither a rate nor a cron expression."""


class Schedule(Protocol):
    """When something is due."""

    def next(self, since: float, after: float) -> float | None:
        """The first time after `after` (epoch seconds) of a rule that began at `since`; None: never again."""


@dataclass(frozen=True)
class Rate:
    """Every so many seconds, counted from the beginning."""

    seconds: int

    def next(self, since: float, after: float) -> float | None:
        """See Schedule."""
        passed = max(0, int((after - since) // self.seconds))
        return since + (passed + 1) * self.seconds


@dataclass(frozen=True)
class Cron:
    """Minutes, hours and years as sets; whether a day is one of those that are meant."""

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    is_day: Callable[[date], bool]

    def next(self, since: float, after: float) -> float | None:  # noqa: ARG002 (the clock alone counts)
        """See Schedule."""
        start = datetime.fromtimestamp(after, UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        for day in self._days(start.date()):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                    if moment >= start:
                        return moment.timestamp()
        return None

    def _days(self, first: date) -> Iterator[date]:
        for ahead in range(366 * YEARS_AHEAD):
            day = first + timedelta(days=ahead)
            if day.year in self.years and day.month in self.months and self.is_day(day):
                yield day


def parse_schedule(text: str) -> Schedule:
    """The schedule that `text` spells. Raises InvalidSchedule."""
    name, _, inner = text.partition("(")
    if not inner.endswith(")") or name not in _KINDS:
        raise InvalidSchedule(text)
    words = inner[:-1].split()
    if name == "rate" and inner[:-1] != " ".join(words):  # AWS refuses `rate( 10 minutes )`
        raise InvalidSchedule(text)
    try:
        return _KINDS[name](words)
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


_KINDS: Mapping[str, Callable[[list[str]], Schedule]] = {"rate": _rate, "cron": _cron}
