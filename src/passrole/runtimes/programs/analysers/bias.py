"""The bias of a dataset, and of a model's predictions for it, towards a group, and how it has grown.

https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-measure-data-bias.html
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-measure-post-training-bias.html
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-bias-drift-violations.html
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .datasets import column
from .results import Refused, wheel

BEFORE, AFTER = "pre_training_bias", "post_training_bias"
"""The methods of an analysis; their metrics are in the sections of these names."""


def metrics(
    frame: Any,
    config: Mapping[str, Any],
    method: str,
    label: str | None,
    predicted: Sequence[Any] | None = None,
) -> dict[str, Any]:
    """The section of a method: its metrics for every facet. `predicted` are the labels that a model gives.

    smclarify takes texts as objects, not as pandas's own type of texts. Raises Refused.
    """
    if label is None:
        raise Refused("The analysis_config.json has no label")
    report, frame = wheel("smclarify.bias.report"), _with_objects(frame)
    positive = config.get("label_values_or_threshold") or []
    group, stages = config.get("group_variable"), report.StageType
    options: dict[str, Any] = {"group_variable": None if group is None else frame[column(frame, group)]}
    if predicted is not None:
        values = _as_label(predicted, frame[label])
        options["predicted_label_column"] = report.LabelColumn(f"predicted {label}", values, positive)
    facets: dict[str, Any] = {}
    for facet in _facets(config):
        name = column(frame, _given(facet, "name_or_index"))
        try:
            facets.setdefault(name, []).extend(
                report.bias_report(
                    frame,
                    report.FacetColumn(name, sensitive_values=facet.get("value_or_threshold") or []),
                    report.LabelColumn(label, frame[label], positive),
                    stages.PRE_TRAINING if predicted is None else stages.POST_TRAINING,
                    metrics=_chosen((config["methods"][method] or {}).get("methods", "all")),
                    **options,
                )
            )
        except (ValueError, TypeError, KeyError) as error:
            raise Refused(f"The bias towards {name} cannot be measured: {error}") from None
    return {"label": label, "facets": facets, "label_value_or_threshold": ", ".join(map(str, positive))}


def worsened(analysis: Mapping[str, Any], earlier: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Metrics that are further from zero than they were."""
    for section in (f"{BEFORE}_metrics", f"{AFTER}_metrics"):
        now = dict(_values(analysis, section))
        for (facet, group, metric), before in _values(earlier, section):
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


def _with_objects(frame: Any) -> Any:
    pandas, frame = wheel("pandas"), frame.copy()
    for name in frame.columns:
        if not pandas.api.types.is_numeric_dtype(frame[name]):
            frame[name] = frame[name].astype(object)
    return frame


def _as_label(predicted: Sequence[Any], label: Any) -> Any:
    """Predictions in the type of the label's column: smclarify compares no number with a text."""
    pandas = wheel("pandas")
    if not pandas.api.types.is_numeric_dtype(label):
        return pandas.Series([str(each) for each in predicted], index=label.index, dtype=object)
    try:
        numbers = pandas.to_numeric(pandas.Series(list(predicted), index=label.index))
    except (ValueError, TypeError) as error:
        raise Refused(f"The labels are numbers and the model's predictions are not: {error}") from None
    is_whole = pandas.api.types.is_integer_dtype(label) and (numbers % 1 == 0).all()
    return numbers.astype(label.dtype if is_whole else float)


def _facets(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = _given(config, "facet")
    return found if isinstance(found, list) else [found]


def _given(config: Mapping[str, Any], key: str) -> Any:
    if key not in config:
        raise Refused(f"The analysis_config.json has no {key}")
    return config[key]


def _chosen(wanted: Any) -> list[str]:
    return ["all"] if wanted == "all" else [wanted] if isinstance(wanted, str) else list(wanted)


def _values(analysis: Mapping[str, Any], section: str) -> Iterator[tuple[tuple[str, str, str], float]]:
    for facet, groups in ((analysis.get(section) or {}).get("facets") or {}).items():
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
