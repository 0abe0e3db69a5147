"""DataProcessing as AWS's guide documents it, on records of CSV and JSON."""

from typing import Any

import pytest

from passrole.services.sagemaker.jobs import batch_rules
from passrole.worker.jobs import joining
from passrole.worker.jobs.records import BadData

CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"

BOTH = [b'{"SageMakerInput":[1],"SageMakerOutput":3}', b'{"SageMakerInput":[2],"SageMakerOutput":4}']


def _rules(kind: str, **processing: str) -> batch_rules.Processing:
    request = {
        "TransformInput": {"ContentType": kind, "SplitType": "Line"},
        "TransformOutput": {"Accept": kind},
        "DataProcessing": processing,
    }
    found = batch_rules.rules(request).processing
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "path", "record", "seen"),
    [
        (CSV, "$[1:]", b"id,1,2.50", b"1,2.50"),
        (CSV, "$[0,-1]", b'"a,b",1,c', b'"a,b",c'),
        (CSV, "$[1]", b"id,1", b"1"),
        (CSV, "$[0,2:]", b"a,b,c,d", b"a,c,d"),
        (LINES, "$.features", b'{"id": 1, "features": [1.0, 2]}', b"[1.0,2]"),
        (JSON, "$['a','b']", b'{"a": 1, "b": "\xc3\xa4", "c": 3}', '{"a":1,"b":"ä"}'.encode()),
        (JSON, "$.rows[*].x", b'{"rows": [{"x": 1}, {"x": 2}]}', b"[1,2]"),
        (JSON, "$.a.['b','c']", b'{"a": {"b": 1, "c": 2, "d": 3}}', b'{"b":1,"c":2}'),
    ],
)
def test_a_filter_leaves_what_it_names(kind: str, path: str, record: bytes, seen: bytes) -> None:
    assert joining.filtered(record, _rules(kind, InputFilter=path)) == seen


@pytest.mark.parametrize(
    ("kind", "processing", "records", "answer", "kept"),
    [
        (CSV, {}, [b"a,1", b"b,2"], b"0.1\n0.2\n", [b"a,1,0.1", b"b,2,0.2"]),
        (CSV, {"OutputFilter": "$[-1]"}, [b"a,1"], b"0.1,0.2", [b"0.2"]),
        (LINES, {}, [b'{"a": 1}'], b'{"score": 2}\n', [b'{"a":1,"SageMakerOutput":{"score":2}}']),
        (LINES, {}, [b"[1]", b"[2]"], b"3\n4\n", BOTH),
        (JSON, {}, [b"[1]", b"[2]"], b"[3, 4]", BOTH),
        (JSON, {"OutputFilter": "$.SageMakerOutput"}, [b'{"a": 1}'], b'{"p": [\n1]}', [b'{"p":[1]}']),
    ],
)
def test_records_are_joined_with_their_predictions(
    kind: str, processing: dict[str, str], records: list[bytes], answer: bytes, kept: list[bytes]
) -> None:
    assert joining.joined(records, answer, _rules(kind, JoinSource="Input", **processing)) == kept


@pytest.mark.parametrize(
    ("kind", "processing", "answer"),
    [
        (CSV, {"JoinSource": "Input"}, b"0.1\n0.2"),  # two predictions of one record
        (CSV, {"JoinSource": "Input", "OutputFilter": "$[5]"}, b"0.1"),
        (LINES, {"JoinSource": "Input"}, b"no json"),
        (LINES, {"JoinSource": "Input", "OutputFilter": "$.missing"}, b"1"),
        (LINES, {"OutputFilter": "$[1:]"}, b"1"),
    ],
)
def test_what_does_not_fit_is_bad_data(kind: str, processing: dict[str, Any], answer: bytes) -> None:
    record = b"a,1" if kind == CSV else b'{"a": 1}'
    with pytest.raises(BadData):
        joining.joined([record], answer, _rules(kind, **processing))


@pytest.mark.parametrize(
    "path", ["a", "$..a", "$.", "$[", "$['a", "$[?(@.a)]", "$['a',1]", "$x", "$[]", "$[1:2:3]"]
)
def test_other_expressions_are_refused(path: str) -> None:
    with pytest.raises(batch_rules.BadRule, match="InputFilter is not a JSONPath"):
        _rules(CSV, InputFilter=path)
