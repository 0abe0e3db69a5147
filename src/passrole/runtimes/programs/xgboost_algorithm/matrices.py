"""Data files become an xgboost.DMatrix, whatever version of xgboost there is: its own readers come and go."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Callable

from .channels import delimiter
from .errors import UserError
from .wheels import wheel


def matrix(files: list[Path], form: str, csv_weights: int) -> Any:
    """An xgboost.DMatrix of all files. Raises UserError for what cannot be read."""
    readers: dict[str, Callable[[list[Path]], Any]] = {
        "csv": lambda found: _of_table(_csv(found), csv_weights),
        "libsvm": _libsvm,
        "parquet": lambda found: _of_table(_parquet(found), 0),
    }
    try:
        made = readers[form](files)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"Failed to load {form} data with exception:\n{error}") from error
    if made.get_label().size == 0:
        raise UserError("Got input data without labels. Please check the input data set.")
    return made


def _of_table(table: Any, csv_weights: int) -> Any:
    """The label is the first column; a weight, where there is one, the second."""
    xgboost = wheel("xgboost")
    if csv_weights == 1:
        return xgboost.DMatrix(table[:, 2:], label=table[:, 0], weight=table[:, 1])
    return xgboost.DMatrix(table[:, 1:], label=table[:, 0])


def _csv(files: list[Path]) -> Any:
    numpy = wheel("numpy")
    with files[0].open() as lines:
        separator = delimiter(lines.readline())
    return numpy.vstack([_csv_file(path, separator) for path in files])


def _csv_file(path: Path, separator: str) -> Any:
    numpy = wheel("numpy")
    try:
        return numpy.loadtxt(path, delimiter=separator, dtype=numpy.float32, ndmin=2, comments=None)
    except ValueError:  # an empty cell is a missing value; anything else that is no number is an error
        with path.open(newline="") as lines:
            rows = [
                [float(cell) if cell.strip() else float("nan") for cell in row]
                for row in csv.reader(lines, delimiter=separator)
                if row
            ]
        return numpy.array(rows, dtype=numpy.float32)


def _libsvm(files: list[Path]) -> Any:
    """`<label>[:<weight>] [qid:<n>] <index>:<value> ...`, the index counting from 0."""
    sparse, xgboost = wheel("scipy.sparse"), wheel("xgboost")
    labels: list[float] = []
    weights: list[float] = []
    queries: list[int] = []
    values: list[float] = []
    columns: list[int] = []
    starts = [0]
    for path in files:
        with path.open() as lines:
            for line in lines:
                words = line.partition("#")[0].split()
                if not words:
                    continue
                label, _, weight = words[0].partition(":")
                labels.append(float(label))
                weights.append(float(weight) if weight else 1.0)
                for word in words[1:]:
                    index, _, value = word.partition(":")
                    if index == "qid":
                        queries.append(int(value))
                    else:
                        columns.append(int(index))
                        values.append(float(value))
                starts.append(len(columns))
    rows = sparse.csr_matrix((values, columns, starts), shape=(len(labels), max(columns, default=0) + 1))
    return xgboost.DMatrix(
        rows, label=labels, weight=weights if set(weights) != {1.0} else None, qid=queries or None
    )


def _parquet(files: list[Path]) -> Any:
    numpy = wheel("numpy")
    parquet = wheel("pyarrow.parquet")
    tables = [parquet.read_table(str(path)) for path in files if not path.name.startswith("_")]
    return numpy.vstack(
        [numpy.column_stack([column.to_numpy() for column in table.columns]) for table in tables]
    )
