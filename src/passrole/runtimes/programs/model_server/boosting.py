"""Rows for XGBoost, and its predictions: for the algorithm, and for the defaults of a script."""

from __future__ import annotations

import csv
import io
from typing import Any

from .encodings import CSV, JSON, UnsupportedFormat, decoded, package

LIBSVM = ("text/libsvm", "text/x-libsvm")


def rows(content: Any, content_type: str) -> Any:
    """An xgboost.DMatrix of rows without labels. Raises UnsupportedFormat, ValueError."""
    kind = content_type.partition(";")[0].strip().lower()
    text = content if isinstance(content, str) else content.decode("utf-8")
    if kind == CSV:
        return package("xgboost").DMatrix(_csv(text.strip()))
    if kind in LIBSVM:
        return package("xgboost").DMatrix(_libsvm(text.strip()))
    if kind == JSON:
        return package("xgboost").DMatrix(decoded(text, JSON))
    raise UnsupportedFormat(content_type)


def predicted(data: Any, model: Any) -> Any:
    """The predictions up to the best round, where training has found one."""
    best = getattr(model, "best_iteration", None) if "best_iteration" in model.attributes() else None
    limit = {} if best is None else {"iteration_range": (0, int(best) + 1)}
    return model.predict(data, validate_features=False, **limit)


def _csv(text: str) -> Any:
    """A table; an empty cell is a missing value."""
    first = text.partition("\n")[0]
    try:
        separator = csv.Sniffer().sniff(first).delimiter
    except csv.Error:
        separator = ","
    if separator.isalnum() or separator in ".-+\r\n":  # of a single number it takes a digit
        separator = ","
    cells = csv.reader(io.StringIO(text), delimiter=separator)
    table = [[float(cell) if cell.strip() else float("nan") for cell in row] for row in cells if row]
    if len({len(row) for row in table}) > 1:
        raise ValueError("the rows have different numbers of columns")
    return package("numpy").array(table, dtype="float32")


def _libsvm(text: str) -> Any:
    """`[<label>] <index>:<value> ...`; what has no colon is a label, which predictions do not need."""
    values: list[float] = []
    columns: list[int] = []
    starts = [0]
    for line in text.split("\n"):
        for word in line.split():
            index, colon, value = word.partition(":")
            if colon and index != "qid":
                columns.append(int(index))
                values.append(float(value))
        starts.append(len(columns))
    shape = (len(starts) - 1, max(columns, default=0) + 1)
    return package("scipy.sparse").csr_matrix((values, columns, starts), shape=shape)
