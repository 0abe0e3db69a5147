"""Form bodies and query strings: percent-encoded pairs, each name at most once.

A repeated name is refused: a request that can be read in two ways must not be authorised in one and performed
in the other.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from urllib.parse import unquote_plus

from passrole.faults import Fault
from passrole.wire.http_messages import HttpRequest

PAIRS_MAX = 20_000
QUERY_PAIRS_MAX = 2_000
LONG_CHARS = 16_384
_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2}){1,10000}+")


def form_parameters(request: HttpRequest) -> Mapping[str, str]:
    """The parameters of a query-protocol request, of its query string and its body.

    Raises Fault MalformedQueryString.
    """
    return _read(_text(request))


def named_parameters(request: HttpRequest, names: Collection[str]) -> Mapping[str, str]:
    """Only the named parameters of a query-protocol request; the others are not decoded.

    Raises Fault MalformedQueryString.
    """
    found: dict[str, str] = {}
    for name, value in _fields(_text(request)):
        plain = name if name in names else _decoded(name) if "%" in name and len(name) < 64 else ""
        if plain in names:
            if plain in found:
                raise _twice()
            found[plain] = _decoded(value)
    return found


def query_parameters(query: str) -> Mapping[str, list[str]]:
    """The values of each name in a query string, in order. Raises Fault MalformedQueryString."""
    if query.count("&") >= QUERY_PAIRS_MAX:
        raise _too_many()
    found: dict[str, list[str]] = {}
    for name, value in _pairs(query):
        found.setdefault(name, []).append(value)
    return found


def malformed(message: str = "The query string contains a syntax error.") -> Fault:
    """The fault for an invalid form or query string."""
    return Fault("MalformedQueryString", message, status=400)


def _read(text: str) -> Mapping[str, str]:
    pairs = _pairs(text)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _twice()
    return found


def _text(request: HttpRequest) -> str:
    try:
        text = request.body.decode("ascii")
    except UnicodeDecodeError:
        raise malformed("The body must be percent-encoded ASCII text.") from None
    return f"{request.query}&{text}" if request.query else text


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(_decoded(name), _decoded(value)) for name, value in _fields(text)]


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Names and values, still percent-encoded."""
    if text.count("&") >= PAIRS_MAX:
        raise _too_many()
    for field in text.split("&"):
        if field:
            name, _, value = field.partition("=")
            yield name, value


def _too_many() -> Fault:
    return malformed("The query string contains too many parameters.")


def _twice() -> Fault:
    return malformed("The query string contains a parameter more than once.")


def _decoded(text: str) -> str:
    if "%" not in text and "+" not in text:
        return text
    try:
        if len(text) > LONG_CHARS:
            return _long_decoded(text)
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        raise malformed("The query string contains a value that is not UTF-8.") from None


def _long_decoded(text: str) -> str:
    """Like `unquote_plus`, which is slow and needs much memory with many escapes."""
    plain = text.replace("+", " ").encode()
    return _ESCAPES.sub(lambda found: bytes.fromhex(found[0].replace(b"%", b"").decode()), plain).decode()
