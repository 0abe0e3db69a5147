"""Headers in the query string of a presigned S3 URL.

    PUT /bucket/key?X-Amz-Signature=..&x-amz-meta-team=ml&x-amz-checksum-crc32=wdBDMA%3D%3D

Any x-amz- header may be in the query, where it is signed; the SDK for JavaScript puts all of them there.
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from passrole.wire.forms import query_parameters
from passrole.wire.http_messages import HttpRequest
from passrole.wire.refusals import Unrouted

_PREFIX = "x-amz-"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
"""https://www.rfc-editor.org/rfc/rfc9110#section-5.1; metadata with another name would break the response."""
_OF_THE_SIGNATURE = frozenset(
    f"{_PREFIX}{name}"
    for name in (
        "algorithm",
        "credential",
        "date",
        "expires",
        "security-token",
        "signature",
        "signedheaders",
    )
)


def is_header(name: str) -> bool:
    """Whether a parameter or form field of that lower-case name is a header.

    Raises Unrouted (InvalidArgument) if it is not a valid header name.
    """
    if not name.startswith(_PREFIX) or name in _OF_THE_SIGNATURE:
        return False
    if not _NAME.fullmatch(name):
        raise _refused("The name of a header holds a character that it must not hold.", name, "")
    return True


def headers_in_query(request: HttpRequest) -> Mapping[str, str]:
    """The headers in the query, by lower-case name, as latin-1 like in HttpRequest.

    Raises Fault MalformedQueryString, and Unrouted InvalidArgument for a repeated or invalid name.
    """
    found: dict[str, str] = {}
    for name, values in query_parameters(request.query).items():
        lowered = name.lower()
        if not is_header(lowered):
            continue
        if len(values) > 1 or lowered in found:
            raise _twice(lowered, ", ".join(values))
        # Headers are bytes read as latin-1; the query is UTF-8.
        found[lowered] = values[0].encode("utf-8").decode("latin-1")
    return found


def with_headers_of_query(request: HttpRequest) -> HttpRequest:
    """The request of a presigned URL with those headers moved from the query to its headers.

    It is for parsing; the signature covers the original request. Raises Unrouted (InvalidArgument) if a
    header and the query have different values, since one of them would be ignored.
    """
    found = headers_in_query(request)
    for name, value in found.items():
        if request.headers.get(name, value) != value:
            raise _twice(name, value)
    return replace(request, headers={**request.headers, **found}) if found else request


def _twice(name: str, value: str) -> Unrouted:
    return _refused(f"The parameter {name} is given more than once.", name, value)


def _refused(message: str, name: str, value: str) -> Unrouted:
    members = {"ArgumentName": name, "ArgumentValue": value}
    return Unrouted("InvalidArgument", message, "rest-xml", status=400, members=members)
