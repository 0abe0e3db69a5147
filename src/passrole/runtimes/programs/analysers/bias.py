"""The bias of a dataset towards a group, before a model is trained, and how it compares with an earlier one.

What needs a model's predictions is refused: no model server answers an analyser here.
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-measure-data-bias.html
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-bias-drift-violations.html
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .datasets import column, csv, json_lines, parquet
from .results import VIOLATIONS, Refused, base, finished, read, say, wheel, write

ANALYSIS = "analysis.json"
_BEFORE = "pre_training_bias"
_METRICS = "pre_training_bias_metrics"
_OF_A_MODEL = {
    "post_training_bias": "the bias of a model",
    "shap": "explanations by SHAP",
    "pdp": "partial dependence plots",
}
_REPORT = "report"


def main() -> int:
    """Analyse; the exit code."""
    return finished(lambda: analyse(base() / "processing", os.environ.get("baseline_constraints")))  # noqa: SIM112


def analyse(folder: Path, earlier: str | None) -> int:
    """The number of violations. Raises Refused."""
    config = read(str(folder / "input/config/analysis_config.json"))
    methods = config.get("methods") or {}
    for method in methods:
        if method in _OF_A_MODEL:
            raise Refused(
                f"{_OF_A_MODEL[method]} ({method}) needs a model server, which an analyser has not here yet"
            )
        if method not in (_BEFORE, _REPORT):
            raise Refused(f"The method {method} of the analysis is not known here; {_BEFORE} is")
    if _BEFORE not in methods:
        raise Refused(f"The analysis has no method that is known here; {_BEFORE} is")
    frame = _dataset(folder / "input/data", config)
    say(f"the dataset has {len(frame)} rows and {len(frame.columns)} columns")
    analysis = {"version": "1.0", _METRICS: _measured(frame, config, methods[_BEFORE].get("methods", "all"))}
    write(folder / "output", ANALYSIS, analysis)
    if earlier is None:
        return 0
    violations = list(_worse(analysis, read(earlier)))
    if violations:
        write(folder / "output", VIOLATIONS, {"version": "1.0", "violations": violations})
    return len(violations)


def _dataset(folder: Path, config: Mapping[str, Any]) -> Any:
    names, type_ = config.get("headers"), config.get("dataset_type", "text/csv")
    reader = {
        "text/csv": lambda: csv(folder, has_header=not names, names=names),
        "application/jsonlines": lambda: json_lines(folder, names=names),
        "application/x-parquet": lambda: parquet(folder, names),
    }.get(type_)
    if reader is None:
        raise Refused(
            f"The dataset type {type_} is not read here: use text/csv, application/jsonlines or Parquet"
        )
    return reader()


def _measured(frame: Any, config: Mapping[str, Any], wanted: Any) -> dict[str, Any]:
    """The metrics of every facet. smclarify takes texts as objects, not as pandas's own type of texts."""
    report, pandas = wheel("smclarify.bias.report"), wheel("pandas")
    frame = frame.copy()
    for name in frame.columns:
        if not pandas.api.types.is_numeric_dtype(frame[name]):
            frame[name] = frame[name].astype(object)
    label = column(frame, _given(config, "label"))
    positive = config.get("label_values_or_threshold") or []
    labels = report.LabelColumn(label, frame[label], positive)
    group = config.get("group_variable")
    grouped = None if group is None else frame[column(frame, group)]
    facets: dict[str, Any] = {}
    for facet in _facets(config):
        name = column(frame, _given(facet, "name_or_index"))
        given = report.FacetColumn(name, sensitive_values=facet.get("value_or_threshold") or [])
        try:
            facets[name] = report.bias_report(
                frame,
                given,
                labels,
                report.StageType.PRE_TRAINING,
                metrics=_chosen(wanted),
                group_variable=grouped,
            )
        except (ValueError, TypeError, KeyError) as error:
            raise Refused(f"The bias towards {name} cannot be measured: {error}") from None
    return {"label": label, "facets": facets, "label_value_or_threshold": ", ".join(map(str, positive))}


def _facets(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    given = _given(config, "facet")
    return given if isinstance(given, list) else [given]


def _chosen(wanted: Any) -> list[str]:
    return ["all"] if wanted == "all" else [wanted] if isinstance(wanted, str) else list(wanted)


def _given(config: Mapping[str, Any], key: str) -> Any:
    if key not in config:
        raise Refused(f"The analysis_config.json has no {key}")
    return config[key]


def _worse(analysis: Mapping[str, Any], earlier: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Metrics that are further from zero than they were."""
    now = dict(_values(analysis))
    for (facet, group, metric), before in _values(earlier):
        value = now.get((facet, group, metric))
        if value is None or not abs(value) > abs(before):
            continue
        yield {
            "facet": facet,
            "facet_value": group,
            "metric_name": metric,
            "constraint_check_type": "bias_drift_check",
            "description": f"Value {json.dumps(value)} does not meet the constraint requirement",
        }


def _values(analysis: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str], float]]:
    for facet, groups in ((analysis.get(_METRICS) or {}).get("facets") or {}).items():
        for group in groups:
            for metric in group["metrics"]:
                value = metric.get("value")
                number = math.nan if value is None else float(value)
                if not math.isnan(number):
                    yield (facet, _threshold(str(group["value_or_threshold"])), metric["name"]), number


def _threshold(group: str) -> str:
    """A facet's value, or the threshold of `(40, 60]`, whose end is the greatest value of the dataset."""
    is_interval = group.startswith("(") and group.endswith("]")
    return group[1:].partition(",")[0] if is_interval else group
