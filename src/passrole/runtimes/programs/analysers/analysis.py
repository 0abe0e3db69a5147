"""An analysis of Clarify: its configuration, its dataset, its methods, and what it leaves.

https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-configure-analysis.html
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .bias import AFTER, BEFORE, metrics, worsened
from .datasets import column, csv, fetched, json_lines, parquet, records
from .explanations import drifted, explained
from .partial_dependence import dependences
from .payloads import CSV, JSON, LINES, THRESHOLD, Payloads, label_of, scores_of
from .predictor import Ask, asking
from .results import VIOLATIONS, Refused, base, finished, read, say, wheel, write

ANALYSIS, PARQUET = "analysis.json", "application/x-parquet"
SHAP, PDP, REPORT = "shap", "pdp", "report"
_METHODS = (BEFORE, AFTER, SHAP, PDP)
_NOT_HERE = {
    "asymmetric_shapley_value": "explanations of time series",
    "facet_dataset_uri": "facets in a dataset of their own",
    "predicted_label_dataset_uri": "predicted labels in a dataset of their own",
    "segment_config": "metrics of segments",
    "time_series_data_config": "time series",
}


def main() -> int:
    """Analyse; the exit code."""
    return finished(lambda: analyse(base() / "processing", os.environ.get("baseline_constraints")))  # noqa: SIM112


def analyse(folder: Path, earlier: str | None) -> int:
    """The number of violations. Raises Refused."""
    config = read(str(folder / "input/config/analysis_config.json"))
    methods = _checked(config)
    data = _Dataset(folder / "input/data", config)
    say(f"the dataset has {len(data.frame)} rows and {len(data.frame.columns)} columns")
    analysis: dict[str, Any] = {"version": "1.0"}
    with ExitStack() as behind:
        model = _Model(config, data, behind)
        if BEFORE in methods:
            analysis[f"{BEFORE}_metrics"] = metrics(data.frame, config, BEFORE, data.label)
        if AFTER in methods:
            analysis[f"{AFTER}_metrics"] = metrics(data.frame, config, AFTER, data.label, model.labels())
        if SHAP in methods or PDP in methods:
            analysis["explanations"] = _explanations(data, methods, model, folder / "output")
    write(folder / "output", ANALYSIS, analysis)
    if earlier is None:
        return 0
    before = read(earlier)
    violations = [*worsened(analysis, before), *drifted(analysis, before)]
    if violations:
        write(folder / "output", VIOLATIONS, {"version": "1.0", "violations": violations})
    return len(violations)


class _Dataset:
    """A dataset; `features` are the columns that a model is asked with."""

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        self._config, self.type = config, str(config.get("dataset_type", CSV)).lower()
        self.frame = self._read(folder)
        self.label = self._column(config.get("label"))
        self.predicted = self._column(config.get("predicted_label"))
        apart = [config.get("joinsource_name_or_index"), *(config.get("excluded_columns") or [])]
        without = [self.label, self.predicted, *map(self._column, apart)]
        self.features = self.frame.drop(columns=[each for each in without if each is not None])

    def rows_at(self, uri: str, place: Path) -> list[list[Any]]:
        """The rows of an object of S3 in the form of the dataset, without a label."""
        names = list(self.features.columns) if self._config.get("headers") else None
        frame = self._read(fetched(uri, place), {**self._config, "headers": names, "label": None})
        found: list[list[Any]] = frame.to_numpy(dtype=object).tolist()
        return found

    def _read(self, folder: Path, config: Mapping[str, Any] | None = None) -> Any:
        given = self._config if config is None else config
        names = given.get("headers")
        reader = {
            CSV: lambda: csv(folder, has_header=not names, names=names),
            LINES: lambda: _json(folder, given, is_lines=True),
            JSON: lambda: _json(folder, given, is_lines=False),
            PARQUET: lambda: parquet(folder, names),
        }.get(self.type)
        if reader is None:
            raise Refused(
                f"The dataset type {self.type} is not read here: use {CSV}, {LINES}, {JSON} or {PARQUET}"
            )
        return reader()

    def _column(self, name: Any) -> str | None:
        """A column's name; the label of JSON that has its features in a list is the last column."""
        if name is None:
            return None
        if "features" in self._config and name == self._config.get("label"):
            return str(self.frame.columns[-1])
        return column(self.frame, name)


class _Model:
    """The model of an analysis. Its endpoint is there from the first question until `behind` is closed."""

    def __init__(self, config: Mapping[str, Any], data: _Dataset, behind: ExitStack) -> None:
        self._config, self._data, self._behind = config, data, behind
        self._predictor: Mapping[str, Any] = config.get("predictor") or {}
        self._ask: Ask | None = None
        self.headers: Sequence[Any] = self._predictor.get("label_headers") or []

    def labels(self) -> list[Any]:
        """The label that is predicted for each row; they may be in the dataset itself."""
        if self._data.predicted is not None:
            found: list[Any] = self._data.frame[self._data.predicted].tolist()
            return found
        threshold = float(self._config.get("probability_threshold", THRESHOLD))
        rows = self._data.features.to_numpy(dtype=object).tolist()
        return [label_of(each, self.headers, threshold) for each in self._asked()(rows)]

    def scores(self, rows: Sequence[Sequence[Any]]) -> list[list[float]]:
        """The scores that are explained."""
        return [scores_of(each) for each in self._asked()(rows)]

    def _asked(self) -> Ask:
        if self._ask is None:
            if not self._predictor:
                raise Refused("The analysis needs a model, and its configuration has no predictor")
            form = CSV if self._data.type == PARQUET else self._data.type
            payloads = Payloads(self._predictor, form, list(map(str, self._data.features.columns)))
            self._ask = self._behind.enter_context(asking(self._predictor, payloads))
        return self._ask


def _checked(config: Any) -> Mapping[str, Any]:
    """The methods of the analysis, all of which are known here."""
    methods = config.get("methods") if isinstance(config, dict) else None
    if not isinstance(methods, dict):
        raise Refused("The analysis_config.json has no methods")
    for key, what in _NOT_HERE.items():
        if key in config or key in methods:
            raise Refused(f"{what[:1].upper()}{what[1:]} ({key}) are analysed by AWS's own image only")
    for name in methods:
        if name not in (*_METHODS, REPORT):
            raise Refused(f"The method {name} of the analysis is not known here; {', '.join(_METHODS)} are")
    if not any(name in methods for name in _METHODS):
        raise Refused(f"The analysis has no method that is known here; {', '.join(_METHODS)} are")
    if SHAP in methods:
        wheel("shap")  # before an endpoint is made
    if REPORT in methods:
        say("no report is written: the results are in analysis.json")
    return methods


def _explanations(data: _Dataset, methods: Mapping[str, Any], model: _Model, output: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if SHAP in methods:
        shap = dict(methods[SHAP] or {})
        if isinstance(shap.get("baseline"), str):
            shap["baseline"] = data.rows_at(shap["baseline"], base() / "input/baseline/rows")
        labels = list(map(str, model.headers))
        found["kernel_shap"] = explained(data.features, shap, model.scores, labels, output)
    if PDP in methods:
        found["pdp"] = dependences(data.features, methods[PDP] or {}, model.scores, found.get("kernel_shap"))
    return found


def _json(folder: Path, config: Mapping[str, Any], *, is_lines: bool) -> Any:
    """Features and label by their JMESPath expressions, or inner objects as columns."""
    names, features = config.get("headers"), config.get("features")
    if features is None:
        return json_lines(folder, is_lines=is_lines, names=names)
    return records(folder, features=features, label=config.get("label"), names=names, is_lines=is_lines)
