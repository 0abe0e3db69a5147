"""Values that nest deeper than the library writes."""

import json
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole import json_text

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
    text = json_text.dumps(nested(DEPTH))
    assert text.count(b"[") + text.count(b"{") == DEPTH + 2
    assert json_text.depth(nested(DEPTH)) == DEPTH + 2


def test_what_is_written_is_read_back() -> None:
    assert orjson.loads(json_text.dumps(nested(900))) == nested(900)
    assert orjson.loads(json_text.dumps(Kept("n", nested(900)))) == {"name": "n", "value": nested(900)}


_shallow = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
)


@given(_shallow)
def test_the_text_is_the_librarys(value: Any) -> None:
    assert b"".join(json_text._written(value)) == orjson.dumps(value)
    assert json_text.depth(value) <= json.dumps(value).count("[") + json.dumps(value).count("{")


def test_what_is_no_json_is_an_error_at_any_depth() -> None:
    with pytest.raises(TypeError):
        json_text.dumps({"a": [object()]})
