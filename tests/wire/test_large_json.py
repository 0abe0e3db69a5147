"""Long texts in JSON: read as orjson reads them, in pieces."""

import time
from typing import Any

import orjson
import pytest

from passrole.faults import Fault
from passrole.wire import json_values, large_json

MANY = 2 * large_json.PIECE_BYTES
LONG = [
    b"a" * MANY,
    b"\xc3\xa9" * MANY,
    b"a" + b"\xc3\xa9" * MANY,
    b"\xf0\x9f\x92\xa9" * MANY,
    b"abc\xf0\x9f\x92\xa9" * MANY,
    b"\\u00e9" * MANY,
    b"\\ud83d\\udca9" * MANY,
    b"a\\ud83d\\udca9\\ud83d\\uDCA9" * MANY,
    b'\\"' * MANY,
    b"\\\\" * MANY,
    b"QUF\\/" * MANY,
]
NO_TEXTS = [b"\\ud83d" * MANY, b"\xff" * MANY, b"a\n" * MANY, b"\\x" * MANY, b"a" * MANY + b"\\"]
PLACES = [
    b'{"a":"%b"}',
    b'{"a":[1,{"b":["x","%b","y"]}]}',
    b'{"%b":"short"}',
    b'{"a":"%b","b":"\\\\","c":"%b"}',
]
COSTLY = [
    b'{"a":' + b" " * 20_000_000 + b"1}",
    b'{"a":[' + b",".join([b'"%b"' % (b"x" * 300)] * 90_000) + b"]}",
]


def filled(place: bytes, text: bytes) -> bytes:
    return place.replace(b"%b", text)


@pytest.mark.parametrize("text", LONG, ids=range(len(LONG)))
@pytest.mark.parametrize("place", PLACES)
def test_a_long_text_is_read_wherever_it_stands(place: bytes, text: bytes) -> None:
    body = filled(place, text)
    assert large_json.loads(body) == orjson.loads(body)


@pytest.mark.parametrize("text", NO_TEXTS, ids=range(len(NO_TEXTS)))
def test_what_is_no_text_is_none_when_it_is_long(text: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        large_json.loads(filled(PLACES[0], text))


@pytest.mark.parametrize("value", ["x" * MANY, ["x" * MANY], 1])
def test_the_value_may_be_any(value: Any) -> None:
    assert large_json.loads(orjson.dumps(value)) == value


@pytest.mark.parametrize("body", COSTLY, ids=["space", "texts"])
def test_what_is_large_beside_long_texts_is_refused(body: bytes) -> None:
    with pytest.raises(Fault, match="SerializationException: The request body is too large"):
        json_values.load(body)


def test_a_text_of_many_quotes_is_walked_once() -> None:
    began = time.thread_time()
    body = b'{"a":"' + b"," * json_values.VALUES_MAX + b'\\"' * 5_000_000 + b'"}'
    assert len(json_values.load(body)["a"]) == json_values.VALUES_MAX + 5_000_000
    assert time.thread_time() - began < 3
