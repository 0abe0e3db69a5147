"""FilterCriteria of event source mappings: what is matched, what is refused."""

import json
from typing import Any

import pytest

from passrole.faults import Fault
from passrole.services.lambda_ import filters


def record(body: str, **more: Any) -> dict[str, Any]:
    return {"messageId": "m", "body": body, "attributes": {"SenderId": "AIDA"}, **more}


WANTED: list[tuple[Any, str, bool]] = [
    # a JSON body by its fields
    ({"body": {"kind": ["order"]}}, '{"kind": "order", "n": 1}', True),
    ({"body": {"kind": ["order"]}}, '{"kind": "visit"}', False),
    ({"body": {"n": [{"numeric": [">", 5]}]}}, '{"n": 6}', True),
    ({"body": {"items": {"id": [2]}}}, '{"items": [{"id": 1}, {"id": 2}]}', True),
    # a text as a text
    ({"body": ["hello"]}, "hello", True),
    ({"body": [{"prefix": "hel"}]}, "hello", True),
    ({"body": ["5"]}, "5", True),
    # one against the other matches nothing
    ({"body": {"kind": ["order"]}}, "order", False),
    ({"body": ["order"]}, '{"kind": "order"}', False),
    # the rest of the record
    ({"attributes": {"SenderId": ["AIDA"]}}, "anything", True),
    ({"messageAttributes": {"team": {"stringValue": ["ml"]}}}, "anything", False),
]


@pytest.mark.parametrize("pattern, body, expected", WANTED, ids=str)
def test_a_record_is_matched_by_its_body_and_by_what_stands_around_it(
    pattern: Any, body: str, expected: bool
) -> None:
    assert filters.wants([json.dumps(pattern)], record(body)) is expected


def test_one_of_several_filters_is_enough_and_none_want_everything() -> None:
    patterns = ['{"body": ["a"]}', '{"body": ["b"]}']
    assert [filters.wants(patterns, record(body)) for body in "abc"] == [True, True, False]
    assert filters.wants([], record("c"))


@pytest.mark.parametrize("pattern", ["", "no json", "[]", "{}", '{"body": "text"}', '{"body": [{"odd": 1}]}'])
def test_what_is_no_event_pattern_is_refused_in_awss_words(pattern: str) -> None:
    with pytest.raises(Fault) as caught:
        filters.checked({"Filters": [{"Pattern": pattern}]})
    assert caught.value.code == "InvalidParameterValueException"
    assert caught.value.message == "Invalid filter pattern definition."


@pytest.mark.parametrize("criteria", [None, {}, {"Filters": []}])
def test_an_empty_criteria_has_no_filters(criteria: Any) -> None:
    assert filters.checked(criteria) == []
