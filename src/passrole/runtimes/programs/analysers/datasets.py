"""Reads a dataset into a frame: CSV with or without a header, JSON lines, Parquet.

Columns without names are called `_c0`, `_c1` and so on, as AWS's analyser calls them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .results import Refused, wheel

_HIDDEN = (".", "_")


def by_format(folder: Path, form: dict[str, Any]) -> Any:
    """The dataset in a folder, in one of the formats of the SDK's DatasetFormat. Raises Refused."""
    given = {
        str(name).lower(): {str(k).lower(): v for k, v in (each or {}).items()} for name, each in form.items()
    }
    if "csv" in given:
        return csv(folder, has_header=bool(given["csv"].get("header", True)), as_text=True)
    if "json" in given:
        return json_lines(folder, is_lines=bool(given["json"].get("lines", given["json"].get("line", True))))
    if "parquet" in given:
        return parquet(folder)
    raise Refused(
        f"The dataset format {', '.join(form) or 'none'} is not read here: use csv, json or parquet"
    )


def csv(folder: Path, *, has_header: bool, names: list[str] | None = None, as_text: bool = False) -> Any:
    """Empty fields are missing. `as_text` leaves every value as it is written, so that 1.0 is no integer."""
    pandas = wheel("pandas")
    header = 0 if has_header else None
    options: dict[str, Any] = {
        "header": header,
        "keep_default_na": False,
        "na_values": [""],
        "dtype": str if as_text else None,
    }
    try:
        frame = _joined(pandas.read_csv(path, **options) for path in files(folder))
    except (pandas.errors.ParserError, pandas.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise Refused(f"The dataset is not CSV: {error}") from None
    return named(frame, names, replaces=not has_header)


def json_lines(folder: Path, *, is_lines: bool = True, names: list[str] | None = None) -> Any:
    """An object a line, or a document that is one object or a list of them; inner objects become columns."""
    pandas = wheel("pandas")
    rows: list[Any] = []
    for path in files(folder):
        try:
            text = path.read_text(encoding="utf-8")
            found = (
                [json.loads(line) for line in text.splitlines() if line.strip()]
                if is_lines
                else json.loads(text)
            )
        except ValueError as error:
            raise Refused(f"The file {path.name} of the dataset is not JSON: {error}") from None
        rows += found if isinstance(found, list) else [found]
    if not all(isinstance(row, dict) for row in rows):
        raise Refused("A row of the dataset is not a JSON object")
    return named(pandas.json_normalize(rows), names, replaces=False)


def parquet(folder: Path, names: list[str] | None = None) -> Any:
    """Whatever engine pandas has for it."""
    pandas = wheel("pandas")
    try:
        frame = _joined(pandas.read_parquet(path) for path in files(folder))
    except ImportError:
        raise Refused("pandas cannot read Parquet in this environment: pip install pyarrow") from None
    return named(frame, names, replaces=False)


def files(folder: Path) -> list[Path]:
    """Every file of the dataset; Spark's markers are none. Raises Refused where there is none."""
    found = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
    data = [path for path in found if not path.name.startswith(_HIDDEN)]
    if not data:
        raise Refused(f"The dataset is empty: {folder} has no file")
    return data


def column(frame: Any, name: str | int) -> str:
    """A column's name, by that or by its place; `$.a` of JSON is `a`. Raises Refused."""
    text = str(name)
    text = text[2:] if text.startswith("$.") else text
    if text in frame.columns:
        return text
    if text.isdigit() and int(text) < len(frame.columns):
        return str(frame.columns[int(text)])
    raise Refused(f"The dataset has no column {text}; it has {', '.join(map(str, frame.columns))}")


def named(frame: Any, names: list[str] | None, *, replaces: bool) -> Any:
    """Every column by a text. Raises Refused where `names` are too many or too few."""
    if names and len(names) != len(frame.columns):
        raise Refused(f"The dataset has {len(frame.columns)} columns, and headers name {len(names)}")
    frame.columns = names or [
        f"_c{place}" if replaces else str(each) for place, each in enumerate(frame.columns)
    ]
    return frame


def _joined(frames: Iterator[Any]) -> Any:
    found = list(frames)
    return found[0] if len(found) == 1 else wheel("pandas").concat(found, ignore_index=True)
