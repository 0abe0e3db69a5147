"""How lists are told in pages: their limits, the spelling of keys, and the tokens of the pages that follow.

It knows no list.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from urllib.parse import quote

from passrole.faults import Fault
from passrole.services.s3.refusals import invalid_argument

PAGE_MAX = 1_000
Spelling = Callable[[str], str]
_MARK_BYTES = 6


def limit(given: int | None, name: str) -> int:
    """How many a page holds at most; `name` is the parameter's in S3's words. Raises Fault."""
    if given is not None and given < 0:
        message = f"Argument {name} must be an integer between 0 and 2147483647"
        raise invalid_argument(message, name, given)
    return PAGE_MAX if given is None else min(given, PAGE_MAX)


def spelling(encoding_type: str | None) -> Spelling:
    """How keys are written; `url` is for those that XML cannot carry. Raises Fault."""
    if encoding_type not in (None, "url"):
        message = "Invalid Encoding Method specified in Request"
        raise invalid_argument(message, "encoding-type", encoding_type)
    return str if encoding_type is None else quote


def token(of: str, last: str) -> str:
    """What leads to the page after `last` of the list `of` something."""
    return base64.urlsafe_b64encode(_mark(of, last) + last.encode()).decode()


def place(of: str, given: str) -> str:
    """The end of the page before. Raises Fault for what is no token of that list."""
    try:
        raw = base64.b64decode(given.encode("ascii"), altchars=b"-_", validate=True)
        last = raw[_MARK_BYTES:].decode()
    except (UnicodeError, binascii.Error):
        raise _incorrect() from None
    if raw[:_MARK_BYTES] != _mark(of, last):
        raise _incorrect()
    return last


def _mark(of: str, last: str) -> bytes:
    """By which a token is known; it is no secret, for a token grants nothing."""
    return hashlib.sha256(f"{of}\0{last}".encode()).digest()[:_MARK_BYTES]


def _incorrect() -> Fault:
    return invalid_argument("The continuation token provided is incorrect", "continuation-token")
