"""The program that stands for AWS's analyser of bias, on the smclarify of PASSROLE_CHECKS_PYTHON."""

from pathlib import Path
from typing import Any

import pytest
from tests.runtimes.programs.analyser_job import VARIABLE, WITH_ALL, WITH_PANDAS, AnalyserJob, Ended

ROWS = [(1, 30, "x"), (0, 50, "y"), (1, 20, "x"), (0, 60, "y"), (1, 50, "x"), (1, 30, "y")]
CONFIG: Any = {
    "dataset_type": "text/csv",
    "headers": ["label", "age", "word"],
    "label": "label",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "age", "value_or_threshold": [40]}],
    "methods": {"pre_training_bias": {"methods": "all"}, "report": {"name": "report"}},
}
with_smclarify = pytest.mark.skipif(WITH_ALL is None, reason=f"{VARIABLE} names no python with smclarify")


@pytest.fixture
def job(tmp_path: Path) -> AnalyserJob:
    return AnalyserJob(tmp_path)


def csv(*rows: tuple[Any, ...]) -> str:
    """Ten times, as smclarify takes integers for a scale where more than a twentieth of them differ."""
    return "".join(",".join(map(str, row)) + "\n" for row in rows) * 10


def metrics(ended: Ended, facet: str = "age") -> dict[str, float]:
    assert ended.exit_code == 0, ended.printed
    (group,) = ended.results["analysis.json"]["pre_training_bias_metrics"]["facets"][facet]
    return {each["name"]: each["value"] for each in group["metrics"]}


@with_smclarify
def test_the_bias_of_data_is_measured_for_each_facet(job: AnalyserJob) -> None:
    by_word = {"name_or_index": "word", "value_or_threshold": ["y"]}
    ended = job.bias(csv(*ROWS), {**CONFIG, "facet": [*CONFIG["facet"], by_word], "group_variable": "word"})
    found = metrics(ended)
    # three are at most 40 years old, all of them with the label; of the three others one has it
    assert found["CI"] == 0.0 and found["DPL"] == pytest.approx(2 / 3)
    assert {"CDDL", "JS", "KL", "KS", "LP", "TVD"} < set(found)
    assert metrics(ended, "word")["DPL"] == pytest.approx(2 / 3)
    measured = ended.results["analysis.json"]["pre_training_bias_metrics"]
    assert (measured["label"], measured["label_value_or_threshold"]) == ("label", "1")


@with_smclarify
@pytest.mark.parametrize(("label", "violates"), [(0, True), (1, False)])
def test_a_metric_further_from_zero_than_before_is_a_violation(
    job: AnalyserJob, label: int, violates: bool
) -> None:
    chosen = {**CONFIG, "methods": {"pre_training_bias": {"methods": ["DPL"]}}}
    before = job.bias(csv(*ROWS), chosen)
    earlier = str(job.put("baseline/analysis.json", before.results["analysis.json"]))
    now = [*ROWS[:4], (label, 70, "x"), ROWS[5]]  # another greatest age, and the same facet
    ended = job.bias(csv(*now), chosen, baseline_constraints=earlier)
    assert ended.message.startswith("CompletedWithViolations: ") is violates
    if violates:
        (violation,) = ended.violations
        assert violation["metric_name"] == "DPL" and violation["facet"] == "age"
        assert violation["facet_value"] == "40"
        assert violation["constraint_check_type"] == "bias_drift_check"
        assert violation["description"] == "Value 1.0 does not meet the constraint requirement"


@pytest.mark.skipif(WITH_PANDAS is None, reason="no interpreter has pandas")
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"methods": {"post_training_bias": {}}},
            "The analysis needs a model, and its configuration has no ",
        ),
        (
            {"methods": {"post_training_bias": {}}, "predictor": {"instance_type": "ml.m5.large"}},
            "The predictor of the analysis has neither a model_name nor an endpoint_name",
        ),
        (
            {"methods": {"post_training_bias": {}}, "predictor": {"model_name": "m", "content_type": "a/b"}},
            "A model is not asked in a/b here: use text/csv, application/jsonlines or application/json",
        ),
        (
            {"methods": {"asymmetric_shapley_value": {}}},
            "Explanations of time series (asymmetric_shapley_value) are analysed by AWS's own image only",
        ),
        ({"methods": {"pdp": {}}}, "The method pdp names no features"),
        ({"methods": {"x": {}}}, "The method x of the analysis is not known here"),
        ({"methods": {}}, "The analysis has no method that is known here"),
        ({"headers": ["a"]}, "The dataset has 3 columns, and headers name 1"),
        ({"dataset_type": "image/x"}, "The dataset type image/x is not read here"),
    ],
)
def test_what_is_not_measured_is_refused_in_words(job: AnalyserJob, changes: Any, says: str) -> None:
    ended = job.bias(csv(*ROWS), {**CONFIG, **changes})
    assert ended.exit_code == 1 and ended.message.startswith("ClientError: ") and says in ended.message
