"""The values that are tried next."""

from dataclasses import replace

import pytest
from tests.tuning.conftest import Build

from passrole.tuning import SearchMissing, Trial, Tuning, next_trials
from passrole.tuning.bayesian import STARTS

CHOICES = {"CategoricalParameterRanges": [{"Name": "c", "Values": ["a", "b", "c"]}]}


def _limits(count: int) -> dict[str, int]:
    return {"MaxNumberOfTrainingJobs": count, "MaxParallelTrainingJobs": 1}


def _tried(tuning: Tuning, count: int, at_once: int = 1) -> list[dict[str, str]]:
    """What is tried where each trial is known when the next is chosen."""
    trials: list[Trial] = []
    while len(trials) < count:
        for each in next_trials(tuning, trials, at_once):
            values = dict(each.values)
            score = sum((float(value) - 0.7) ** 2 for value in values.values() if value[0].isdigit())
            number = len(trials) + 1
            trials.append(Trial(number, each.definition, values, "Completed", score, ended=number))
    return [dict(each.values) for each in trials]


def test_a_seed_gives_the_same_values_one_by_one_or_together(tuning: Build) -> None:
    one = tuning(RandomSeed=3)
    assert _tried(one, 6) == _tried(one, 6, at_once=3) == _tried(tuning(RandomSeed=3), 6)
    assert _tried(one, 6) != _tried(tuning(RandomSeed=4), 6)
    assert _tried(tuning(), 6) != _tried(replace(tuning(), seed="another"), 6)


def _miss(values: list[float]) -> float:
    """How far from the best value they are, on average."""
    return sum(abs(value - 0.7) for value in values) / len(values)


@pytest.mark.parametrize("strategy", ["Random", "Grid"])
def test_no_combination_is_tried_twice(tuning: Build, strategy: str) -> None:
    limits = {"MaxParallelTrainingJobs": 1} if strategy == "Grid" else _limits(3)
    tried = _tried(tuning(Strategy=strategy, ParameterRanges=CHOICES, ResourceLimits=limits), 3)
    assert sorted(each["c"] for each in tried) == ["a", "b", "c"]


def test_grid_counts_its_trials_itself(tuning: Build) -> None:
    limits = {"MaxParallelTrainingJobs": 1}
    assert tuning(Strategy="Grid", ParameterRanges=CHOICES, ResourceLimits=limits).trials_max == 3


def test_few_integers_are_gone_through(tuning: Build) -> None:
    ranges = {"IntegerParameterRanges": [{"Name": "n", "MinValue": "1", "MaxValue": "12"}]}
    tried = _tried(tuning(ParameterRanges=ranges, ResourceLimits=_limits(12)), 12)
    assert sorted(int(each["n"]) for each in tried) == list(range(1, 13))


def test_bayesian_without_optuna_says_what_to_install(tuning: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(SearchMissing, match=r"pip install 'passrole\[tuning\]'"):
        next_trials(tuning(Strategy="Bayesian"), (), 1)


def test_bayesian_learns_and_is_repeatable(tuning: Build) -> None:
    pytest.importorskip("optuna")
    one = tuning(Strategy="Bayesian", RandomSeed=1, ResourceLimits=_limits(30))
    tried = [float(each["lr"]) for each in _tried(one, 30)]
    assert tried == [float(each["lr"]) for each in _tried(one, 30)]
    drawn = [float(each["lr"]) for each in _tried(tuning(RandomSeed=1, ResourceLimits=_limits(30)), 30)]
    assert _miss(tried[STARTS:]) < _miss(drawn[STARTS:]) / 2


def test_bayesian_knows_every_kind_of_range(tuning: Build) -> None:
    pytest.importorskip("optuna")
    ranges = {
        **CHOICES,
        "IntegerParameterRanges": [
            {"Name": "i", "MinValue": "1", "MaxValue": "64", "ScalingType": "Logarithmic"}
        ],
        "ContinuousParameterRanges": [
            {"Name": "l", "MinValue": "1e-5", "MaxValue": "1", "ScalingType": "Logarithmic"},
            {"Name": "r", "MinValue": "0", "MaxValue": "0.999", "ScalingType": "ReverseLogarithmic"},
        ],
    }
    one = tuning(Strategy="Bayesian", ParameterRanges=ranges, ResourceLimits=_limits(12))
    for values in _tried(one, 12):
        assert all(each.has(values[each.name]) for each in one.definitions[0].space), values


def test_bayesian_takes_failures_and_running_trials(tuning: Build) -> None:
    pytest.importorskip("optuna")
    one = tuning(Strategy="Bayesian")
    trials = [
        Trial(1, 0, {"lr": "0.5"}, "Failed"),
        Trial(2, 0, {"lr": "0.6"}),
        Trial(3, 0, {"lr": "0.7"}, "Completed", 1.0),
        Trial(4, 0, {"lr": "0.8"}, "Stopped"),
    ]
    found = next_trials(one, trials, 2)
    assert len({each.values["lr"] for each in found}) == 2
