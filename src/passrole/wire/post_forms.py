"""Parses multipart/form-data, with which browsers upload to S3; the file is the last field.

Parts after the file are ignored, as on S3. https://www.rfc-editor.org/rfc/rfc7578
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from passrole.wire.http_messages import HttpRequest
from passrole.wire.refusals import Unrouted

TYPE = "multipart/form-data"
FIELDS_BYTES_MAX = 20 * 1024
HEAD_BYTES_MAX = 4 * 1024
PARTS_MAX = 1_000
PIECE_BYTES = 262_144
_PARAMETER = re.compile(r';[ \t]*+([^\s;="]++)[ \t]*+=[ \t]*+(?:"((?:[^"\\]|\\.)*+)"|([^;"]*))')
"""A parameter of a header, its value in quotes or not; possessive quantifiers avoid backtracking."""
_ESCAPED = re.compile(r'\\(["\\])')


@dataclass(frozen=True)
class Form:
    """`fields` by lower-case name; `file` is None if the form has none."""

    fields: Mapping[str, str]
    file: bytes | None
    file_name: str


def read(request: HttpRequest) -> Form:
    """Parse the form in a body. Raises Unrouted: MalformedPOSTRequest, MaxPostPreDataLengthExceeded."""
    boundary = _parameter(request.headers.get("content-type", ""), "boundary")
    if not boundary:
        raise _malformed()
    fields: dict[str, str] = {}
    size = 0
    for name, file_name, content in _parts(request.body, boundary.encode("latin-1", "replace")):
        if name == "file":
            return Form(fields, content, file_name)
        size += len(name) + len(content)
        if size > FIELDS_BYTES_MAX:
            message = "Your POST request fields preceding the upload file were too large."
            raise Unrouted("MaxPostPreDataLengthExceeded", message, "rest-xml", status=400)
        if name in fields:
            raise _malformed()
        fields[name] = _text(content)
    return Form(fields, None, "")


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Name, file name and content of each part, found lazily, since the body is not authenticated yet."""
    delimiter = b"\r\n--" + boundary
    start = len(delimiter) - 2 if body.startswith(delimiter[2:]) else _after(body, delimiter, 0)
    for _ in range(PARTS_MAX):
        if body[start : start + 2] == b"--":
            return
        blank = body.find(b"\r\n\r\n", start, start + HEAD_BYTES_MAX)
        if blank < 0:
            raise _malformed()
        end = _after(body, delimiter, blank + 2)  # an empty content ends right after its head
        yield *_names(body[start:blank]), body[blank + 4 : end - len(delimiter)]
        start = end
    raise _malformed()


def _after(body: bytes, delimiter: bytes, start: int) -> int:
    """The offset after the next delimiter. Raises Unrouted (MalformedPOSTRequest) if there is none.

    The search is in pieces, so that other threads can run: bytes similar to the delimiter make it slow.
    """
    for offset in range(start, len(body), PIECE_BYTES):
        found = body.find(delimiter, offset, offset + PIECE_BYTES + len(delimiter) - 1)
        if found >= 0:
            return found + len(delimiter)
    raise _malformed()


def _names(head: bytes) -> tuple[str, str]:
    for line in _text(head).split("\r\n"):
        header, _, value = line.partition(":")
        if header.strip().lower() == "content-disposition":
            return _parameter(value, "name").lower(), _parameter(value, "filename")
    raise _malformed()


def _parameter(header: str, name: str) -> str:
    """A parameter of a header's value, without its quotes; empty if there is none.

    The standard library's parser takes quadratic time, and fails for numbered parameters.
    """
    for found in _PARAMETER.finditer(header):
        if found[1].lower() == name:
            quoted = found[2]
            text = found[3].strip() if quoted is None else _ESCAPED.sub(r"\1", quoted)
            return text.replace("\r", " ").replace("\n", " ")
    return ""


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise _malformed() from None


def _malformed() -> Unrouted:
    message = "The body of your POST request is not well-formed multipart/form-data."
    return Unrouted("MalformedPOSTRequest", message, "rest-xml", status=400)
