"""The values of ranges: within them, spread as their scale says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tuning.conftest import request_of

from passrole.tuning import InvalidRequest, read_request
from passrole.tuning.ranges import Choice, Number, combinations, read_ranges

MIDDLES = [
    # low    high    scale                 whole  the value in the middle
    ("0",    "10",   "Linear",             False, 5.0),
    ("1",    "100",  "Logarithmic",        False, 10.0),
    ("0.9",  "0.99", "ReverseLogarithmic", False, 0.968377),
    ("1",    "9",    "Linear",             True,  5),
    ("1",    "100",  "Logarithmic",        True,  7),
    ("1",    "100",  "Auto",               False, 50.5),
    ("0.001", "10",  "Auto",               False, 0.1),
    ("-5",   "5",    "Auto",               True,  0),
]  # fmt: skip


def _number(low: str, high: str, scale: str, is_whole: bool) -> Any:
    kind = "IntegerParameterRanges" if is_whole else "ContinuousParameterRanges"
    (found,) = read_ranges({kind: [{"Name": "x", "MinValue": low, "MaxValue": high, "ScalingType": scale}]})
    return found


@pytest.mark.parametrize("low, high, scale, is_whole, middle", MIDDLES)
def test_the_middle_of_a_scale(low: str, high: str, scale: str, is_whole: bool, middle: float) -> None:
    text = _number(low, high, scale, is_whole).at(0.5)
    assert float(text) == pytest.approx(middle, abs=1e-5)
    assert is_whole == text.lstrip("-").isdigit()


@given(st.integers(-1000, 1000), st.integers(0, 1000), st.floats(0, 1, exclude_max=True))
def test_an_integer_is_always_within_its_range(low: int, more: int, place: float) -> None:
    assert low <= int(Number("x", low, low + more, "Linear", True).at(place)) <= low + more


@given(
    st.floats(1e-6, 0.5),
    st.floats(0, 0.49),
    st.floats(0, 1),
    st.sampled_from(["Logarithmic", "ReverseLogarithmic"]),
)
def test_a_number_is_always_within_its_range(low: float, more: float, place: float, scale: str) -> None:
    assert low <= float(Number("x", low, low + more, scale, False).at(place)) <= low + more


def test_every_integer_is_drawn_as_often_as_the_others() -> None:
    drawn = [Number("x", 1, 4, "Linear", True).at((place + 0.5) / 400) for place in range(400)]
    assert {value: drawn.count(value) for value in set(drawn)} == {"1": 100, "2": 100, "3": 100, "4": 100}


def test_combinations_are_counted() -> None:
    assert combinations([Number("x", 1, 4, "Linear", True), Choice("c", ("a", "b"))]) == 8
    assert combinations([Number("x", 1, 4, "Linear", False), Choice("c", ("a", "b"))]) is None
    assert combinations([Number("x", 0.5, 0.5, "Linear", False)]) == 1


BAD = [
    # ranges                                                       what is said
    ({"MinValue": "2", "MaxValue": "1"},                           "above its MaxValue"),
    ({"MinValue": "x", "MaxValue": "1"},                           "is not a number"),
    ({"MinValue": "nan", "MaxValue": "1"},                         "is not a number"),
    ({"MinValue": "0", "MaxValue": "1", "ScalingType": "Logarithmic"}, "must be greater than 0"),
    ({"MinValue": "0", "MaxValue": "1", "ScalingType": "ReverseLogarithmic"}, "less than 1"),
]  # fmt: skip


@pytest.mark.parametrize("ends, words", BAD)
def test_an_impossible_range_is_refused(ends: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        read_ranges({"ContinuousParameterRanges": [{"Name": "x", **ends}]})


def test_a_fraction_is_no_end_of_an_integer_range() -> None:
    with pytest.raises(InvalidRequest, match="is not an integer"):
        read_ranges({"IntegerParameterRanges": [{"Name": "x", "MinValue": "0.5", "MaxValue": "2"}]})


def test_two_ranges_of_one_hyperparameter_are_refused() -> None:
    one = {"Name": "x", "MinValue": "1", "MaxValue": "2"}
    with pytest.raises(InvalidRequest, match="more than one range"):
        read_ranges({"IntegerParameterRanges": [one], "ContinuousParameterRanges": [one]})


_CONVERGENCE = {"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}
_HYPERBAND = {"HyperbandStrategyConfig": {"MaxResource": 9}}
REFUSED = [
    # members of the configuration                                        what is said
    ({"ResourceLimits": {"MaxParallelTrainingJobs": 1}},                  "MaxNumberOfTrainingJobs or"),
    ({"ParameterRanges": {"AutoParameters": [{"Name": "x", "ValueHint": "1"}]}}, "AutoParameters"),
    ({"TuningJobCompletionCriteria": _CONVERGENCE},                       "ConvergenceDetected"),
    ({"Strategy": "Hyperband", "TrainingJobEarlyStoppingType": "Auto"},   "must be Off"),
    ({"StrategyConfig": _HYPERBAND},                                      "needs the strategy Hyperband"),
]  # fmt: skip


@pytest.mark.parametrize("config, words", REFUSED)
def test_a_request_that_cannot_be_is_refused(config: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        read_request(request_of(**config), "seed")
