"""Statistics and constraints of every column of a dataset.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-statistics.html
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html
"""

from __future__ import annotations

import math
from typing import Any

from .results import wheel

BUCKETS = 10
SKETCH_SIZE = 2048
DOMAIN_MAX = 120
"""Distinct values up to which a column's texts are a domain: AWS says `small cardinality`, and this is the
limit of Deequ, the library that its analyser stands on.
"""

INTEGRAL, FRACTIONAL, STRING, UNKNOWN = "Integral", "Fractional", "String", "Unknown"


def analysed(frame: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """statistics.json and constraints.json."""
    features = [_statistics(name, frame[name]) for name in frame.columns]
    statistics = {"version": 0.0, "dataset": {"item_count": len(frame)}, "features": features}
    constraints = {
        "version": 0.0,
        "features": [_constraints(each) for each in features],
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": 1.0,
            "domain_content_threshold": 1.0,
            "distribution_constraints": {
                "perform_comparison": "Enabled",
                "comparison_threshold": 0.1,
                "comparison_method": "Robust",
            },
        },
    }
    return statistics, constraints


def types_of(values: Any) -> Any:
    """The type of each value that is present, as a series of names.

    Whole numbers among which some are missing are integers too, though pandas keeps them as fractions.
    """
    kinds, present = wheel("pandas").api.types, values.dropna()
    if kinds.is_bool_dtype(present):
        return present.map(lambda _: STRING)
    if kinds.is_float_dtype(present) and values.isna().any() and (present % 1 == 0).all():
        return present.map(lambda _: INTEGRAL)
    texts = present.astype(str).str.strip()
    numbers = wheel("pandas").to_numeric(texts, errors="coerce")
    types = texts.str.fullmatch("[+-]?[0-9]+").map({True: INTEGRAL, False: FRACTIONAL})
    return types.where(numbers.notna(), STRING)


def numbers_of(values: Any) -> Any:
    """The values that are present, as numbers."""
    return wheel("pandas").to_numeric(values.dropna().astype(str).str.strip(), errors="coerce").dropna()


def _statistics(name: str, values: Any) -> dict[str, Any]:
    found = set(types_of(values))
    inferred = next((each for each in (STRING, FRACTIONAL, INTEGRAL) if each in found), UNKNOWN)
    common = {"num_present": int(values.notna().sum()), "num_missing": int(values.isna().sum())}
    if inferred in (INTEGRAL, FRACTIONAL):
        return {
            "name": name,
            "inferred_type": inferred,
            "numerical_statistics": {"common": common, **_numerical(numbers_of(values))},
        }
    counts = values.dropna().astype(str).value_counts()
    buckets = [{"value": str(value), "count": int(count)} for value, count in counts.head(DOMAIN_MAX).items()]
    distribution = {"categorical": {"buckets": sorted(buckets, key=lambda each: str(each["value"]))}}
    return {
        "name": name,
        "inferred_type": inferred,
        "string_statistics": {"common": common, "distinct_count": len(counts), "distribution": distribution},
    }


def _numerical(numbers: Any) -> dict[str, Any]:
    finite = numbers[numbers.abs() != math.inf]
    ordered = sorted(map(float, finite))
    return {
        "mean": float(finite.mean()) if ordered else 0.0,
        "sum": float(finite.sum()),
        "std_dev": float(finite.std(ddof=0)) if ordered else 0.0,
        "min": ordered[0] if ordered else 0.0,
        "max": ordered[-1] if ordered else 0.0,
        "distribution": {"kll": {"buckets": _buckets(finite, ordered), "sketch": _sketch(ordered)}},
    }


def _buckets(numbers: Any, ordered: list[float]) -> list[dict[str, float]]:
    """Ten of equal width; the last has its upper bound."""
    if not ordered:
        return []
    low, width = ordered[0], (ordered[-1] - ordered[0]) / BUCKETS
    places = (
        ((numbers - low) / width).astype(int).clip(0, BUCKETS - 1) if width else (numbers * 0).astype(int)
    )
    counts = places.value_counts()
    return [
        {
            "lower_bound": low + place * width,
            "upper_bound": low + (place + 1) * width,
            "count": float(counts.get(place, 0)),
        }
        for place in range(BUCKETS)
    ]


def _sketch(ordered: list[float]) -> dict[str, Any]:
    """A value in the list of level n stands for two to the power of n values."""
    level = max(0, math.ceil(math.log2(len(ordered) / SKETCH_SIZE))) if ordered else 0
    weight = 2**level
    kept = ordered[weight // 2 :: weight]
    return {"parameters": {"c": 0.64, "k": float(SKETCH_SIZE)}, "data": [*([] for _ in range(level)), kept]}


def _constraints(feature: dict[str, Any]) -> dict[str, Any]:
    kind = "numerical_statistics" if "numerical_statistics" in feature else "string_statistics"
    common = feature[kind]["common"]
    total = common["num_present"] + common["num_missing"]
    shared = {
        "name": feature["name"],
        "inferred_type": feature["inferred_type"],
        "completeness": common["num_present"] / total,
    }
    if kind == "numerical_statistics":
        return {**shared, "num_constraints": {"is_non_negative": feature[kind]["min"] >= 0}}
    if feature[kind]["distinct_count"] > DOMAIN_MAX or not common["num_present"]:
        return shared
    domains = [each["value"] for each in feature[kind]["distribution"]["categorical"]["buckets"]]
    return {**shared, "string_constraints": {"domains": domains}}
