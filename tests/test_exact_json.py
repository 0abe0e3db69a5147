import json
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole import exact_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_a_value_comes_back_as_it_was(value: object) -> None:
    text = exact_json.dumps(value)
    read = exact_json.loads(text)
    assert read == value
    assert json.dumps(read) == json.dumps(value), "an integer is no float"
    assert exact_json.loads(text.decode()) == value


@pytest.mark.parametrize("text", ["", "{", "[1,]", "NaN", "1" * 5000, '{"a": 01}', b"\xff"])
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        exact_json.loads(text)


def test_a_deep_text_with_a_large_number_is_read_all_the_same() -> None:
    deep = "[" * 1000 + "1180591620717411303424" + "]" * 1000
    value = exact_json.loads(deep)
    assert isinstance(value, list)


DEPTH = 5_000


def nested(depth: int) -> Any:
    value: Any = {"é": [1, 2.5, None, True, 'x"']}
    for number in range(depth):
        value = [value, "b"] if number % 2 else {"a": value, "b": 1}
    return value


@dataclass(frozen=True)
class Kept:
    """As the store has documents."""

    name: str
    value: Any


def test_a_value_of_any_depth_is_written() -> None:
    text = exact_json.dumps(nested(DEPTH))
    assert text.count(b"[") + text.count(b"{") == DEPTH + 2
    assert exact_json.depth(nested(DEPTH)) == DEPTH + 2


def test_what_is_written_is_read_back() -> None:
    assert orjson.loads(exact_json.dumps(nested(900))) == nested(900)
    assert orjson.loads(exact_json.dumps(Kept("n", nested(900)))) == {"name": "n", "value": nested(900)}


@given(VALUES)
def test_what_is_written_without_the_library_is_its_text(value: Any) -> None:
    assert b"".join(exact_json._written(value)) == exact_json.dumps(value)


def test_what_is_no_json_is_an_error_at_any_depth() -> None:
    with pytest.raises(TypeError):
        exact_json.dumps({"a": [object()]})
