"""Presigned URLs with S3's older signature version 2, which boto3 and the AWS CLI still make for us-east-1.

Only the signature in the query is supported, and only for S3, because it is these clients' default. It covers
method, time, resource and `x-amz-` headers, but not the body. A role's session may sign too; its token is
signed. https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
"""

import base64
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from passrole.arns import Region
from passrole.faults import Fault
from passrole.wire.forms import query_parameters
from passrole.wire.http_messages import HttpRequest
from passrole.wire.refusals import ACCESS_DENIED, INVALID_SIGNATURE, Unrouted, refused
from passrole.wire.s3_routing import bucket_of_host
from passrole.wire.scalars import INTEGER_BOUNDS, read_integer
from passrole.wire.sigv4 import Authorization

REGION = Region("us-east-1")  # version 2 has no region, and clients use it for this one
_PROTOCOL: Final = "rest-xml"
_BLANKS = " \t"
_SIGNED_HEADERS = ("content-md5", "content-type")
_TOKEN = "x-amz-security-token"  # noqa: S105 (a header's name)
# The parameters that are part of the signed resource.
_SIGNED_PARAMETERS = frozenset(
    {
        *("accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle"),
        *("location", "logging", "metrics", "notification", "object-lock", "partNumber", "policy"),
        *("replication", "requestPayment", "response-cache-control", "response-content-disposition"),
        *("response-content-encoding", "response-content-language", "response-content-type"),
        *("response-expires", "restore", "select", "select-type", "storageClass", "tagging", "torrent"),
        *("uploadId", "uploads", "versionId", "versioning", "versions", "website"),
    }
)


def is_presigned(request: HttpRequest) -> bool:
    """Whether the query has a signature of version 2."""
    return "AWSAccessKeyId=" in request.query and "authorization" not in request.headers


def parse_authorization(request: HttpRequest) -> Authorization:
    """The authorisation in the URL; its `timestamp` is the expiry. Raises Unrouted (AccessDenied)."""
    fields = _fields(request)
    lacking = [name for name in ("AWSAccessKeyId", "Signature", "Expires") if not fields.get(name)]
    try:
        ends = read_integer(fields.get("Expires", ""), INTEGER_BOUNDS["long"])
    except ValueError:
        lacking.append("Expires")
        ends = 0
    if lacking:
        message = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        raise refused(ACCESS_DENIED, _PROTOCOL, message)
    return Authorization(
        access_key=fields["AWSAccessKeyId"],
        session_token=fields.get(_TOKEN) or request.headers.get(_TOKEN),
        date="",
        region=REGION,
        service="s3",
        signed_headers=(),
        signature=fields["Signature"],
        timestamp=fields["Expires"],
        epoch_seconds=ends,
        expires_seconds=0,
    )


def verify(request: HttpRequest, authorization: Authorization, secret: str, now: float) -> None:
    """Return if the URL was signed with the secret and has not expired.

    Raises Unrouted: AccessDenied, SignatureDoesNotMatch.
    """
    if now > authorization.epoch_seconds:
        raise refused(ACCESS_DENIED, _PROTOCOL, "Request has expired")
    text = _signed_text(request, authorization.timestamp)
    # As in sigv4: the received bytes, or latin-1 of what was signed in UTF-8.
    encodings = (text.encode("latin-1", "replace"), text.encode("utf-8"))
    if not any(_is_signed(secret, encoded, authorization.signature) for encoded in encodings):
        raise refused(INVALID_SIGNATURE, _PROTOCOL, members={"AWSAccessKeyId": authorization.access_key})


def _is_signed(secret: str, text: bytes, signature: str) -> bool:
    expected = base64.b64encode(hmac.digest(secret.encode(), text, "sha1"))
    return hmac.compare_digest(expected, signature.encode())


def _fields(request: HttpRequest) -> Mapping[str, str]:
    """The query's parameters without repeated ones, which are ambiguous."""
    try:
        query = query_parameters(request.query)
    except Fault as fault:
        raise Unrouted(fault.code, fault.message, _PROTOCOL, status=fault.status) from None
    return {name: values[0] for name, values in query.items() if len(values) == 1}


def _signed_text(request: HttpRequest, ends: str) -> str:
    """The string to sign, with headers from the head and from the query of the URL.

    It is latin-1, a letter for each byte, like the headers of HttpRequest.
    """
    lower = {name.lower(): _as_bytes(value) for name, value in _fields(request).items()}
    headers = lower | dict(request.headers)
    custom = sorted(
        f"{_as_bytes(name)}:{value.strip(_BLANKS)}"
        for name, value in headers.items()
        if name.startswith("x-amz-")
    )
    standard = [headers.get(name, "").strip(_BLANKS) for name in _SIGNED_HEADERS]
    return "\n".join([request.method, *standard, ends, *custom, _resource(request)])


def _resource(request: HttpRequest) -> str:
    """The path with its bucket, also if the bucket is in the host, and the signed parameters."""
    bucket = bucket_of_host(request.headers.get("host", ""))
    path = f"/{bucket}{request.raw_path}" if bucket else request.raw_path
    pairs = [part.split("=", 1) for part in request.query.split("&")]
    signed = sorted((pair for pair in pairs if pair[0] in _SIGNED_PARAMETERS), key=lambda pair: pair[0])
    if not signed:
        return path
    return f"{path}?{'&'.join('='.join([pair[0], *map(_value, pair[1:])]) for pair in signed)}"


def _value(encoded: str) -> str:
    return _as_bytes(unquote(encoded))


def _as_bytes(text: str) -> str:
    return text.encode("utf-8", "replace").decode("latin-1")
