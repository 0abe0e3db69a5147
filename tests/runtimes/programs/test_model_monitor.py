"""The program that stands for AWS's analyser of data and model quality, on the pandas of this interpreter."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from tests.runtimes.programs.analyser_job import VARIABLE, WITH_PANDAS, AnalyserJob, Ended

if WITH_PANDAS is None:
    pytest.skip(f"neither this interpreter nor that of {VARIABLE} has pandas", allow_module_level=True)

MIXED = "n,x,word,nothing\n1,0.5,a,\n2,-1.5,b,\n,2,a,\n"


@pytest.fixture
def job(tmp_path: Path) -> AnalyserJob:
    return AnalyserJob(tmp_path)


def features(ended: Ended, name: str = "constraints.json") -> dict[str, Any]:
    return {each["name"]: each for each in ended.results[name]["features"]}


def baseline_of(job: AnalyserJob, ended: Ended, **changes: Any) -> dict[str, str]:
    """The files of a job as the earlier baseline of the next; `changes` are of its monitoring_config."""
    constraints = json.loads(json.dumps(ended.results["constraints.json"]))
    constraints.get("monitoring_config", {}).update(changes)
    return {
        "baseline_constraints": str(job.put("baseline/constraints.json", constraints)),
        "baseline_statistics": str(job.put("baseline/statistics.json", ended.results["statistics.json"])),
    }


def checks(ended: Ended) -> set[tuple[str, str]]:
    return {(each["feature_name"], each["constraint_check_type"]) for each in ended.violations}


def column(*values: Any, name: str = "v") -> str:
    return "\n".join([name, *map(str, values)]) + "\n"


def test_each_column_has_statistics_and_constraints_of_its_type(job: AnalyserJob) -> None:
    ended = job.quality(MIXED)
    assert (ended.exit_code, ended.message) == (
        0,
        "Completed: Job completed successfully with no violations.",
    )
    found = features(ended)
    assert {name: each["inferred_type"] for name, each in found.items()} == {
        "n": "Integral",
        "x": "Fractional",
        "word": "String",
        "nothing": "Unknown",
    }
    assert found["n"]["completeness"] == pytest.approx(2 / 3)
    assert found["n"]["num_constraints"] == {"is_non_negative": True}
    assert found["x"]["num_constraints"] == {"is_non_negative": False}
    assert found["word"]["string_constraints"] == {"domains": ["a", "b"]}
    statistics = ended.results["statistics.json"]
    assert statistics["dataset"] == {"item_count": 3}
    x = features(ended, "statistics.json")["x"]["numerical_statistics"]
    assert x["common"] == {"num_present": 3, "num_missing": 0}
    assert (x["sum"], x["min"], x["max"]) == (1.0, -1.5, 2.0)
    buckets = x["distribution"]["kll"]["buckets"]
    assert len(buckets) == 10 and sum(each["count"] for each in buckets) == 3
    assert x["distribution"]["kll"]["sketch"]["data"] == [[-1.5, 0.5, 2.0]]
    word = features(ended, "statistics.json")["word"]["string_statistics"]
    assert word["distinct_count"] == 2
    assert word["distribution"]["categorical"]["buckets"][0] == {"value": "a", "count": 2}


@pytest.mark.parametrize(
    ("body", "form", "names"),
    [
        ("1,a\n2,b\n", {"csv": {"header": False}}, ["_c0", "_c1"]),
        ("p,q\n1,a\n", {"Csv": {"Header": True}}, ["p", "q"]),
        ('{"a": 1, "b": {"c": "x"}}\n\n{"a": 2}\n', {"json": {"lines": True}}, ["a", "b.c"]),
        ('[{"a": 1}, {"a": 2}]', {"json": {"lines": False}}, ["a"]),
    ],
)
def test_formats_of_the_sdk_are_read(job: AnalyserJob, body: str, form: Any, names: list[str]) -> None:
    assert list(features(job.quality(body, form))) == names


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ((1, 2), "Integral"),
        ((1, "", 3), "Integral"),
        ((1, 2.0), "Fractional"),
        (("1e3", 2), "Fractional"),
        ((1, "x"), "String"),
        (("true", "false"), "String"),
    ],
)
def test_the_type_of_a_column_is_that_of_its_widest_value(
    job: AnalyserJob, values: tuple[Any, ...], type_: str
) -> None:
    dataset = "v,w\n" + "".join(f"{value},1\n" for value in values)
    assert features(job.quality(dataset))["v"]["inferred_type"] == type_


def test_the_same_data_again_violate_nothing(job: AnalyserJob) -> None:
    first = job.quality(MIXED)
    again = job.quality(MIXED, **baseline_of(job, first))
    assert again.message == "Completed: Job completed successfully with no violations."
    assert "constraint_violations.json" not in again.results


@pytest.mark.parametrize(
    ("dataset", "found"),
    [
        ("n,x,word,nothing\n1.5,1,a,\n2,1,b,\n", {("n", "data_type_check")}),
        (
            "n,x,word,nothing\n1,1,3,\n2,1,b,\n",
            {("word", "data_type_check"), ("word", "categorical_values_check")},
        ),
        ("n,x,word,nothing\n,1,a,\n,1,b,\n", {("n", "completeness_check")}),
        ("n,x,word,nothing\n1,1,z,\n2,1,b,\n", {("word", "categorical_values_check")}),
        ("n,x,word\n1,1,a\n", {("nothing", "missing_column_check")}),
        ("n,x,word,nothing,more\n1,1,a,,1\n", {("more", "extra_column_check")}),
        ("n,x,words,nothing\n1,1,a,\n", {("word", "missing_column_check"), ("words", "extra_column_check")}),
    ],
)
def test_each_check_finds_its_violation(job: AnalyserJob, dataset: str, found: set[tuple[str, str]]) -> None:
    ended = job.quality(dataset, **baseline_of(job, job.quality(MIXED)))
    assert checks(ended) == found
    told = f"CompletedWithViolations: Job completed successfully with {len(found)} violations."
    assert (ended.exit_code, ended.message) == (0, told)


def normal(mean: float, count: int = 5000, seed: int = 1) -> str:
    chance = random.Random(seed)
    return column(*(f"{chance.gauss(mean, 1):.4f}" for _ in range(count)))


@pytest.mark.parametrize(("mean", "drifts"), [(0, False), (0.05, False), (0.6, True)])
def test_numbers_drift_by_the_distance_of_their_distributions(
    job: AnalyserJob, mean: float, drifts: bool
) -> None:
    before = job.quality(normal(0))
    after = job.quality(normal(mean, seed=2), **baseline_of(job, before))
    assert ("constraint_violations.json" in after.results) is drifts
    if drifts:
        (violation,) = after.violations
        assert violation["constraint_check_type"] == "baseline_drift_check"
        distance, threshold = violation["description"].split("distance: ")[1].split(" exceeds threshold: ")
        # of two normal distributions, less what chance explains of 10,000 values
        assert float(distance) == pytest.approx(0.2358 - 1.8 * (2 / 5000) ** 0.5, abs=0.02)
        assert float(threshold) == 0.1


def test_shares_of_words_drift_too(job: AnalyserJob) -> None:
    before = job.quality(column(*["a"] * 500 + ["b"] * 500))
    after = job.quality(column(*["a"] * 900 + ["b"] * 100), **baseline_of(job, before))
    assert checks(after) == {("v", "baseline_drift_check")}


SIMPLE = {"perform_comparison": "Enabled", "comparison_threshold": 0.1, "comparison_method": "Simple"}
NEVER = {**SIMPLE, "perform_comparison": "Disabled"}


@pytest.mark.parametrize(
    ("changes", "violates"),
    [
        ({}, False),  # the difference of so few values may be chance
        ({"distribution_constraints": SIMPLE}, True),
        ({"distribution_constraints": {**SIMPLE, "comparison_threshold": 0.5}}, False),
        ({"distribution_constraints": NEVER}, False),
        ({"distribution_constraints": SIMPLE, "evaluate_constraints": "Disabled"}, False),
    ],
)
def test_the_monitoring_config_of_the_baseline_decides(
    job: AnalyserJob, changes: Any, violates: bool
) -> None:
    before = job.quality(column(1, 2, 3, 4))
    after = job.quality(column(3, 4, 5, 6)[:-2], **baseline_of(job, before, **changes))
    assert ("constraint_violations.json" in after.results) is violates


def predictions(*rows: tuple[Any, ...]) -> str:
    return "label,said,odds\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


BINARY = {"problem_type": "BinaryClassification", "ground_truth_attribute": "label"}
# the example of AWS's page of metrics: one true negative, two false positives, one true positive
EXAMPLE = predictions((0, 0, 0.1), (0, 1, 0.6), (0, 1, 0.7), (1, 1, 0.9))


def values(ended: Ended, word: str) -> dict[str, Any]:
    found = ended.results["statistics.json"][f"{word}_metrics"]
    return {name: each["value"] for name, each in found.items() if "value" in each}


def test_the_metrics_of_aws_s_example_are_aws_s(job: AnalyserJob) -> None:
    ended = job.quality(EXAMPLE, **BINARY, inference_attribute="said", probability_attribute="odds")
    assert values(ended, "binary_classification") == pytest.approx(
        {
            "recall": 1.0,
            "precision": 1 / 3,
            "accuracy": 0.5,
            "recall_best_constant_classifier": 1.0,
            "precision_best_constant_classifier": 0.25,
            "accuracy_best_constant_classifier": 0.25,
            "true_positive_rate": 1.0,
            "true_negative_rate": 1 / 3,
            "false_positive_rate": 2 / 3,
            "false_negative_rate": 0.0,
            "auc": 1.0,
            "f0_5": 0.3846153846153846,
            "f1": 0.5,
            "f2": 0.7142857142857143,
            "f0_5_best_constant_classifier": 0.29411764705882354,
            "f1_best_constant_classifier": 0.4,
            "f2_best_constant_classifier": 0.625,
        }
    )
    metrics = ended.results["statistics.json"]["binary_classification_metrics"]
    assert metrics["confusion_matrix"] == {"0": {"0": 1, "1": 2}, "1": {"0": 0, "1": 1}}
    assert metrics["recall"]["standard_deviation"] == "NaN"  # fewer than 200 rows


def test_a_class_is_made_of_a_probability(job: AnalyserJob) -> None:
    by_odds = job.quality(
        EXAMPLE, **BINARY, probability_attribute="2", probability_threshold_attribute="0.65"
    )
    assert values(by_odds, "binary_classification")["false_positive_rate"] == pytest.approx(1 / 3)


def test_several_classes_are_weighted(job: AnalyserJob) -> None:
    rows = [(0, 0)] * 1180 + [(0, 1)] * 510 + [(1, 0)] * 268 + [(1, 1)] * 138
    given = {"problem_type": "MulticlassClassification", "ground_truth_attribute": "label"}
    ended = job.quality(predictions(*((*row, 0) for row in rows)), **given, inference_attribute="said")
    found = values(ended, "multiclass_classification")
    # of AWS's example
    assert found["accuracy"] == found["weighted_recall"] == pytest.approx(0.6288167938931297)
    assert found["weighted_precision"] == pytest.approx(0.6983172269629505)
    assert found["weighted_f2"] == pytest.approx(0.6384024354394601)
    assert found["accuracy_best_constant_classifier"] == pytest.approx(0.19370229007633588)
    assert found["weighted_f1_best_constant_classifier"] == pytest.approx(0.06286421244683643)
    deviation = ended.results["statistics.json"]["multiclass_classification_metrics"]["accuracy"]
    assert 0 < deviation["standard_deviation"] < 0.02


REGRESSION = {
    "problem_type": "Regression",
    "ground_truth_attribute": "label",
    "inference_attribute": "said",
}


def test_a_regression_is_measured_and_found_worse(job: AnalyserJob) -> None:
    first = job.quality(predictions((1, 1.5, 0), (3, 2.5, 0), (5, 5, 0)), **REGRESSION)
    assert values(first, "regression") == pytest.approx(
        {"mae": 1 / 3, "mse": 1 / 6, "rmse": (1 / 6) ** 0.5, "r2": 1 - 0.5 / 8}
    )
    limits = first.results["constraints.json"]["regression_constraints"]
    assert limits["mae"]["comparison_operator"] == "GreaterThanThreshold"
    assert limits["r2"]["comparison_operator"] == "LessThanThreshold"
    better = job.quality(
        predictions((1, 1.1, 0), (3, 3, 0), (5, 5, 0)), **REGRESSION, **baseline_of(job, first)
    )
    assert "constraint_violations.json" not in better.results
    worse = job.quality(predictions((1, 4, 0), (3, 3, 0), (5, 5, 0)), **REGRESSION, **baseline_of(job, first))
    assert {each["metric_name"] for each in worse.violations} == {"mae", "mse", "rmse", "r2"}
    (one,) = [each for each in worse.violations if each["metric_name"] == "mae"]
    assert one["constraint_check_type"] == "GreaterThanThreshold"
    assert one["description"].startswith("Metric mae with 1.0 was GreaterThanThreshold '0.333")


@pytest.mark.parametrize(
    ("dataset", "form", "variables", "says"),
    [
        ("", None, {}, "The dataset is not CSV: No columns to parse from file"),
        ("a,b\n", None, {}, "The dataset has no row"),
        (b"\xff\xfe", None, {}, "The dataset is not CSV"),
        ("{", {"json": {}}, {}, "of the dataset is not JSON"),
        ("[1]", {"json": {}}, {}, "A row of the dataset is not a JSON object"),
        (
            "a\n1\n",
            {"sagemakerCaptureJson": {}},
            {},
            "The dataset format sagemakerCaptureJson is not read here",
        ),
        ("a\n1\n", [], {}, "The dataset_format is not a JSON object"),
        ("a\n1\n", None, {"problem_type": "Clustering"}, "The problem type Clustering is unknown"),
        ("a\n1\n", None, {**REGRESSION}, "The dataset has no column label; it has a"),
        ("label,said\nx,1\n", None, {**REGRESSION}, "The column label has a value that is not a number"),
        ("label\n1\n", None, {**BINARY}, "names neither an inference_attribute nor a probability_attribute"),
        (
            "label,said\n1,0\n2,1\n",
            None,
            {**BINARY, "inference_attribute": "said"},
            "has two labels, and the dataset",
        ),
        ("a\n1\n", None, {"record_preprocessor_script": "x.py"}, "is run by AWS's own image only"),
        ("a\n1\n", None, {"baseline_constraints": "/nowhere/c.json"}, "/nowhere/c.json is not there"),
    ],
)
def test_what_a_user_can_mend_is_said_in_the_exit_message(
    job: AnalyserJob, dataset: Any, form: Any, variables: Any, says: str
) -> None:
    ended = job.quality(dataset, form, **variables)
    assert ended.exit_code == 1 and ended.message.startswith("ClientError: ") and says in ended.message
    assert ended.message in ended.printed


def test_constraints_of_another_problem_are_no_baseline(job: AnalyserJob) -> None:
    earlier = baseline_of(job, job.quality(column(1, 2)))
    ended = job.quality(predictions((1, 1, 0)), **REGRESSION, **earlier)
    assert ended.message == "ClientError: The earlier baseline has no regression_constraints"
