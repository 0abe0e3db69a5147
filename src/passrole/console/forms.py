"""The fields of a plain form."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request

from passrole.faults import Fault

FIELDS_MAX = 500
BACK: Final = frozenset({"/", "/approvals"})

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


def back(form: Form) -> str | None:
    """Where a form wants to go when its change is made: the inbox, the approvals, or the next of a review.

    Never anywhere else, whatever the form says.
    """
    if "review" in form:
        return f"/approvals?{urlencode({'review': form['review']})}"
    place = form.get("back", "")
    return place if place in BACK else None
