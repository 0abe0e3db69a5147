"""JSON with integers of any size and any nesting depth: orjson where possible, else Python.

orjson reads an integer beyond 64 bits as a float and cannot write one. It reads 1,024 levels and writes 254.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import orjson

_LONG_NUMBER = re.compile(r"[0-9]{19}")
_LONG_NUMBER_IN_BYTES = re.compile(rb"[0-9]{19}")


def loads(text: str | bytes) -> Any:
    """The value of a JSON text. Raises orjson.JSONDecodeError."""
    value = orjson.loads(text)
    found = _LONG_NUMBER.search(text) if isinstance(text, str) else _LONG_NUMBER_IN_BYTES.search(text)
    if found is None:
        return value
    try:
        return json.loads(text)
    except (RecursionError, ValueError):  # nested deeply, or a number of thousands of digits
        return value


def dumps(value: Any) -> bytes:
    """The compact JSON text of a value. Raises TypeError for a type that JSON lacks."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return b"".join(_written(value))


def depth(value: object) -> int:
    """The nesting depth of a value; 0 for a scalar."""
    levels, level = 0, [value]
    while level := [inner for inner in level if isinstance(inner, dict | list)]:
        levels += 1
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
        ]
    return levels


Parts = Iterator["bytes | Parts"]


def _written(value: Any) -> Iterator[bytes]:
    """The text in pieces; an explicit stack, since values may nest deeper than Python's."""
    open_ = [_parts(value)]
    while open_:
        for part in open_[-1]:
            if isinstance(part, bytes):
                yield part
            else:
                open_.append(part)
                break
        else:
            open_.pop()


def _parts(value: Any) -> Parts:
    """The parts of a value's text: bytes, and the parts of nested values."""
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        yield b"{"
        for number, (key, item) in enumerate(value.items()):
            yield b"," * (number > 0) + orjson.dumps(str(key)) + b":"
            yield _parts(item)
        yield b"}"
    elif isinstance(value, list | tuple):
        yield b"["
        for number, item in enumerate(value):
            if number:
                yield b","
            yield _parts(item)
        yield b"]"
    else:
        yield _scalar(value)


def _scalar(value: Any) -> bytes:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value).encode() if is_whole else orjson.dumps(value)
