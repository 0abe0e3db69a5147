r"""Large JSON texts, read so that other threads run in between: orjson lets none run until it is done.

It knows no shape. A long text within the JSON (a function's archive in base64) is cut out, its escapes are
read in pieces, and orjson sees a short name in its place.

    {"Code": {"ZipFile": "<60 MB>"}}   ->   {"Code": {"ZipFile": "<token>0"}} and <token>0 -> the 60 MB
"""

import re
import secrets
from collections.abc import Iterator
from typing import Any

import orjson

PIECE_BYTES = 262_144
REST_BYTES_MAX = 7_340_032
"""What may be left beside long texts: the largest definition in its longest form, and space."""

# No letter is cut, neither one of several bytes nor a pair of surrogates. Possessive, so that nothing of a
# text is read twice.
_PIECE = re.compile(
    rb'(?:[^"\\]{1,1024}+[\x80-\xbf]{0,3}+'
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.){1,256}+",
    re.DOTALL,
)


class TooLarge(ValueError):
    """There is too much beside the long texts."""


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


def after_text(body: bytes, place: int) -> int:
    """Where the text ends that begins at a place, behind its quote; the body's end where it does not end."""
    while found := _PIECE.match(body, place):
        place = found.end()
    return place + 1 if body[place : place + 1] == b'"' else len(body)


def _parts(body: bytes) -> Iterator[tuple[bytes, bool]]:
    """The body in order: what a long text says, without its quotes, and what stands between."""
    place = start = 0
    while (opened := body.find(b'"', place)) >= 0:
        place = after_text(body, opened + 1)
        if place - opened > PIECE_BYTES and body[place - 1 : place] == b'"':
            yield body[start:opened], False
            yield body[opened + 1 : place - 1], True
            start = place
    yield body[start:], False


def _pieces(text: bytes) -> Iterator[bytes]:
    place = 0
    while found := _PIECE.match(text, place):
        yield found[0]
        place = found.end()


def _filled(value: Any, named: dict[str, str]) -> Any:
    """The value with the texts in their places. What it is changed in, it alone holds."""
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
