"""How a model's scores depend on single features, over all rows of the dataset.

https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-partial-dependence-plots.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .datasets import column
from .explanations import Score
from .results import Refused, wheel

TOP, RESOLUTION, CATEGORIES_MAX = 10, 15, 50
_NO_COLUMN = (
    "Detected data type is not supported for PDP. "
    "PDP can only be computed for numerical or categorical columns"
)


def dependences(
    frame: Any, method: Mapping[str, Any], score: Score, shap: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """The section `pdp` of analysis.json: of the features that are named, or the greatest in `shap`."""
    given = method.get("features")
    if not given and not shap:
        raise Refused("The method pdp names no features, and there are no SHAP values to choose them by")
    chosen = [column(frame, each) for each in given] if given else _greatest(shap or {}, method)
    return [_of_feature(frame, name, method, score) for name in chosen]


def _greatest(shap: Mapping[str, Any], method: Mapping[str, Any]) -> list[str]:
    """By their values over all labels."""
    totals: dict[str, float] = {}
    for label in shap.values():
        for name, value in label["global_shap_values"].items():
            totals[name] = totals.get(name, 0.0) + abs(value)
    return sorted(totals, key=totals.__getitem__, reverse=True)[: int(method.get("top_k_features") or TOP)]


def _of_feature(frame: Any, name: str, method: Mapping[str, Any], score: Score) -> dict[str, Any]:
    values = frame[name].dropna()
    if wheel("pandas").api.types.is_numeric_dtype(values):
        kind, (places, shares) = (
            "numerical",
            _buckets(values, int(method.get("grid_resolution") or RESOLUTION)),
        )
    elif values.nunique() <= CATEGORIES_MAX:
        counts = values.value_counts(normalize=True).sort_index()
        kind, places, shares = "categorical", counts.index.tolist(), counts.tolist()
    else:
        return {"feature_name": name, "data_type": "free_text", "error": _NO_COLUMN}
    means = [_mean(frame, name, place, score) for place in places]
    return {
        "feature_name": name,
        "data_type": kind,
        "feature_values": places,
        "model_predictions": [list(each) for each in zip(*means)],
        "data_distribution": shares,
    }


def _buckets(values: Any, count: int) -> tuple[list[float], list[float]]:
    """The middle of each bucket, and the share of values in it."""
    found, edges = wheel("numpy").histogram(values.astype(float), bins=max(count, 1))
    return ((edges[:-1] + edges[1:]) / 2).tolist(), (found / found.sum()).tolist()


def _mean(frame: Any, name: str, value: Any, score: Score) -> Sequence[float]:
    """The scores of each label on average, if every row had this value."""
    changed = frame.astype({name: object})
    changed[name] = value
    found: Sequence[float] = (
        wheel("numpy").array(score(changed.to_numpy(dtype=object).tolist())).mean(axis=0).tolist()
    )
    return found
