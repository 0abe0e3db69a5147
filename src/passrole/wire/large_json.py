r"""Parses large JSON texts in pieces, so that other threads can run: orjson holds the GIL until it is done.

A long string within the JSON (a function's archive in base64) is cut out and decoded in pieces, and orjson
sees a short placeholder.

    {"Code": {"ZipFile": "<60 MB>"}}   ->   {"Code": {"ZipFile": "<token>0"}} and <token>0 -> the 60 MB
"""

import re
import secrets
from collections.abc import Iterator
from typing import Any

import orjson

PIECE_BYTES = 262_144
REST_BYTES_MAX = 7_340_032
"""The maximum size without long strings: the largest definition in its longest spelling, and some reserve."""

# A piece never splits a multi-byte letter or a surrogate pair. Possessive quantifiers avoid backtracking.
_PIECE = re.compile(
    rb'(?:[^"\\]{1,1024}+[\x80-\xbf]{0,3}+'
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.){1,256}+",
    re.DOTALL,
)


class TooLarge(ValueError):
    """The JSON without its long strings is larger than REST_BYTES_MAX."""


def loads(body: bytes) -> Any:
    """The value of a JSON text. Raises orjson.JSONDecodeError, TooLarge."""
    if len(body) <= PIECE_BYTES:
        return orjson.loads(body)
    token, texts = secrets.token_hex(16), list[str]()
    rest = list[bytes]()
    for part, is_long in _parts(body):
        if is_long:
            rest.append(b'"%s%d"' % (token.encode(), len(texts)))
            texts.append("".join(orjson.loads(b'"%b"' % piece) for piece in _pieces(part)))
        else:
            rest.append(part)
    short = b"".join(rest)
    if len(short) > REST_BYTES_MAX:
        raise TooLarge
    named = {f"{token}{number}": text for number, text in enumerate(texts)}
    return _filled(orjson.loads(short), named) if named else orjson.loads(short)


def after_text(body: bytes, offset: int) -> int:
    """The offset after the closing quote of the string that begins at `offset`; the body's end if none."""
    while found := _PIECE.match(body, offset):
        offset = found.end()
    return offset + 1 if body[offset : offset + 1] == b'"' else len(body)


def _parts(body: bytes) -> Iterator[tuple[bytes, bool]]:
    """The parts of the body in order: the content of long strings (True), and the text between (False)."""
    offset = start = 0
    while (opened := body.find(b'"', offset)) >= 0:
        offset = after_text(body, opened + 1)
        if offset - opened > PIECE_BYTES and body[offset - 1 : offset] == b'"':
            yield body[start:opened], False
            yield body[opened + 1 : offset - 1], True
            start = offset
    yield body[start:], False


def _pieces(text: bytes) -> Iterator[bytes]:
    offset = 0
    while found := _PIECE.match(text, offset):
        yield found[0]
        offset = found.end()


def _filled(value: Any, named: dict[str, str]) -> Any:
    """The value with the strings in place of their placeholders; it is changed in place."""
    if not isinstance(value, dict | list):
        return named.get(value, value) if isinstance(value, str) else value
    open_: list[Any] = [value]
    while open_:
        container = open_.pop()
        if isinstance(container, dict):
            for key in [key for key in container if key in named]:
                container[named[key]] = container.pop(key)
        for at, item in list(container.items() if isinstance(container, dict) else enumerate(container)):
            if isinstance(item, str):
                if item in named:
                    container[at] = named[item]
            elif isinstance(item, dict | list):
                open_.append(item)
    return value
