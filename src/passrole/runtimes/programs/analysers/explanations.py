"""How much each feature adds to a model's scores: Kernel SHAP by the library `shap`, and how far the order of
features has drifted.

https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-analysis-results.html
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-feature-attribution-drift.html
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, List

from .results import Refused, say, wheel

NDCG_MIN = 0.9
"""Below this score of the order of features there is a violation."""

FOLDER, LOCAL, BASELINE = "explanations_shap", "out.csv", "baseline.csv"
CLUSTERS = 3
Score = Callable[[Sequence[Sequence[Any]]], List[List[float]]]
_NOT_HERE = {"text_config": "texts", "image_config": "images"}


def explained(
    frame: Any, method: Mapping[str, Any], score: Score, labels: Sequence[str], output: Path
) -> dict[str, Any]:
    """The section `kernel_shap` of analysis.json, for the features in `frame`. Writes the files beside it."""
    for member, what in _NOT_HERE.items():
        if member in method:
            raise Refused(f"Explanations of {what} ({member}) are made by AWS's own image only")
    numpy, shap = wheel("numpy"), wheel("shap")
    baseline = _baseline(frame, method, shap, output / FOLDER)
    numpy.random.seed(int(method.get("seed") or 0))
    link = "logit" if method.get("use_logit") else "identity"

    def scores(rows: Any) -> Any:
        return numpy.array(score(rows.tolist()))

    explainer = shap.KernelExplainer(scores, baseline, link=link)
    options = {"nsamples": int(method["num_samples"])} if method.get("num_samples") else {}
    say(f"explaining {len(frame)} rows of {len(frame.columns)} features, on a baseline of {len(baseline)}")
    values = explainer.shap_values(frame.to_numpy(dtype=object), silent=True, l1_reg=0, **options)
    values = numpy.asarray(values, dtype=float).reshape(len(frame), len(frame.columns), -1)
    names = _names(labels, values.shape[2])
    if method.get("save_local_shap_values"):
        _save(values, frame.columns, names, output / FOLDER)
    wanted = _wanted(frame, method)
    expected = numpy.atleast_1d(explainer.expected_value)
    return {
        name: {
            "global_shap_values": {
                str(feature): _together(values[:, place, number], method.get("agg_method"))
                for place, feature in enumerate(frame.columns)
                if feature in wanted
            },
            "expected_value": float(expected[number]),
        }
        for number, name in enumerate(names)
    }


def drifted(analysis: Mapping[str, Any], earlier: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The labels whose features have another order than before."""
    now, before = _globals(analysis), _globals(earlier)
    for label, values in before.items():
        if label in now:
            ndcg = _ndcg(values, now[label])
            if ndcg < NDCG_MIN:
                yield {
                    "label": label,
                    "metric_name": "shap",
                    "constraint_check_type": "feature_attribution_drift_check",
                    "description": f"Feature attribution drift {ndcg} exceeds threshold {NDCG_MIN}",
                }


def _baseline(frame: Any, method: Mapping[str, Any], shap: Any, folder: Path) -> Any:
    """The rows with whose values those of a feature are replaced: given, or the centres of clusters."""
    numpy, given = wheel("numpy"), method.get("baseline")
    if given is not None:
        rows = [_row(each, frame) for each in (given if isinstance(given, list) else [given])]
        return numpy.array(rows, dtype=object)
    if not all(wheel("pandas").api.types.is_numeric_dtype(frame[name]) for name in frame.columns):
        raise Refused(
            "The analysis has no baseline, and features that are no numbers cannot be clustered here"
        )
    count = min(int(method.get("num_clusters") or CLUSTERS), len(frame.drop_duplicates()))
    found = shap.kmeans(frame.to_numpy(dtype=float), count).data
    folder.mkdir(parents=True, exist_ok=True)
    wheel("pandas").DataFrame(found, columns=frame.columns).to_csv(folder / BASELINE, index=False)
    say(f"wrote {FOLDER}/{BASELINE}, the centres of {count} clusters")
    return found.astype(object)


def _row(given: Any, frame: Any) -> list[Any]:
    """A row of a baseline: a list, or an object by the features' names."""
    if isinstance(given, dict):
        missing = [str(name) for name in frame.columns if name not in given]
        if missing:
            raise Refused(f"A row of the baseline has no {', '.join(missing)}")
        return [given[name] for name in frame.columns]
    if not isinstance(given, list) or len(given) != len(frame.columns):
        raise Refused(
            f"A row of the baseline is {json.dumps(given)}, and the dataset has {len(frame.columns)} features"
        )
    return given


def _names(labels: Sequence[str], count: int) -> list[str]:
    return (
        [str(each) for each in labels]
        if len(labels) == count
        else [f"label{place}" for place in range(count)]
    )


def _save(values: Any, features: Any, names: Sequence[str], folder: Path) -> None:
    """The values of each row: a column for each feature and label."""
    columns = [f"{feature}_{name}" for name in names for feature in features]
    rows = values.transpose(0, 2, 1).reshape(len(values), -1)
    folder.mkdir(parents=True, exist_ok=True)
    wheel("pandas").DataFrame(rows, columns=columns).to_csv(folder / LOCAL, index=False)
    say(f"wrote {FOLDER}/{LOCAL}")


def _wanted(frame: Any, method: Mapping[str, Any]) -> Sequence[Any]:
    given = method.get("features_to_explain")
    if not given:
        return list(frame.columns)
    return [frame.columns[each] if isinstance(each, int) else each for each in given]


def _together(values: Any, method: Any) -> float:
    numpy = wheel("numpy")
    ways = {
        "mean_abs": lambda: numpy.abs(values).mean(),
        "median": lambda: numpy.median(values),
        "mean_sq": lambda: (values**2).mean(),
    }
    name = str(method or "mean_abs").lower()
    if name not in ways:
        raise Refused(f"The agg_method {name} is unknown: use {', '.join(ways)}")
    return float(ways[name]())


def _globals(analysis: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    found = (analysis.get("explanations") or {}).get("kernel_shap") or {}
    return {label: each.get("global_shap_values") or {} for label, each in found.items()}


def _ndcg(before: Mapping[str, float], now: Mapping[str, float]) -> float:
    """How well the order of features now gathers what they had before; 1 for the same order."""
    features = [name for name in before if name in now]
    gains = [before[name] for name in features]
    ideal = _gathered(gains, gains)
    return _gathered(gains, [now[name] for name in features]) / ideal if ideal else 1.0


def _gathered(gains: Sequence[float], order: Sequence[float]) -> float:
    """Gains discounted by their places; those of equal places share theirs."""
    places = sorted(range(len(order)), key=order.__getitem__, reverse=True)
    total, first = 0.0, 0
    while first < len(places):
        equal = [each for each in places[first:] if order[each] == order[places[first]]]
        discounts = sum(1 / math.log2(first + number + 2) for number in range(len(equal)))
        total += discounts * sum(gains[each] for each in equal) / len(equal)
        first += len(equal)
    return total
