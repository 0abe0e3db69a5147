"""Which running trials are not worth their time: the median rule, and Hyperband.

Each value of the objective that a trial prints counts as an epoch.
https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html
"""

import hashlib
from collections.abc import Sequence
from statistics import fmean, median

from passrole.tuning.request import Tuning
from passrole.tuning.trials import FAILED, Trial

PREVIOUS_MIN = 3
"""Fewer trials before it tell nothing about one. AWS names no number."""

_REDUCTION = 3
"""Of the trials that reach a level of Hyperband, the best third goes on."""


def unpromising(tuning: Tuning, trials: Sequence[Trial]) -> list[int]:
    """The numbers of the trials that are to be stopped now."""
    running = [each for each in trials if each.is_running and not each.is_stopping and each.course]
    if tuning.resource is not None:
        return [each.number for each in running if _falls_behind(tuning, each, trials)]
    if not tuning.stops_early:
        return []
    ended = [each for each in trials if not each.is_running and each.status != FAILED]
    return [each.number for each in running if _is_below_median(tuning, each, ended)]


def _is_below_median(tuning: Tuning, trial: Trial, ended: Sequence[Trial]) -> bool:
    """Whether its value is worse than the median of the averages that earlier trials had by its epoch."""
    epoch = len(trial.course)
    courses = [
        each.course for each in ended if each.definition == trial.definition and len(each.course) >= epoch
    ]
    if len(courses) < PREVIOUS_MIN:
        return False
    return _is_worse(tuning, trial.course[-1], median(fmean(course[:epoch]) for course in courses))


def _falls_behind(tuning: Tuning, trial: Trial, trials: Sequence[Trial]) -> bool:
    """Whether it has had all that a trial may have, or is not in the best third at its last level."""
    assert tuning.resource is not None
    least, most = tuning.resource
    if len(trial.course) >= most:
        return True
    bracket = _bracket(tuning, trial)
    rivals = [
        each for each in trials if each.definition == trial.definition and _bracket(tuning, each) == bracket
    ]
    levels = [level for level in _levels(least, most)[bracket:] if len(trial.course) >= level]
    return bool(levels) and _is_behind_at(tuning, levels[-1], trial, rivals)


def _is_behind_at(tuning: Tuning, level: int, trial: Trial, rivals: Sequence[Trial]) -> bool:
    values = sorted(
        (each.course[level - 1] for each in rivals if len(each.course) >= level), reverse=tuning.is_maximised
    )
    if len(values) < _REDUCTION:
        return False
    return _is_worse(tuning, trial.course[level - 1], values[len(values) // _REDUCTION - 1])


def _levels(least: int, most: int) -> list[int]:
    """Where trials are compared: least, three times least, ... below most. There is always one."""
    levels = [least]
    while levels[-1] * _REDUCTION < most:
        levels.append(levels[-1] * _REDUCTION)
    return levels


def _bracket(tuning: Tuning, trial: Trial) -> int:
    """How many levels a trial is spared. A bracket with more of them has fewer trials, as in Hyperband."""
    assert tuning.resource is not None
    brackets = len(_levels(*tuning.resource))
    shares = [_REDUCTION**level for level in reversed(range(brackets))]
    drawn = hashlib.sha256(f"{tuning.seed}/bracket/{trial.number}".encode()).digest()
    place = int.from_bytes(drawn[:8]) % sum(shares)
    for bracket, share in enumerate(shares):
        place -= share
        if place < 0:
            return bracket
    raise AssertionError("a place lies within the shares")


def _is_worse(tuning: Tuning, value: float, other: float) -> bool:
    return value < other if tuning.is_maximised else value > other
