"""What a model sees of a record, and what is kept of it with its prediction: DataProcessing.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
"""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from passrole.services.sagemaker.jobs.batch_rules import CSV, JSON, Processing
from passrole.services.sagemaker.jobs.json_paths import selected
from passrole.worker.jobs.records import BadData

INPUT, OUTPUT = "SageMakerInput", "SageMakerOutput"


def filtered(content: bytes, rules: Processing) -> bytes:
    """What InputFilter leaves of a record; of an object that is not split, of each of its rows.

    Raises BadData.
    """
    if not rules.input_filter:
        return content
    return b"\n".join(
        _written(_selected(_read(row, rules.input_type), rules.input_filter), rules.input_type)
        for row in _rows(content, rules.input_type)
    )


def joined(contents: Sequence[bytes], answer: bytes, rules: Processing) -> list[bytes]:
    """The records of the output for the records of a payload and the model's answer. Raises BadData."""
    rows = [row for content in contents for row in _rows(content, rules.input_type)]
    outputs = _predictions(answer, rules.output_type, len(rows))
    if rules.joins:
        if len(outputs) != len(rows):
            raise BadData(f"The model has {len(outputs)} predictions for {len(rows)} records")
        outputs = [
            _both(_read(row, rules.input_type), output) for row, output in zip(rows, outputs, strict=True)
        ]
    return [_written(_selected(each, rules.output_filter), rules.output_type) for each in outputs]


def _both(record: Any, output: Any) -> Any:
    if isinstance(record, list) and isinstance(output, _Row):
        return _Row([*record, *output])
    if isinstance(record, dict):
        return {**record, OUTPUT: output}
    return {INPUT: record, OUTPUT: output}


def _predictions(answer: bytes, content_type: str, records: int) -> list[Any]:
    """One for each record, as far as the answer tells them apart."""
    rows = [_read(row, content_type) for row in _rows(answer, content_type)]
    if content_type == JSON and len(rows) == 1 != records and isinstance(rows[0], list):
        return list(rows[0])
    return rows


def _rows(content: bytes, content_type: str) -> list[bytes]:
    """The rows of CSV, the documents of JSON Lines; a JSON document may have lines of its own."""
    if content_type == JSON and _is_json(content):
        return [content]
    return [line for line in content.splitlines() if line.strip()]


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


class _Row(list[Any]):
    """A row of CSV, whose cells are text."""


def _read(row: bytes, content_type: str) -> Any:
    try:
        text = row.decode("utf-8")
        if content_type == CSV:
            return _Row(next(csv.reader([text]), []))
        return json.loads(text)
    except (ValueError, csv.Error, RecursionError) as error:
        raise BadData(f"A record is not in the format {content_type}: {error}") from None


def _selected(record: Any, steps: Sequence[Any]) -> Any:
    try:
        return selected(record, steps)
    except ValueError as error:
        raise BadData(f"A filter of DataProcessing does not fit: {error}") from None


def _written(value: Any, content_type: str) -> bytes:
    if content_type != CSV:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(value if isinstance(value, list) else [value])
    return line.getvalue().encode()
