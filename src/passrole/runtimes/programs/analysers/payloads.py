"""What a model is asked, and where in its answer the prediction for each record is.

https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-data-format-tabular-request.html
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-data-format-tabular-response.html
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .datasets import searched
from .results import Refused

CSV, LINES, JSON = "text/csv", "application/jsonlines", "application/json"
THRESHOLD = 0.5
"""The probability above which AWS takes the positive label of two, unless the analysis says another one."""

Row = Sequence[Any]
"""The features of a record."""


class Prediction(NamedTuple):
    """For one record: the label that the model gives, its scores, or both."""

    label: Any
    scores: list[float] | None


class Payloads:
    """How an analysis' `predictor` has records written, and answers read. Raises Refused."""

    def __init__(self, predictor: Mapping[str, Any], dataset_type: str, features: Sequence[str]) -> None:
        self.content_type = str(predictor.get("content_type") or dataset_type)
        self.accept_type = str(predictor.get("accept_type") or self.content_type)
        for form in (self.content_type, self.accept_type):
            if form not in (CSV, LINES, JSON):
                raise Refused(f"A model is not asked in {form} here: use {CSV}, {LINES} or {JSON}")
        self._template = str(predictor.get("content_template") or "")
        self._record = str(predictor.get("record_template") or "")
        if self.content_type != CSV and "$" not in self._template:
            raise Refused(f"The content_type {self.content_type} needs a content_template with a placeholder")
        self._label, self._probability = predictor.get("label"), predictor.get("probability")
        self._features = list(features)

    @property
    def takes_one(self) -> bool:
        """Whether a request has place for one record only."""
        return self.content_type == JSON and "$records" not in self._template

    def encoded(self, rows: Sequence[Row]) -> bytes:
        """The body of a request."""
        if self.content_type == CSV:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows([_cell(each) for each in row] for row in rows)
            return text.getvalue().rstrip("\n").encode()
        records = [self._filled(row) for row in rows]
        if self.content_type == LINES:
            return "\n".join(records).encode()
        if self.takes_one:
            return self._template.replace("$record", records[0]).encode()
        return self._template.replace("$records", f"[{', '.join(records)}]").encode()

    def decoded(self, body: bytes, count: int) -> list[Prediction]:
        """The predictions in an answer for so many records."""
        try:
            text = body.decode()
            found = _READERS[self.accept_type](text, self._label, self._probability)
        except (ValueError, IndexError) as error:
            told = f"{type(error).__name__}: {error}"
            raise Refused(
                f"The model's answer is not the {self.accept_type} that is expected: {told}"
            ) from None
        if len(found) != count:
            raise Refused(f"The model gave {len(found)} predictions for {count} records")
        return found

    def _filled(self, row: Row) -> str:
        """A record in its template."""
        values = [None if _is_missing(each) else _plain(each) for each in row]
        pairs = dict(zip(self._features, values))
        made = self._record if self.content_type == JSON else self._template
        made = made.replace("$features_kvp", json.dumps(pairs)).replace("$features", json.dumps(values))
        for name, value in pairs.items():
            bare = value if isinstance(value, str) else json.dumps(value)
            made = made.replace("${" + name + "}", bare)
        return made


def label_of(prediction: Prediction, headers: Sequence[Any], threshold: float) -> Any:
    """The predicted label: what the model gives, or the one with the greatest score. Raises Refused."""
    label, scores = prediction
    if scores is None or (label is not None and not isinstance(label, list)):
        return label
    greatest = max(range(len(scores)), key=scores.__getitem__)
    if isinstance(label, list):
        return label[greatest]
    if len(scores) == 1:
        return int(scores[0] > threshold)
    if len(headers) != len(scores):
        raise Refused(
            f"The model gives {len(scores)} scores and no label: name {len(scores)} labels in label_headers"
        )
    return headers[greatest]


def scores_of(prediction: Prediction) -> list[float]:
    """What is explained: every score of a record, or the label where that is what the model gives."""
    label, scores = prediction
    found = scores if scores is not None else label if isinstance(label, list) else [label]
    try:
        return [float(each) for each in found]
    except (TypeError, ValueError):
        raise Refused(
            f"The model's prediction {label!r} is no number: say in `probability` where one is"
        ) from None


def _of_csv(text: str, label: Any, probability: Any) -> list[Prediction]:
    rows = [row for row in csv.reader(text.splitlines()) if row]
    if label is None and probability is None:
        return [Prediction(None, _numbers([_value(each) for each in row])) for row in rows]
    return [_prediction(*(_place(row, each) for each in (label, probability))) for row in rows]


def _of_lines(text: str, label: Any, probability: Any) -> list[Prediction]:
    found = [json.loads(line) for line in text.splitlines() if line.strip()]
    return [_of_record(each, label, probability) for each in found]


def _of_json(text: str, label: Any, probability: Any) -> list[Prediction]:
    """The expressions find the predictions of all records at once."""
    document = json.loads(text)
    if label is None and probability is None:
        return [_of_record(each, None, None) for each in _listed(document)]
    columns = [None if each is None else _listed(_searched(each, document)) for each in (label, probability)]
    count = max(len(each) for each in columns if each is not None)
    labels, odds = (each if each is not None else [None] * count for each in columns)
    return [_prediction(*pair) for pair in zip(labels, odds)]


def _of_record(record: Any, label: Any, probability: Any) -> Prediction:
    if label is None and probability is None:
        return Prediction(None, _numbers(record))
    return _prediction(*(None if each is None else _searched(each, record) for each in (label, probability)))


def _prediction(label: Any, probability: Any) -> Prediction:
    return Prediction(label, None if probability is None else _numbers(probability))


def _searched(expression: Any, document: Any) -> Any:
    """What is at a JMESPath expression; a plain number is a place in a list."""
    return document[expression] if isinstance(expression, int) else searched(expression, document)


def _place(row: Sequence[str], place: Any) -> Any:
    if place is None:
        return None
    if not str(place).isdigit():
        raise Refused(f"The model answers in CSV: give the number of a column, and not {place}")
    return _value(row[int(place)])


def _value(text: str) -> Any:
    """A field of CSV: a list in JSON, a number or a text."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, (list, int, float)) else text


def _numbers(value: Any) -> list[float]:
    flat = _listed(json.loads(value) if isinstance(value, str) else value)
    inner = flat[0] if len(flat) == 1 and isinstance(flat[0], list) else flat
    try:
        return [float(each) for each in inner]
    except TypeError:
        raise ValueError(f"{json.dumps(value)} is no number and no list of them") from None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _cell(value: Any) -> Any:
    return "" if _is_missing(value) else _plain(value)


def _plain(value: Any) -> Any:
    """As Python has it, not NumPy."""
    return value.item() if hasattr(value, "item") else value


def _is_missing(value: Any) -> bool:
    return value is None or value != value  # NaN alone is not itself


_READERS = {CSV: _of_csv, LINES: _of_lines, JSON: _of_json}
