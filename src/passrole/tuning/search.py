"""The values of the next trials. Random and Grid are here, Bayesian needs Optuna (bayesian.py).

Numbers are drawn from the seed and the trial's place alone: the same seed gives the same trials, and a search
goes on after a crash as if there had been none. No combination is tried twice while another is left.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from passrole.tuning import bayesian
from passrole.tuning.ranges import Range, combinations
from passrole.tuning.request import BAYESIAN, GRID, Definition, Tuning
from passrole.tuning.trials import Trial

_DRAWS_MAX = 64
_LISTED_MAX = 100_000
"""Combinations that are gone through one by one to find one that is left."""


class Chosen(NamedTuple):
    """What to try: the values, and the place of the definition that they are for."""

    definition: int
    values: dict[str, str]


def next_trials(tuning: Tuning, trials: Sequence[Trial], count: int) -> list[Chosen]:
    """The next `count` trials after those that there are. Raises SearchMissing."""
    known = list(trials)
    for _ in range(count):
        place = _definition(tuning, known)
        number = max((each.number for each in known), default=0) + 1
        known.append(Trial(number, place, _values(tuning, place, known)))
    return [Chosen(each.definition, dict(each.values)) for each in known[len(trials) :]]


def _definition(tuning: Tuning, trials: Sequence[Trial]) -> int:
    """Definitions take turns, until one has nothing left to try."""
    tried = [sum(each.definition == place for each in trials) for place in range(len(tuning.definitions))]
    counts = [combinations(each.space) for each in tuning.definitions]
    left = [place for place, count in enumerate(counts) if count is None or tried[place] < count]
    return min(left or range(len(tried)), key=lambda place: tried[place])


def _values(tuning: Tuning, place: int, trials: Sequence[Trial]) -> dict[str, str]:
    definition, mine = tuning.definitions[place], [each for each in trials if each.definition == place]
    if tuning.strategy == GRID:
        return _listed(definition.space, len(mine))
    if tuning.strategy == BAYESIAN:
        return _untried(definition.space, mine, bayesian.proposals(tuning, definition, mine, _DRAWS_MAX))
    return _untried(definition.space, mine, _random(tuning, definition, place, len(mine)))


def _random(tuning: Tuning, definition: Definition, place: int, index: int) -> Iterator[dict[str, str]]:
    for draw in range(_DRAWS_MAX):
        begin = f"{tuning.seed}/{place}/{index}/{draw}"
        yield {each.name: each.at(_drawn(f"{begin}/{each.name}")) for each in definition.space}


def _untried(
    space: Sequence[Range], trials: Sequence[Trial], proposals: Iterator[dict[str, str]]
) -> dict[str, str]:
    """The first proposal that is new; where none is, the first combination that is."""
    tried = [dict(each.values) for each in trials]
    first: dict[str, str] | None = None
    for each in proposals:
        if each not in tried:
            return each
        first = first or each
    assert first is not None, "a search proposes something"
    count = combinations(space)
    listed = range(0 if count is None else min(count, _LISTED_MAX))
    return next((found for index in listed if (found := _listed(space, index)) not in tried), first)


def _listed(space: Sequence[Range], index: int) -> dict[str, str]:
    """The combination at this place of all; the last hyperparameter changes first."""
    found = {}
    for each in reversed(space):
        assert each.count is not None, "there is an end to the combinations"
        index, digit = divmod(index, each.count)
        found[each.name] = each.nth(digit)
    return {each.name: found[each.name] for each in space}


def _drawn(what: str) -> float:
    """A number from 0 to below 1."""
    return math.ldexp(int.from_bytes(hashlib.sha256(what.encode()).digest()[:7]) >> 3, -53)
