"""Lists of S3 in pages: the limit of a page, the encoding of keys, continuation tokens.

A token is good for the list of one bucket. It knows no list.
"""

from collections.abc import Callable
from urllib.parse import quote

from passrole.services.pages import Pages, to_cursor
from passrole.services.s3.refusals import invalid_argument

PAGE_MAX = 1_000
Encoding = Callable[[str], str]

_INCORRECT = "The continuation token provided is incorrect"
PAGES = Pages("NextContinuationToken", lambda _: invalid_argument(_INCORRECT, "continuation-token"))


def limit(given: int | None, name: str) -> int:
    """How many a page holds at most; `name` is the parameter's in S3's words. Raises InvalidArgument."""
    if given is not None and given < 0:
        message = f"Argument {name} must be an integer between 0 and 2147483647"
        raise invalid_argument(message, name, given)
    return PAGE_MAX if given is None else min(given, PAGE_MAX)


def encoding(encoding_type: str | None) -> Encoding:
    """How keys are written; `url` is for those that XML cannot carry. Raises InvalidArgument."""
    if encoding_type not in (None, "url"):
        message = "Invalid Encoding Method specified in Request"
        raise invalid_argument(message, "encoding-type", encoding_type)
    return str if encoding_type is None else quote


def cursor(bucket: str, last: str) -> str:
    """The token of the page after the key `last` of a bucket's list; after a bucket, `bucket` is empty."""
    return to_cursor((bucket, last))


def last_of(bucket: str, token: str) -> str:
    """The key in a token of that bucket's list. Raises InvalidArgument for what is none."""
    position = PAGES.position(token, str, str)
    if position is None or position[0] != bucket:
        raise PAGES.refusal(token)
    return str(position[1])
