"""What a tuning job does next, by its limits and by what came of its trials."""

from typing import Any

import pytest
from tests.tuning.conftest import Build, ended

from passrole.tuning import Ending, Plan, Trial, not_improving, plan


def _running(number: int, *course: float, **members: Any) -> Trial:
    return Trial(number, 0, {"lr": f"0.{number}"}, course=course, **members)


def test_it_fills_what_may_run_at_once(tuning: Build) -> None:
    assert plan(tuning(), [], 0) == Plan(count=2)
    assert plan(tuning(), [_running(1)], 0) == Plan(count=1)
    assert plan(tuning(), [_running(1), _running(2)], 0) == Plan()


def test_it_ends_when_all_were_tried(tuning: Build) -> None:
    trials = [ended(number, 1.0) for number in range(1, 11)]
    assert plan(tuning(), trials[:9], 0) == Plan(count=1)
    assert plan(tuning(), trials, 0) == Plan(ending=Ending("Completed"), is_over=True)


def test_past_its_time_what_runs_is_stopped(tuning: Build) -> None:
    limits = {"MaxParallelTrainingJobs": 2, "MaxRuntimeInSeconds": 120}
    one, trials = tuning(ResourceLimits=limits), [ended(1, 1.0), _running(2)]
    assert plan(one, trials, 119.0) == Plan(count=1)
    assert plan(one, trials, 120.0) == Plan(stops=(2,), ending=Ending("Completed"))


def test_an_ending_stands_though_the_last_trial_is_better(tuning: Build) -> None:
    trials = [ended(1, 1.0), ended(2, 0.1, "Stopped")]
    assert plan(tuning(), trials, 0, ending=Ending("Completed")).is_over


def test_a_stop_stops_what_is_not_stopping_yet(tuning: Build) -> None:
    trials = [_running(1, is_stopping=True), _running(2)]
    assert plan(tuning(), trials, 0, is_stopping=True) == Plan(stops=(2,), ending=Ending("Stopped"))


FAILURES = [
    # objectives and status of trials           of at most   the reason begins
    ([(None, "Failed")] * 4,                     10,          None),
    ([(None, "Failed")] * 5,                     10,          "No training job succeeded after 5 attempts."),
    ([(None, "Failed")] * 3,                     3,           "All training jobs failed."),
    ([(None, "Completed")] * 5,                  10,          "No objective metrics found after running 5"),
    ([(None, "Failed"), (None, "Completed")],    2,           "No objective metrics found after running 2"),
]  # fmt: skip


@pytest.mark.parametrize("outcomes, most, begins", FAILURES)
def test_it_fails_where_no_trial_has_an_objective(
    tuning: Build, outcomes: list[tuple[None, str]], most: int, begins: str | None
) -> None:
    one = tuning(ResourceLimits={"MaxNumberOfTrainingJobs": most, "MaxParallelTrainingJobs": 1})
    ending = plan(one, [ended(number, *each) for number, each in enumerate(outcomes, 1)], 0).ending
    if begins is None:
        assert ending is None
    else:
        assert ending is not None
        assert (ending.status, str(ending.reason).startswith(begins)) == ("Failed", True)


@pytest.mark.parametrize("type_, values, is_over", [("Minimize", [3, 2], True), ("Maximize", [3, 5], False)])
def test_it_ends_at_its_target(tuning: Build, type_: str, values: list[float], is_over: bool) -> None:
    criteria = {"TargetObjectiveMetricValue": 2.0 if type_ == "Minimize" else 6.0}
    objective = {"Type": type_, "MetricName": "loss"}
    one = tuning(TuningJobCompletionCriteria=criteria, HyperParameterTuningJobObjective=objective)
    assert plan(one, [ended(number, each) for number, each in enumerate(values, 1)], 0).is_over is is_over


def test_it_ends_when_nothing_improves_by_a_hundredth(tuning: Build) -> None:
    none = {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}
    one = tuning(TuningJobCompletionCriteria=none)
    trials = [ended(1, 1.0), ended(2, 0.995), ended(3, 2.0), ended(4, 0.99)]
    assert not_improving(one, trials) == 3
    assert plan(one, trials, 0).is_over
    assert not_improving(one, [*trials, ended(5, 0.5)]) == 0


def test_worse_than_the_median_of_averages_is_stopped(tuning: Build) -> None:
    one = tuning(TrainingJobEarlyStoppingType="Auto")
    before = [ended(number, 1.0, course=(3.0, 1.0)) for number in (1, 2, 3)]
    assert plan(one, [*before, _running(4, 2.9)], 0).stops == ()
    assert plan(one, [*before, _running(4, 2.9, 2.1)], 0).stops == (4,)
    assert plan(one, [*before[:2], _running(4, 2.9, 2.1)], 0).stops == ()
    assert plan(one, [*before, _running(4, 2.9, 2.1, 9.0)], 0).stops == (), "none went so far before"
    assert plan(tuning(), [*before, _running(4, 2.9, 2.1)], 0).stops == ()


def test_hyperband_stops_all_but_the_best_third_at_a_rung(tuning: Build) -> None:
    config = {"HyperbandStrategyConfig": {"MinResource": 3, "MaxResource": 9}}
    one = tuning(Strategy="Hyperband", StrategyConfig=config)
    running = [_running(number, 5.0, 5.0, float(number)) for number in range(1, 10)]
    assert plan(one, running, 0).stops == (4, 5, 6, 7, 8, 9)
    assert plan(one, [_running(1, *[1.0] * 9)], 0).stops == (1,), "it has had all that it may have"
    assert plan(one, [_running(number, 5.0, 5.0) for number in range(1, 10)], 0).stops == ()


def test_hyperband_takes_the_epochs_of_the_program(tuning: Build) -> None:
    from tests.tuning.conftest import request_of

    from passrole.tuning import read_request

    request = request_of(Strategy="Hyperband")
    request["TrainingJobDefinition"]["StaticHyperParameters"] = {"epochs": '"27"'}
    assert read_request(request, "s").resource == (1, 27)
