"""The fields of a form, and the texts of files that it uploads.

Files come as multipart/form-data: https://www.rfc-editor.org/rfc/rfc7578
"""

import asyncio
from collections.abc import Iterator, Mapping
from email.message import Message
from email.parser import HeaderParser
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request

from passrole.faults import Fault

FIELDS_MAX = 500
BACK: Final = frozenset({"/", "/approvals"})
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_PART_HEADER_BYTES_MAX = 2_048
_BOUNDARY_CHARACTERS_MAX = 70

Form = Mapping[str, str]


async def read_form(request: Request) -> Form:
    """The fields by name; guard.py has bounded the body. Raises ValidationException."""
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    try:
        if header.get_content_type() == MULTIPART:
            body, boundary = await request.body(), header.get_boundary("")
            pairs = await asyncio.to_thread(lambda: list(_parts(body, boundary.encode())))
        elif header.get_content_type() == URLENCODED:
            text = (await request.body()).decode()
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
        else:
            raise Fault("ValidationException", "the console takes its own forms alone")
    except ValueError as error:
        raise Fault("ValidationException", "the form cannot be read: is a file of it no text?") from error
    # browsers send the lines of a text with CR LF: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html
    return {name: value.replace("\r\n", "\n") for name, value in pairs}


def back(form: Form) -> str | None:
    """Where a form wants to go when its change is made: the inbox, the approvals, or the next of a review.

    Never anywhere else, whatever the form says.
    """
    if "review" in form:
        return f"/approvals?{urlencode({'review': form['review']})}"
    place = form.get("back", "")
    return place if place in BACK else None


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, str]]:
    """Raises ValueError. A part within a part is a text like any other."""
    mark = b"\r\n--" + boundary
    if not 0 < len(boundary) <= _BOUNDARY_CHARACTERS_MAX or body.count(mark) > FIELDS_MAX:
        raise ValueError("no boundary, or too many parts")
    first, *parts = (b"\r\n" + body).split(mark)
    if first or not parts or not parts[-1].startswith(b"--"):
        raise ValueError("not all of a form")
    for part in parts[:-1]:
        head, blank, content = part.partition(b"\r\n\r\n")
        if not blank or len(head) > _PART_HEADER_BYTES_MAX:
            raise ValueError("a part without a header")
        name = HeaderParser().parsestr(head.strip().decode()).get_param("name", header="content-disposition")
        if not isinstance(name, str):
            raise ValueError("a part without a name")
        yield name, content.decode("utf-8-sig")
