"""Metrics that the image computes itself, because xgboost does not. numpy alone; AWS uses scikit-learn."""

from __future__ import annotations

from typing import Any, Callable

from .wheels import wheel

Metric = Callable[[Any, Any], float]


def _classes(predicted: Any) -> Any:
    """A class for each row: probabilities of several are a row each, one of two is rounded."""
    numpy = wheel("numpy")
    return predicted.argmax(axis=1) if predicted.ndim == 2 else numpy.rint(predicted)


def _accuracy(labels: Any, predicted: Any) -> float:
    return float((labels == _classes(predicted)).mean())


def _counts(labels: Any, predicted: Any) -> list[tuple[float, float, float]]:
    """For each class: how often it was found rightly, was found at all, and was there."""
    numpy = wheel("numpy")
    found = _classes(predicted)
    return [
        (
            float(((found == each) & (labels == each)).sum()),
            float((found == each).sum()),
            float((labels == each).sum()),
        )
        for each in numpy.union1d(labels, found)
    ]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _macro(of_class: Callable[[float, float, float], float]) -> Metric:
    def metric(labels: Any, predicted: Any) -> float:
        each = [of_class(*counts) for counts in _counts(labels, predicted)]
        return sum(each) / len(each)

    return metric


def _binary(of_class: Callable[[float, float, float], float]) -> Metric:
    def metric(labels: Any, predicted: Any) -> float:
        found = _classes(predicted)
        return of_class(
            float(((found == 1) & (labels == 1)).sum()), float((found == 1).sum()), float((labels == 1).sum())
        )

    return metric


def _f1(right: float, found: float, there: float) -> float:
    return _ratio(2 * right, found + there)


def _precision(right: float, found: float, _there: float) -> float:
    return _ratio(right, found)


def _recall(right: float, _found: float, there: float) -> float:
    return _ratio(right, there)


def _balanced_accuracy(labels: Any, predicted: Any) -> float:
    each = [_recall(*counts) for counts in _counts(labels, predicted) if counts[2]]
    return sum(each) / len(each)


def _mse(labels: Any, predicted: Any) -> float:
    return float(((labels - predicted) ** 2).mean())


def _r2(labels: Any, predicted: Any) -> float:
    spread = float(((labels - labels.mean()) ** 2).sum())
    return 1 - _ratio(float(((labels - predicted) ** 2).sum()), spread)


OWN_METRICS: dict[str, Metric] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _macro(_f1),
    "f1_binary": _binary(_f1),
    "f1_macro": _macro(_f1),
    "mse": _mse,
    "precision": _binary(_precision),
    "precision_macro": _macro(_precision),
    "precision_micro": _accuracy,
    "r2": _r2,
    "recall": _binary(_recall),
    "recall_macro": _macro(_recall),
    "recall_micro": _accuracy,
}
