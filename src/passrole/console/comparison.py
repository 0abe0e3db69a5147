"""What differs between two executions: pure, from the lines of their steps and what they were given.

Steps are compared by name, in the order of the right one; steps that only the left one has come last.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passrole.console.steps import StepLine

Values = Mapping[str, str]
Sides = tuple[Any, Any]


@dataclass(frozen=True)
class Row:
    """A value on either side; None where a side does not have it."""

    name: str
    left: str | None
    right: str | None

    @property
    def differs(self) -> bool:
        """Whether one is not the other."""
        return self.left != self.right


@dataclass(frozen=True)
class Measured:
    """A number on either side, and by how much the right one is greater."""

    name: str
    left: float | None
    right: float | None

    @property
    def change(self) -> float | None:
        """The right one less the left one; None where a side has none."""
        return None if self.left is None or self.right is None else self.right - self.left


@dataclass(frozen=True)
class StepPair:
    """A step of both, or of one. `defined_otherwise`: its definition is not the same in both."""

    name: str
    left: StepLine | None
    right: StepLine | None
    seconds: Measured
    defined_otherwise: bool

    @property
    def differs(self) -> bool:
        """Whether it came to another end, in another way."""
        left, right = self.left, self.right
        if left is None or right is None:
            return True
        is_same = (left.status, left.reason, left.outcome, left.is_cached) == (
            right.status,
            right.reason,
            right.outcome,
            right.is_cached,
        )
        return not is_same or self.defined_otherwise


def values(left: Values, right: Values) -> list[Row]:
    """Texts by name, those that differ first."""
    rows = [Row(name, left.get(name), right.get(name)) for name in _names(left, right)]
    return sorted(rows, key=lambda row: not row.differs)


def numbers(left: Mapping[str, float], right: Mapping[str, float]) -> list[Measured]:
    """Numbers by name."""
    return [Measured(name, left.get(name), right.get(name)) for name in _names(left, right)]


def steps(
    left: Sequence[StepLine], right: Sequence[StepLine], definitions: tuple[Values, Values], now: float
) -> list[StepPair]:
    """The steps side by side; `definitions` are theirs by name, as JSON texts."""
    before, after = ({each.name: each for each in side} for side in (left, right))
    return [
        StepPair(
            name=name,
            left=before.get(name),
            right=after.get(name),
            seconds=Measured(name, *(_seconds(side.get(name), now) for side in (before, after))),
            defined_otherwise=definitions[0].get(name) != definitions[1].get(name),
        )
        for name in _names(before, after)
    ]


def outputs(lines: Iterable[StepLine]) -> dict[str, str]:
    """The outputs of all steps, by `Step.output`."""
    return {f"{line.name}.{name}": value for line in lines for name, value in line.outputs}


def _seconds(line: StepLine | None, now: float) -> float | None:
    return None if line is None else line.seconds(now)


def _names(left: Iterable[str], right: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*right, *left]))
