"""The fields of a plain form."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from passrole.faults import Fault

FIELDS_MAX = 500

Form = Mapping[str, str]


async def read_form(request: Request) -> Form:
    """The fields by name; guard.py has bounded the body. Raises ValidationException."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise Fault("ValidationException", "the console takes its own forms alone")
    try:
        text = (await request.body()).decode()
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError as error:
        raise Fault("ValidationException", "the form cannot be read") from error
    # browsers send the lines of a text with CR LF: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html
    return {name: value.replace("\r\n", "\n") for name, value in pairs}
