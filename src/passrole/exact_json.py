"""JSON that keeps large integers: orjson wherever it can, Python's own module where a number needs it.

orjson reads an integer beyond 64 bits as a float and writes none; in a definition, an output or a payload
such a number is an integer like any other.
"""

import json
import re
from typing import Any

import orjson

_LONG_NUMBER = re.compile(r"[0-9]{19}")
_LONG_NUMBER_IN_BYTES = re.compile(rb"[0-9]{19}")
_TOO_LARGE = "Integer exceeds 64-bit range"


def loads(text: str | bytes) -> Any:
    """The value of a JSON text. Raises orjson.JSONDecodeError for what is none."""
    value = orjson.loads(text)
    found = _LONG_NUMBER.search(text) if isinstance(text, str) else _LONG_NUMBER_IN_BYTES.search(text)
    if found is None:
        return value
    try:
        return json.loads(text)
    except (RecursionError, ValueError):  # nested deeply, or a number of thousands of digits
        return value


def dumps(value: Any) -> bytes:
    """The shortest JSON text of a value. Raises TypeError for what has none."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        if str(error) != _TOO_LARGE:
            raise
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
