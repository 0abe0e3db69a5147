"""The positions (line and column) of statements in a policy's text, as the policy simulator returns them.

The text is a policy that was parsed before. For AWS a statement begins right after the bracket, comma or
colon in front of it and ends right after its brace; lines and columns count from 1.
"""

import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple


class Position(NamedTuple):
    """A position between two letters; column 1 is before the first letter of a line."""

    line: int
    column: int


Span = tuple[Position, Position]

_DECODER: Final = json.JSONDecoder()
_WHITE: Final = " \t\n\r"
# Strings (with the colon after keys) and brackets of JSON that was parsed before.
_TOKENS: Final = re.compile(r'(?P<key>"(?:[^"\\]|\\.)*+")(?:\s*+(?P<colon>:))?|[\[\]{}]')


def statement_spans(text: str) -> list[Span]:
    """The start and end of each statement, in order."""
    found: list[tuple[int, int]] = []
    for key, colon_end, value_start, end in _members(text):
        if key == "Statement":  # of a repeated key, the last one counts
            found = list(_elements(text, value_start)) if text[value_start] == "[" else [(colon_end, end)]
    return [(_position(text, start), _position(text, end)) for start, end in found]


def repeated_key(text: str) -> tuple[str, Position] | None:
    """The first key that occurs twice in an object, and the position of its second occurrence."""
    seen: list[set[str]] = []
    for found in _TOKENS.finditer(text):
        mark = found[0]
        if mark[0] == '"' and found["colon"] is None:
            continue
        if mark in "[{":
            seen.append(set())
        elif mark in "]}":
            seen.pop()
        else:
            key = json.loads(found["key"])
            if key in seen[-1]:
                return key, _position(text, found.start())
            seen[-1].add(key)
    return None


def _members(text: str) -> Iterator[tuple[str, int, int, int]]:
    """The document's keys, each with three offsets: after its colon, of its value, after its value."""
    at = _skip(text, text.index("{") + 1)
    while text[at] == '"':
        key, after_key = _DECODER.raw_decode(text, at)
        colon_end = _skip(text, after_key) + 1
        value_start = _skip(text, colon_end)
        _, end = _DECODER.raw_decode(text, value_start)
        yield key, colon_end, value_start, end
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _elements(text: str, bracket: int) -> Iterator[tuple[int, int]]:
    before = bracket + 1
    at = _skip(text, before)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield before, end
        at = _skip(text, end)
        if text[at] == ",":
            before = at + 1
            at = _skip(text, before)


def _skip(text: str, at: int) -> int:
    while text[at] in _WHITE:
        at += 1
    return at


def _position(text: str, offset: int) -> Position:
    line_start = text.rfind("\n", 0, offset) + 1
    return Position(text.count("\n", 0, offset) + 1, offset - line_start + 1)
