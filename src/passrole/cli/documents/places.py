"""Paths into a document, and the lines and columns at which its values stand."""

import json
import re
from typing import Any, Final, NamedTuple

Path = tuple[str | int, ...]


class Place(NamedTuple):
    """A line and a column, both from 1."""

    line: int
    column: int


START: Final = Place(1, 1)

_NAMED: Final = re.compile(r"line (\d+),? column (\d+)")
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{},:]|[^\s\[\]{},:"]++')


def shown(path: Path) -> str:
    """The path as people write it: `Steps[2].Arguments.Name`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def place_at(text: str, offset: int) -> Place:
    """The line and column of an offset."""
    return Place(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def place_in(message: str) -> Place:
    """The line and column that a message of a parser names; else the start."""
    found = _NAMED.search(message)
    return Place(int(found[1]), int(found[2])) if found else START


def json_offsets(text: str) -> dict[Path, int]:
    """The offset of each value of a JSON text that was parsed before."""
    found: dict[Path, int] = {}
    path: list[str | int] = []
    awaits_key: list[bool] = []  # for each open bracket: of an object, whether a key is next
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark == ":":
            awaits_key[-1] = False
        elif mark == ",":
            last = path.pop()
            path.append(last + 1 if isinstance(last, int) else last)
            awaits_key[-1] = isinstance(last, str)
        elif mark in "]}":
            awaits_key.pop()
            path.pop()
        elif awaits_key and awaits_key[-1]:
            path[-1] = json.loads(mark)
        else:
            found.setdefault(tuple(path), token.start())
            if mark in "[{":
                awaits_key.append(mark == "{")
                path.append("" if mark == "{" else 0)
    return found


def value_at(value: Any, path: Path) -> Any:
    """The value at a path; None where there is none."""
    for part in path:
        if isinstance(value, dict) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value
