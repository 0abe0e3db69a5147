import json

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
