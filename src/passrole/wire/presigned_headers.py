"""What a presigned URL of S3 says beside its signature: parameters of the query that count as headers.

    PUT /bucket/key?X-Amz-Signature=..&x-amz-meta-team=ml&x-amz-checksum-crc32=wdBDMA%3D%3D

Who signs a URL may put any x-amz- header into the query, as the SDK for JavaScript does with all of them.
They are signed with the query. It knows no operation. See "Authenticating Requests: Using Query Parameters"
in the S3 API reference.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from passrole.wire.forms import query_parameters
from passrole.wire.http_messages import HttpRequest
from passrole.wire.refusals import Unrouted

_PREFIX = "x-amz-"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
"""RFC 9110, section 5.1; what is kept by another name would split the answer that tells it."""
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
    """Whether a parameter or a form's field of that lower-case name counts as a header.

    Raises Unrouted for one that no header can be named.
    """
    if not name.startswith(_PREFIX) or name in _OF_THE_SIGNATURE:
        return False
    if not _NAME.fullmatch(name):
        raise _refused("The name of a header holds a character that it must not hold.", name, "")
    return True


def headers_in_query(request: HttpRequest) -> Mapping[str, str]:
    """The headers that stand in the query, by lower-case name, in the letters that HttpRequest has them.

    Raises Fault MalformedQueryString, and Unrouted for one that is there twice or badly named.
    """
    found: dict[str, str] = {}
    for name, values in query_parameters(request.query).items():
        lowered = name.lower()
        if not is_header(lowered):
            continue
        if len(values) > 1 or lowered in found:
            raise _twice(lowered, ", ".join(values))
        # A header is its bytes, read as latin-1; the query is UTF-8.
        found[lowered] = values[0].encode("utf-8").decode("latin-1")
    return found


def with_headers_of_query(request: HttpRequest) -> HttpRequest:
    """The request of a presigned URL as if those headers had come as headers.

    Only for what is meant: the signature is over the request as it came. Raises Unrouted where a header says
    another thing than the query, for one of the two would be passed over.
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
