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
    rows = _json_rows(folder, is_lines)
    if not all(isinstance(row, dict) for row in rows):
        raise Refused("A row of the dataset is not a JSON object")
    return named(wheel("pandas").json_normalize(rows), names, replaces=False)


def records(
    folder: Path, *, features: str, label: str | None, names: list[str] | None, is_lines: bool = True
) -> Any:
    """JSON whose features are a list at a JMESPath expression; the label, at another, is the last column."""
    found: list[list[Any]] = []
    for row in _json_rows(folder, is_lines):
        values = searched(features, row)
        if not isinstance(values, list):
            raise Refused(f"The features of a row at {features} are no list")
        found.append([*values, *([] if label is None else [searched(label, row)])])
    if len({len(row) for row in found}) > 1:
        raise Refused(f"The rows of the dataset have different numbers of features at {features}")
    return named(wheel("pandas").DataFrame(found), names, replaces=True)


def searched(expression: str, document: Any) -> Any:
    """What is at a JMESPath expression. Raises Refused where nothing is."""
    jmespath = wheel("jmespath")
    try:
        found = jmespath.search(expression, document)
    except jmespath.exceptions.JMESPathError as error:
        raise Refused(f"{expression} is no JMESPath expression: {error}") from None
    if found is None:
        raise Refused(f"There is nothing at {expression}")
    return found


def fetched(uri: str, place: Path) -> Path:
    """An object of S3 as a file, read with the credentials of the job's role. Raises Refused."""
    bucket, _, key = uri.partition("://")[2].partition("/")
    errors = wheel("botocore.exceptions")
    try:
        s3 = wheel("botocore.session").get_session().create_client("s3")
        body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except (errors.ClientError, errors.BotoCoreError) as error:
        raise Refused(f"Failed to download {uri}: {error}") from None
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(body)
    return place


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


def _json_rows(folder: Path, is_lines: bool) -> list[Any]:
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
    return rows


def _joined(frames: Iterator[Any]) -> Any:
    found = list(frames)
    return found[0] if len(found) == 1 else wheel("pandas").concat(found, ignore_index=True)
