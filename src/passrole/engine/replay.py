"""A recorded execution, decided again: whether this version reads it, and decides as the recording one did.

Each row of a journal begins with what happened, and the rest of it was decided then. Here the first is given
to `decide` again and the rest compared. It goes on with what was recorded, so that a difference is told once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from passrole import exact_json
from passrole.definition import Pipeline
from passrole.definition.expressions import Json
from passrole.engine import facts
from passrole.engine.decide import decide
from passrole.engine.state import State, begin, fold

Row = Sequence[Mapping[str, Json]]


class Unreadable(Exception):
    """What is recorded is none of a journal that this version knows; the message says what."""


class Difference(NamedTuple):
    """What this version decides otherwise behind a fact; None where the one side has nothing more."""

    row: int
    after: Mapping[str, Json]
    recorded: Mapping[str, Json] | None
    decided: Mapping[str, Json] | None


class Replayed(NamedTuple):
    """The state to which a journal folds, and what is decided otherwise today."""

    state: State
    rows: int
    differences: tuple[Difference, ...]


def replay(pipeline: Pipeline, rows: Iterable[Row]) -> Replayed:
    """Decide every row again. Raises Unreadable."""
    state, number, found = begin(pipeline), 0, list[Difference]()
    for number, row in enumerate(rows, 1):
        try:
            happened = [facts.from_json(each) for each in row]
            decided = decide(state, happened[0]).facts  # type: ignore[arg-type]  # a row begins with an input fact
            state = fold(state, happened)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            message = (
                f"row {number} is none of a journal that this version knows: {type(error).__name__} {error}"
            )
            raise Unreadable(message) from error
        found += _differences(number, happened, decided)
    return Replayed(state, number, tuple(found))


def _differences(
    row: int, recorded: Sequence[facts.Fact], decided: Sequence[facts.Fact]
) -> Iterator[Difference]:
    """The first one: what follows from it differs too."""
    before, now = [*map(facts.to_json, recorded)], [*map(facts.to_json, decided)]
    for index in range(max(len(before), len(now))):
        old = before[index] if index < len(before) else None
        new = now[index] if index < len(now) else None
        if exact_json.dumps(old) != exact_json.dumps(new):
            yield Difference(row, before[0], old, new)
            return
