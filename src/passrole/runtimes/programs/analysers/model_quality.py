"""The quality of a model's predictions: its metrics, and whether they are worse than the constraints.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from statistics import pstdev
from typing import Any, Dict, Tuple

from .datasets import column
from .results import Refused, wheel

Metrics = Dict[str, float]
BELOW, ABOVE = "LessThanThreshold", "GreaterThanThreshold"
SAMPLED_FROM, SAMPLES, SAMPLED_SHARE = 200, 5, 0.8
"""From how many rows on a standard deviation is told, and of how many random samples of which size it is."""

_THRESHOLD = 0.5
_BETAS = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}
_CONSTANT = "_best_constant_classifier"


def analysed(frame: Any, given: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """statistics.json and constraints.json, by the variables of an environment. Raises Refused."""
    problem = _PROBLEMS.get(given["problem_type"])
    if problem is None:
        known = ", ".join(_PROBLEMS)
        raise Refused(f"The problem type {given['problem_type']} is unknown: use one of {known}")
    word, measured, rows_of, curves_of = problem
    rows = rows_of(frame, given)
    if not rows:
        raise Refused("No row of the dataset has both a label and a prediction")
    metrics = measured(rows)
    spread = _spread(rows, measured)
    told = {
        name: {"value": _json(value), "standard_deviation": _json(spread.get(name, math.nan))}
        for name, value in metrics.items()
    }
    statistics = {
        "version": 0.0,
        "dataset": {"item_count": len(frame)},
        f"{word}_metrics": {**curves_of(rows), **told},
    }
    limits = {
        name: {"threshold": value, "comparison_operator": ABOVE if name in _BETTER_BELOW else BELOW}
        for name, value in metrics.items()
        if not name.endswith(_CONSTANT) and math.isfinite(value)
    }
    return statistics, {"version": 0.0, f"{word}_constraints": limits}


def violations(statistics: Mapping[str, Any], constraints: Mapping[str, Any]) -> list[dict[str, str]]:
    """The metrics that are worse than an earlier model's. Raises Refused for those of another problem."""
    word = next(key[: -len("_metrics")] for key in statistics if key.endswith("_metrics"))
    limits = constraints.get(f"{word}_constraints")
    if not isinstance(limits, dict):
        raise Refused(f"The earlier baseline has no {word}_constraints")
    metrics = statistics[f"{word}_metrics"]
    found: list[dict[str, str]] = []
    for name, limit in limits.items():
        value, operator = (metrics.get(name) or {}).get("value"), limit["comparison_operator"]
        threshold = float(limit["threshold"])
        worse = isinstance(value, float) and (value > threshold if operator == ABOVE else value < threshold)
        if worse:
            told = f"Metric {name} with {value} was {operator} '{threshold}'"
            found.append({"constraint_check_type": operator, "description": told, "metric_name": name})
    return found


Row = Tuple[Any, Any, float]
"""The label, the prediction, and the probability of the greater label or NaN."""


def _regression_rows(frame: Any, given: Mapping[str, str]) -> list[Row]:
    labels, predictions = _numbers(frame, given, "ground_truth"), _numbers(frame, given, "inference")
    pairs = zip(labels, predictions)
    return [(one, other, math.nan) for one, other in pairs if math.isfinite(one) and math.isfinite(other)]


def _class_rows(frame: Any, given: Mapping[str, str]) -> list[Row]:
    """A prediction is a class, or made of the probability of the greater class of two."""
    labels = _classes(frame, given, "ground_truth")
    has_classes = bool(given.get("inference_attribute"))
    has_probabilities = bool(given.get("probability_attribute"))
    if not has_classes and not has_probabilities:
        raise Refused("The check names neither an inference_attribute nor a probability_attribute")
    odds = _numbers(frame, given, "probability") if has_probabilities else [math.nan] * len(labels)
    if has_classes:
        predictions = _classes(frame, given, "inference")
    else:
        known = sorted({each for each in labels if each is not None}, key=_order)
        low, high = (known[0], known[-1]) if len(known) > 1 else ("0", "1")
        limit = float(given.get("probability_threshold_attribute") or _THRESHOLD)
        predictions = [None if math.isnan(each) else high if each >= limit else low for each in odds]
    together = zip(labels, predictions, odds)
    return [row for row in together if row[0] is not None and row[1] is not None]


def _regression(rows: Sequence[Row]) -> Metrics:
    errors = [label - prediction for label, prediction, _ in rows]
    count, mean = len(rows), sum(label for label, _, _ in rows) / len(rows)
    squares, total = sum(each * each for each in errors), sum((label - mean) ** 2 for label, _, _ in rows)
    return {
        "mae": sum(map(abs, errors)) / count,
        "mse": squares / count,
        "rmse": math.sqrt(squares / count),
        "r2": 1 - squares / total if total else math.nan,
    }


def _binary(rows: Sequence[Row]) -> Metrics:
    known = _labels(rows)
    if len(known) > 2:
        raise Refused(f"A binary classification has two labels, and the dataset has {', '.join(known)}")
    positive = known[-1]
    own = _of_class(rows, positive)
    rates = {
        "true_positive_rate": own["recall"],
        "true_negative_rate": _ratio(own["tn"], own["tn"] + own["fp"]),
        "false_positive_rate": _ratio(own["fp"], own["fp"] + own["tn"]),
        "false_negative_rate": _ratio(own["fn"], own["fn"] + own["tp"]),
    }
    constant = _of_class(_constant(rows), positive)
    shown = ("recall", "precision", "accuracy")
    area = _area(rows, positive)
    return {
        **{name: own[name] for name in shown},
        **{f"{name}{_CONSTANT}": constant[name] for name in shown},
        **rates,
        **({} if area is None else {"auc": area}),
        **{name: own[name] for name in _BETAS},
        **{f"{name}{_CONSTANT}": constant[name] for name in _BETAS},
    }


def _multiclass(rows: Sequence[Row]) -> Metrics:
    shown = ("recall", "precision", *_BETAS)
    metrics: Metrics = {}
    for suffix, these in (("", rows), (_CONSTANT, _constant(rows))):
        metrics[f"accuracy{suffix}"] = sum(row[0] == row[1] for row in these) / len(these)
        classes = {label: _of_class(these, label) for label in {row[0] for row in these}}
        for name in shown:
            weighted = sum(own[name] * (own["tp"] + own["fn"]) for own in classes.values())
            metrics[f"weighted_{name}{suffix}"] = weighted / len(these)
    return metrics


def _of_class(rows: Sequence[Row], positive: Any) -> Metrics:
    """The counts of one class against the others, and what follows from them."""
    tp = sum(label == positive == prediction for label, prediction, _ in rows)
    fp = sum(label != positive == prediction for label, prediction, _ in rows)
    fn = sum(label == positive != prediction for label, prediction, _ in rows)
    tn = len(rows) - tp - fp - fn
    recall, precision = _ratio(tp, tp + fn), _ratio(tp, tp + fp)
    scores = {
        name: _ratio((1 + beta * beta) * precision * recall, beta * beta * precision + recall)
        for name, beta in _BETAS.items()
    }
    counts = {"tp": float(tp), "fp": float(fp), "fn": float(fn), "tn": float(tn)}
    return {"recall": recall, "precision": precision, "accuracy": (tp + tn) / len(rows), **scores, **counts}


def _constant(rows: Sequence[Row]) -> list[Row]:
    """AWS's best constant classifier predicts the greatest label in both examples of its documentation."""
    greatest = max((row[0] for row in rows), key=_order)
    return [(label, greatest, math.nan) for label, _, _ in rows]


def _area(rows: Sequence[Row], positive: Any) -> float | None:
    """The area under the ROC curve: how often a positive row has the greater probability than a negative."""
    if any(math.isnan(odds) for _, _, odds in rows):
        return None
    ranks = wheel("pandas").Series([odds for _, _, odds in rows]).rank()
    above = [rank for rank, row in zip(ranks, rows) if row[0] == positive]
    positives, negatives = len(above), len(rows) - len(above)
    if not positives or not negatives:
        return math.nan
    return float((sum(above) - positives * (positives + 1) / 2) / (positives * negatives))


def _confusion(rows: Sequence[Row]) -> dict[str, Any]:
    known = _labels(rows)
    counts: dict[Any, dict[Any, int]] = {label: dict.fromkeys(known, 0) for label in known}
    for label, prediction, _ in rows:
        counts[label][prediction] += 1
    return {"confusion_matrix": counts}


def _spread(rows: Sequence[Row], measured: Callable[[Sequence[Row]], Metrics]) -> Metrics:
    """The standard deviation of each metric over random samples; the same for the same rows."""
    if len(rows) < SAMPLED_FROM:
        return {}
    chance, size = random.Random(0), int(len(rows) * SAMPLED_SHARE)  # noqa: S311 (no secret)
    samples = [measured(chance.sample(rows, size)) for _ in range(SAMPLES)]
    names = set.intersection(*map(set, samples))
    return {name: pstdev(each[name] for each in samples) for name in names}


def _labels(rows: Sequence[Row]) -> list[Any]:
    return sorted({each for row in rows for each in row[:2]}, key=_order)


def _order(label: str) -> tuple[float, str]:
    """Numbers by their value, before texts."""
    try:
        return float(label), label
    except ValueError:
        return math.inf, label


def _classes(frame: Any, given: Mapping[str, str], what: str) -> list[str | None]:
    """Labels as texts; 1 and 1.0 are the same one."""
    values = frame[_named(frame, given, what)]
    return [None if missing else _label(value) for value, missing in zip(values, values.isna())]


def _label(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    try:
        number = float(value)
    except ValueError:
        return str(value)
    return str(int(number)) if number.is_integer() else str(number)


def _numbers(frame: Any, given: Mapping[str, str], what: str) -> list[float]:
    name = _named(frame, given, what)
    numbers = wheel("pandas").to_numeric(frame[name], errors="coerce")
    if numbers.isna().sum() > frame[name].isna().sum():
        raise Refused(f"The column {name} has a value that is not a number")
    return [float(each) for each in numbers]


def _named(frame: Any, given: Mapping[str, str], what: str) -> str:
    attribute = given.get(f"{what}_attribute")
    if not attribute:
        raise Refused(f"The check names no {what}_attribute")
    return column(frame, attribute)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _json(number: float) -> float | str:
    """As AWS writes what is no number."""
    return number if math.isfinite(number) else "NaN"


def _no_curves(_rows: Sequence[Row]) -> dict[str, Any]:
    return {}


_BETTER_BELOW = ("mae", "mse", "rmse", "false_positive_rate", "false_negative_rate")
_PROBLEMS: Mapping[str, tuple[str, Any, Any, Any]] = {
    "Regression": ("regression", _regression, _regression_rows, _no_curves),
    "BinaryClassification": ("binary_classification", _binary, _class_rows, _confusion),
    "MulticlassClassification": ("multiclass_classification", _multiclass, _class_rows, _confusion),
}
"""By the problem type: its word in the files, its metrics, its rows, and what else is told of them."""
