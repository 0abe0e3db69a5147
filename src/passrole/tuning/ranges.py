"""The ranges of hyperparameters: which values there are, and the value at a place between 0 and 1.

A scale says how the places are spread over the values. Numbers are texts on the wire, on both ways.
https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

LINEAR, LOGARITHMIC, REVERSE = "Linear", "Logarithmic", "ReverseLogarithmic"
_AUTO = "Auto"
_WIDE = 1_000.0
"""From this ratio of its ends on, a range whose scale is Auto is searched logarithmically: AWS only says that
it chooses the best scale, and advises a logarithmic one for several orders of magnitude.
"""


class InvalidRequest(ValueError):
    """A tuning job that cannot be; the message says why."""


@dataclass(frozen=True, slots=True)
class Number:
    """The numbers from `low` to `high`, both included."""

    name: str
    low: float
    high: float
    scale: str
    is_whole: bool

    @property
    def count(self) -> int | None:
        """How many values there are; None of fractions, which are endless."""
        if self.low == self.high:
            return 1
        return int(self.high - self.low) + 1 if self.is_whole else None

    def nth(self, index: int) -> str:
        """The values in order, where there is an end to them."""
        return self.text(self.low + index)

    def at(self, place: float) -> str:
        """The value at a place from 0 to 1."""
        if self.is_whole:
            # half a step more on each side, so that the ends are drawn as often as all others
            return self.text(round(self._spread(place, self.low - 0.5, self.high + 0.5)))
        return self.text(self._spread(place, self.low, self.high))

    def text(self, value: float) -> str:
        """A number as a hyperparameter; rounding never leads out of the range."""
        kept = min(max(value, self.low), self.high)
        return str(int(kept)) if self.is_whole else repr(float(kept))

    def has(self, text: str) -> bool:
        """Whether it is a value of the range."""
        try:
            return self.low <= float(text) <= self.high
        except ValueError:
            return False

    def _spread(self, place: float, low: float, high: float) -> float:
        if self.scale == LOGARITHMIC:
            return math.exp(_between(place, math.log(low), math.log(high)))
        if self.scale == REVERSE:
            return 1 - math.exp(_between(place, math.log(1 - low), math.log(1 - high)))
        return _between(place, low, high)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values of a list, which have no order."""

    name: str
    values: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many values there are."""
        return len(self.values)

    def nth(self, index: int) -> str:
        """The values in order."""
        return self.values[index]

    def at(self, place: float) -> str:
        """The value at a place from 0 to 1."""
        return self.values[min(int(place * len(self.values)), len(self.values) - 1)]

    def has(self, text: str) -> bool:
        """Whether it is a value of the range."""
        return text in self.values


Range: TypeAlias = Number | Choice


def read_ranges(given: Mapping[str, Any]) -> tuple[Range, ...]:
    """The ranges of a request's ParameterRanges. Raises InvalidRequest."""
    if given.get("AutoParameters"):
        raise InvalidRequest("passrole does not support AutoParameters: give the ranges themselves")
    found: tuple[Range, ...] = (
        *(_number(each, is_whole=True) for each in given.get("IntegerParameterRanges") or ()),
        *(_number(each, is_whole=False) for each in given.get("ContinuousParameterRanges") or ()),
        *(_choice(each) for each in given.get("CategoricalParameterRanges") or ()),
    )
    names = [each.name for each in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidRequest(f"The hyperparameter {twice} has more than one range.")
    return found


def combinations(space: Iterable[Range]) -> int | None:
    """How many combinations of values there are; None where they are endless."""
    total = 1
    for each in space:
        if each.count is None:
            return None
        total *= each.count
    return total


def _number(given: Mapping[str, Any], *, is_whole: bool) -> Number:
    name = given["Name"]
    low, high = (_end(name, given[end], is_whole) for end in ("MinValue", "MaxValue"))
    if low > high:
        raise InvalidRequest(
            f"The hyperparameter {name} has the MinValue {given['MinValue']}, which is above its MaxValue "
            f"{given['MaxValue']}."
        )
    return Number(
        name, low, high, _scale(name, given.get("ScalingType", _AUTO), low, high, is_whole), is_whole
    )


def _end(name: str, text: str, is_whole: bool) -> float:
    try:
        value = float(int(text)) if is_whole else float(text)
    except (ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        kind = "an integer" if is_whole else "a number"
        raise InvalidRequest(f"The range of the hyperparameter {name} ends at {text}, which is not {kind}.")
    return value


def _scale(name: str, scale: str, low: float, high: float, is_whole: bool) -> str:
    if scale == _AUTO:
        return LOGARITHMIC if low > 0 and high >= low * _WIDE else LINEAR
    if scale == LOGARITHMIC and low <= 0:
        raise InvalidRequest(
            f"The hyperparameter {name} has a logarithmic scale, so its MinValue must be greater than 0."
        )
    if scale == REVERSE and (is_whole or low < 0 or high >= 1):
        raise InvalidRequest(
            f"The hyperparameter {name} has a reverse logarithmic scale, which is for continuous ranges with "
            "values from 0 to less than 1."
        )
    return scale


def _choice(given: Mapping[str, Any]) -> Choice:
    values: Sequence[str] = given["Values"]
    return Choice(given["Name"], tuple(dict.fromkeys(values)))


def _between(place: float, low: float, high: float) -> float:
    return low + place * (high - low)
