"""`ExpireAfter` of a step's CacheConfig: how old a result may be to be taken over.

An ISO 8601 duration, more lenient than the standard: `30d`, `P30d`, `T12H`, `30dT5h`, `p4DT12H`. It has
years, months, weeks and days, then after a T hours and minutes, each at most once and in this order.
https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-caching.html
"""

_DAY = 86_400
_DATE = {"y": 365 * _DAY, "m": 30 * _DAY, "w": 7 * _DAY, "d": _DAY}
_TIME = {"h": 3_600, "m": 60}
_DIGITS_MAX = 9


class InvalidAge(ValueError):
    """Not a duration; the message is the text."""


def seconds(text: str) -> int:
    """The duration in seconds; a year has 365 days, a month 30. Raises InvalidAge."""
    date, has_time, time = text.lower().removeprefix("p").partition("t")
    if (has_time and not time) or not (date or time):
        raise InvalidAge(text)
    return _total(date, _DATE, text) + _total(time, _TIME, text)


def _total(part: str, units: dict[str, int], text: str) -> int:
    total, number, allowed = 0, "", list(units)
    for letter in part:
        if letter in "0123456789":
            number += letter
            continue
        if letter not in allowed or not 0 < len(number) <= _DIGITS_MAX:
            raise InvalidAge(text)
        total += int(number) * units[letter]
        number, allowed = "", allowed[allowed.index(letter) + 1 :]
    if number:
        raise InvalidAge(text)
    return total
