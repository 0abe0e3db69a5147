"""Where a dataset violates the constraints of an earlier one.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-violations.html
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any, Dict

from .data_quality import FRACTIONAL, INTEGRAL, types_of

Violation = Dict[str, str]
_ROBUST = 1.8
"""How much of the distance of small samples chance explains, as in Deequ, the library of AWS's analyser."""


def violations(
    frame: Any, statistics: Mapping[str, Any], constraints: Mapping[str, Any], earlier: Mapping[str, Any]
) -> list[Violation]:
    """In the order of the constraints. `earlier` are the statistics of the earlier dataset."""
    config = constraints.get("monitoring_config") or {}
    if config.get("evaluate_constraints") == "Disabled":
        return []
    expected = [each for each in constraints.get("features") or () if "name" in each]
    now = {each["name"]: each for each in statistics["features"]}
    before = {each["name"]: each for each in earlier.get("features") or ()}
    found = list(_columns([*now], [each["name"] for each in expected]))
    for each in expected:
        own = {**config, **(each.get("monitoring_config_overrides") or {})}
        if each["name"] in now and own.get("evaluate_constraints") != "Disabled":
            found += _of_feature(each, frame[each["name"]], own)
            found += _drift(each["name"], now[each["name"]], before.get(each["name"]), own)
    return found


def _columns(now: list[str], before: list[str]) -> Iterator[Violation]:
    for word, names in (("missing", _besides(before, now)), ("extra", _besides(now, before))):
        if names:
            told = f"There are {word} columns in current dataset. Number of columns in current dataset:"
            counts = f"{len(now)}, Number of columns in baseline constraints: {len(before)}"
            yield _violation(", ".join(names), f"{word}_column_check", f"{told} {counts}")


def _besides(names: list[str], others: list[str]) -> list[str]:
    return [name for name in names if name not in others]


def _of_feature(expected: Mapping[str, Any], values: Any, config: Mapping[str, Any]) -> Iterator[Violation]:
    """Its type, its completeness and its domain."""
    name, wanted, types = expected["name"], expected.get("inferred_type"), types_of(values)
    accepted = (INTEGRAL, FRACTIONAL) if wanted == FRACTIONAL else (wanted,)
    matching = float(types.isin(accepted).mean()) if len(types) else 1.0
    threshold = float(config.get("datatype_check_threshold", 1.0))
    if wanted and matching < threshold:
        told = f"Expected data type: {wanted}, Expected match: {threshold * 100}%."
        observed = f"Observed: Only {matching * 100}% of data is {wanted}."
        yield _violation(
            name, "data_type_check", f"Data type match requirement is not met. {told} {observed}"
        )
    complete, least = float(values.notna().mean()), float(expected.get("completeness", 0.0))
    if complete < least:
        yield _violation(
            name, "completeness_check", f"Value: {complete} does not meet the constraint requirement! {least}"
        )
    domains = (expected.get("string_constraints") or {}).get("domains")
    known = float(values.dropna().astype(str).isin(domains).mean()) if domains and len(types) else 1.0
    threshold = float(config.get("domain_content_threshold", 1.0))
    if known < threshold:
        told = f"Expected: {threshold * 100}% of values to be in the domain. Observed: Only {known * 100}%"
        yield _violation(name, "categorical_values_check", told)


def _drift(
    name: str, now: Mapping[str, Any], before: Mapping[str, Any] | None, config: Mapping[str, Any]
) -> Iterator[Violation]:
    own = config.get("distribution_constraints") or {}
    if before is None or own.get("perform_comparison") == "Disabled":
        return
    distance = _distance(_distribution(now), _distribution(before))
    if distance is None:
        return
    if own.get("comparison_method", "Robust") == "Robust":
        one, other = _present(now), _present(before)
        distance = (
            max(0.0, distance - _ROBUST * math.sqrt((one + other) / (one * other))) if one and other else 0.0
        )
    threshold = float(own.get("comparison_threshold", 0.1))
    if distance > threshold:
        told = f"Baseline drift distance: {distance} exceeds threshold: {threshold}"
        yield _violation(name, "baseline_drift_check", told)


def _distance(one: Any, other: Any) -> float | None:
    """The greatest difference: of two cumulative distributions of numbers, or of the shares of texts."""
    if isinstance(one, dict) and isinstance(other, dict):
        return max((abs(one.get(key, 0.0) - other.get(key, 0.0)) for key in {*one, *other}), default=0.0)
    if not isinstance(one, list) or not isinstance(other, list) or not one or not other:
        return None  # another type, which the constraints tell
    places = [value for value, _ in (*one, *other)]
    return max(abs(_share(one, place) - _share(other, place)) for place in places)


def _share(cumulative: list[tuple[float, float]], place: float) -> float:
    """The share of values up to the place."""
    index = bisect_right(cumulative, (place, math.inf))
    return cumulative[index - 1][1] if index else 0.0


def _distribution(feature: Mapping[str, Any]) -> dict[str, float] | list[tuple[float, float]] | None:
    """Shares by text, or values in order with the share of values up to each."""
    text = (feature.get("string_statistics") or {}).get("distribution") or {}
    if "categorical" in text:
        counts = {str(each["value"]): float(each["count"]) for each in text["categorical"]["buckets"]}
        total = sum(counts.values())
        return {value: count / total for value, count in counts.items()} if total else {}
    kll = ((feature.get("numerical_statistics") or {}).get("distribution") or {}).get("kll")
    if not kll:
        return None
    data = (kll.get("sketch") or {}).get("data") or []
    weighted = [(float(value), float(2**level)) for level, values in enumerate(data) for value in values]
    if not weighted:
        weighted = [(float(each["upper_bound"]), float(each["count"])) for each in kll.get("buckets") or ()]
    return _cumulative(sorted(weighted))


def _cumulative(weighted: list[tuple[float, float]]) -> list[tuple[float, float]]:
    total, so_far = sum(weight for _, weight in weighted), 0.0
    found: list[tuple[float, float]] = []
    for value, weight in weighted:
        so_far += weight
        found.append((value, so_far / total))
    return found


def _present(feature: Mapping[str, Any]) -> int:
    own = feature.get("numerical_statistics") or feature.get("string_statistics") or {}
    return int((own.get("common") or {}).get("num_present") or 0)


def _violation(feature: str, check: str, description: str) -> Violation:
    return {"feature_name": feature, "constraint_check_type": check, "description": description}
