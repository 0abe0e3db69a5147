"""Tuning jobs: their shape, their training jobs, how they end, and what is refused."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.eventually import eventually
from tests.services.sagemaker.jobs.workshop import LR, Workshop

PRINT = 'echo "loss=$2;"; echo m > /opt/ml/model/m'
COUNTERS, OBJECTIVES = "TrainingJobStatusCounters", "ObjectiveStatusCounters"
STATUS = "HyperParameterTuningJobStatus"


def _limits(jobs: int, parallel: int = 4) -> dict[str, Any]:
    limits = {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": parallel}
    return {"ResourceLimits": limits}


def _choices(**values: list[str]) -> dict[str, Any]:
    ranges = [{"Name": name, "Values": each} for name, each in values.items()]
    return {"ParameterRanges": {"CategoricalParameterRanges": ranges}}


def _objective(each: dict[str, Any]) -> float:
    value: float = each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    return value


def test_a_tuning_job_runs_training_jobs_and_knows_the_best(workshop: Workshop) -> None:
    request = workshop.tuning(PRINT, _limits(3))
    name = request["HyperParameterTuningJobName"]
    answer = workshop.sagemaker.create_hyper_parameter_tuning_job(
        **request, Tags=[{"Key": "a", "Value": "1"}]
    )
    tuned = workshop.tuned(name)
    assert tuned["HyperParameterTuningJobArn"] == answer["HyperParameterTuningJobArn"]
    assert tuned[STATUS] == "Completed"
    assert tuned["HyperParameterTuningJobConfig"] == request["HyperParameterTuningJobConfig"]
    assert tuned[COUNTERS] == {
        "Completed": 3,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 0,
    }
    assert tuned[OBJECTIVES] == {"Succeeded": 3, "Pending": 0, "Failed": 0}
    ranked = workshop.children(name, SortBy="FinalObjectiveMetricValue")
    assert [_objective(each) for each in ranked] == sorted(_objective(each) for each in ranked)
    assert tuned["BestTrainingJob"]["TrainingJobName"] == ranked[0]["TrainingJobName"]
    assert len({each["TunedHyperParameters"]["lr"] for each in ranked}) == 3
    assert all(
        _objective(each) == pytest.approx(float(each["TunedHyperParameters"]["lr"])) for each in ranked
    )


def test_its_training_jobs_are_training_jobs(workshop: Workshop) -> None:
    request = workshop.tuning(PRINT, _limits(2), StaticHyperParameters={"fixed": "7"}, Environment={"E": "1"})
    name = request["HyperParameterTuningJobName"]
    created = workshop.sagemaker.create_hyper_parameter_tuning_job(
        **request, Tags=[{"Key": "a", "Value": "1"}]
    )
    workshop.tuned(name)
    first, second = workshop.children(name)
    assert first["TrainingJobName"].startswith(f"{name}-001-")
    assert second["TrainingJobName"].startswith(f"{name}-002-")
    job = workshop.trained(first["TrainingJobName"])
    assert job["TuningJobArn"] == created["HyperParameterTuningJobArn"]
    given = job["HyperParameters"]
    assert (given["fixed"], given["_tuning_objective_metric"]) == ("7", "loss")
    assert given["lr"] == first["TunedHyperParameters"]["lr"]
    assert job["Environment"] == {"E": "1"}
    tags = workshop.sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "a", "Value": "1"}]
    assert workshop.keys(f"models/{first['TrainingJobName']}/") == [
        f"models/{first['TrainingJobName']}/output/model.tar.gz"
    ]


def test_no_more_run_at_once_than_may(workshop: Workshop) -> None:
    waits = "trap 'exit 0' TERM; while :; do sleep 0.05; done"
    request = workshop.tuning(waits, _limits(3, parallel=1))
    name = request["HyperParameterTuningJobName"]
    workshop.sagemaker.create_hyper_parameter_tuning_job(**request)
    eventually(lambda: len(workshop.children(name)) == 1)
    (child,) = workshop.children(name)
    workshop.training_reaches(child["TrainingJobName"], "Training")
    assert len(workshop.children(name)) == 1
    described = workshop.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert described[COUNTERS]["InProgress"] == 1
    assert described[OBJECTIVES]["Pending"] == 1
    workshop.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    tuned = workshop.tuned(name)
    assert tuned[STATUS] == "Stopped"
    assert tuned[COUNTERS]["Stopped"] == 1
    assert [each["TrainingJobStatus"] for each in workshop.children(name)] == ["Stopped"]


def test_grid_tries_every_combination_once(workshop: Workshop) -> None:
    limits = {"ResourceLimits": {"MaxParallelTrainingJobs": 4}}
    tuned = workshop.tune(PRINT, {"Strategy": "Grid", **_choices(a=["1", "2"], b=["3", "4"]), **limits})
    name = tuned["HyperParameterTuningJobName"]
    tried = [each["TunedHyperParameters"] for each in workshop.children(name)]
    assert tried == [{"a": a, "b": b} for a in "12" for b in "34"]


def test_maximised_the_best_is_the_greatest(workshop: Workshop) -> None:
    objective = {"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "loss"}}
    tuned = workshop.tune(PRINT, {**_choices(a=["1", "3", "2"]), **_limits(3), **objective})
    assert _objective(tuned["BestTrainingJob"]) == 3.0


def test_a_training_job_without_the_metric_has_a_failed_objective(workshop: Workshop) -> None:
    script = 'test "$2" = none || echo "loss=$2;"'
    tuned = workshop.tune(script, {**_choices(a=["none", "2"]), **_limits(2)})
    assert tuned[COUNTERS]["Completed"] == 2
    assert tuned[OBJECTIVES] == {"Succeeded": 1, "Pending": 0, "Failed": 1}
    ranked = workshop.children(tuned["HyperParameterTuningJobName"], SortBy="FinalObjectiveMetricValue")
    assert [each["TunedHyperParameters"] for each in ranked] == [{"a": "2"}]


def test_where_all_fail_it_fails(workshop: Workshop) -> None:
    tuned = workshop.tune("exit 1", _limits(2))
    assert tuned[STATUS] == "Failed"
    assert tuned["FailureReason"] == (
        "All training jobs failed. Please take a look at the training jobs failures to get more details."
    )
    assert tuned[COUNTERS]["NonRetryableError"] == 2
    listed = workshop.children(tuned["HyperParameterTuningJobName"], StatusEquals="Failed")
    assert "AlgorithmError" in listed[0]["FailureReason"]


def test_it_gives_up_after_five_failures(workshop: Workshop) -> None:
    tuned = workshop.tune("exit 1", _limits(20, parallel=5))
    assert tuned["FailureReason"].startswith("No training job succeeded after 5 attempts. ")
    assert len(workshop.children(tuned["HyperParameterTuningJobName"])) < 10


def test_it_ends_once_the_target_is_reached(workshop: Workshop) -> None:
    criteria = {"TuningJobCompletionCriteria": {"TargetObjectiveMetricValue": 5.0}}
    values = [str(number) for number in range(1, 6)]
    tuned = workshop.tune(PRINT, {**_choices(a=values), **_limits(5, parallel=1), **criteria})
    assert tuned[STATUS] == "Completed"
    assert tuned[COUNTERS]["Completed"] == 1


def test_the_same_seed_tries_the_same_values(workshop: Workshop) -> None:
    seeded = {"RandomSeed": 7, **_limits(3)}
    first, second = (workshop.tune(PRINT, seeded)["HyperParameterTuningJobName"] for _ in range(2))
    tried = [[each["TunedHyperParameters"] for each in workshop.children(name)] for name in (first, second)]
    assert tried[0] == tried[1]
    third = workshop.tune(PRINT, _limits(3))["HyperParameterTuningJobName"]
    assert [each["TunedHyperParameters"] for each in workshop.children(third)] != tried[0]


def test_early_stopping_stops_what_is_worse_than_the_median(workshop: Workshop) -> None:
    script = (
        'trap "exit 0" TERM; if [ "$2" = bad ]; then while :; do echo "loss=9;"; sleep 0.2; done; fi;'
        ' for i in 1 2 3 4 5 6 7 8 9; do echo "loss=1;"; done'
    )
    config = {
        **_choices(a=["g1", "g2", "g3", "bad"]),
        "Strategy": "Grid",
        "TrainingJobEarlyStoppingType": "Auto",
        **_limits(4, parallel=1),
    }
    tuned = workshop.tune(script, config)
    assert tuned[STATUS] == "Completed"
    assert (tuned[COUNTERS]["Completed"], tuned[COUNTERS]["Stopped"]) == (3, 1)
    assert tuned[OBJECTIVES]["Succeeded"] == 4
    assert workshop.children(tuned["HyperParameterTuningJobName"])[3]["TrainingJobStatus"] == "Stopped"


def test_several_definitions_take_turns(workshop: Workshop) -> None:
    request = workshop.tuning(PRINT, _limits(4))
    config, one = request["HyperParameterTuningJobConfig"], request.pop("TrainingJobDefinition")
    tuned_by = {"TuningObjective": config.pop("HyperParameterTuningJobObjective")}
    config.pop("ParameterRanges")
    request["TrainingJobDefinitions"] = [
        {
            **one,
            **tuned_by,
            "DefinitionName": name,
            "HyperParameterRanges": {"ContinuousParameterRanges": [LR]},
        }
        for name in ("x", "y")
    ]
    workshop.sagemaker.create_hyper_parameter_tuning_job(**request)
    tuned = workshop.tuned(request["HyperParameterTuningJobName"])
    listed = workshop.children(tuned["HyperParameterTuningJobName"])
    assert [each["TrainingJobDefinitionName"] for each in listed] == ["x", "y", "x", "y"]
    assert tuned["BestTrainingJob"]["TrainingJobDefinitionName"] in ("x", "y")


def test_checkpoints_of_each_training_job_are_its_own(workshop: Workshop) -> None:
    script = f"ls /opt/ml/checkpoints | wc -l; touch /opt/ml/checkpoints/c; {PRINT}"
    where = {"S3Uri": f"s3://{workshop.bucket}/checkpoints/"}
    tuned = workshop.tune(script, _limits(2, parallel=1), CheckpointConfig=where)
    names = [each["TrainingJobName"] for each in workshop.children(tuned["HyperParameterTuningJobName"])]
    assert workshop.keys("checkpoints/") == [f"checkpoints/{name}/c" for name in names]
    assert all("0" in workshop.log("Training", name) for name in names)


def test_it_is_listed(workshop: Workshop) -> None:
    tuned = workshop.tune(PRINT, _limits(1))
    name = tuned["HyperParameterTuningJobName"]
    listed = workshop.sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name)
    (summary,) = listed["HyperParameterTuningJobSummaries"]
    assert summary["Strategy"] == "Random"
    assert summary["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 4}
    assert summary[COUNTERS] == tuned[COUNTERS]
    assert summary["HyperParameterTuningEndTime"] == tuned["HyperParameterTuningEndTime"]


def _refused(workshop: Workshop, request: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        workshop.sagemaker.create_hyper_parameter_tuning_job(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_name_is_used_once(workshop: Workshop) -> None:
    request = workshop.tuning(PRINT, _limits(1))
    workshop.sagemaker.create_hyper_parameter_tuning_job(**request)
    name = request["HyperParameterTuningJobName"]
    words = f"A hyperparameter tuning job with the name, {name}, already exists. Choose a different name."
    assert _refused(workshop, request) == ("ResourceInUse", words)
    workshop.tuned(name)


def test_an_unknown_one_is_not_found(workshop: Workshop) -> None:
    called = {"HyperParameterTuningJobName": "nothing"}
    for call in (
        "describe_hyper_parameter_tuning_job",
        "list_training_jobs_for_hyper_parameter_tuning_job",
        "stop_hyper_parameter_tuning_job",
    ):
        with pytest.raises(workshop.sagemaker.exceptions.ResourceNotFound) as caught:
            getattr(workshop.sagemaker, call)(**called)
        assert caught.value.response["Error"]["Message"] == (
            "Amazon SageMaker can't find a tuning job called nothing. Type another name."
        )


def test_one_that_has_ended_cannot_be_stopped(workshop: Workshop) -> None:
    name = workshop.tune(PRINT, _limits(1))["HyperParameterTuningJobName"]
    with pytest.raises(ClientError, match="hyper parameter tuning job is in status Completed"):
        workshop.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (_choices(a=["1", "2"]), "You don't have enough combinations of hyperparameter ranges."),
        ({"ParameterRanges": {}}, "at least one range"),
        ({"Strategy": "Grid"}, "categorical ranges only"),
        ({"Strategy": "Hyperband"}, "Hyperband needs a MaxResource"),
        (
            {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "x"}},
            "A metric is required",
        ),
        (_choices(sagemaker_program=["1", "2", "3"]), "both a range and a static value"),
    ],
)
def test_what_can_never_run_is_refused(workshop: Workshop, config: dict[str, Any], words: str) -> None:
    request = workshop.tuning(PRINT, {**_limits(3), **config})
    code, message = _refused(workshop, request)
    assert code == "ValidationException"
    assert words in message


def test_data_that_the_role_does_not_find_are_refused(workshop: Workshop) -> None:
    request = workshop.tuning(PRINT, {}, InputDataConfig=[workshop.channel("train", "nothing/")])
    assert "No S3 objects found under S3 URL" in _refused(workshop, request)[1]


def test_what_is_not_here_is_refused_by_name(workshop: Workshop) -> None:
    request = workshop.tuning(PRINT, {})
    parents = [{"HyperParameterTuningJobName": "p"}]
    warm = {"WarmStartType": "TransferLearning", "ParentHyperParameterTuningJobs": parents}
    assert "WarmStartConfig" in _refused(workshop, {**request, "WarmStartConfig": warm})[1]
    assert "Autotune" in _refused(workshop, {**request, "Autotune": {"Mode": "Enabled"}})[1]
