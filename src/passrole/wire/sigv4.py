"""Signature version 4, in a header or a presigned URL: parsing and verification.

It knows no key store: the caller looks up the key between `parse_authorization` and `verify`, and compares
its session token. `chunked` reads chunked payloads. Rules and messages are from
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html.
"""

import base64
import hashlib
import hmac
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from passrole.arns import InvalidPart, Region
from passrole.faults import Fault
from passrole.wire import presigned_headers
from passrole.wire.canonical import canonical_request
from passrole.wire.descriptions import Protocol
from passrole.wire.forms import query_parameters
from passrole.wire.http_messages import HttpRequest
from passrole.wire.refusals import (
    ACCESS_DENIED,
    EXPIRED_TOKEN,
    INCOMPLETE_SIGNATURE,
    INVALID_SIGNATURE,
    MISSING_TOKEN,
    UNKNOWN_KEY,
    Unrouted,
    refused,
)
from passrole.wire.routing import protocol_of
from passrole.wire.scalars import EPOCH_SECONDS_MAX, INTEGER_BOUNDS, read_integer, write_iso8601

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
UNHASHED_PAYLOADS = frozenset(
    {
        UNSIGNED_PAYLOAD,
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    }
)
SKEW_SECONDS = 300
EXPIRES_SECONDS_MAX = 604_800
PRESIGNED_FIELDS = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
SIGNING_KEYS_MAX = 1024
S3_REGION = Region("us-east-1")


class _Malformed(NamedTuple):
    """S3's code and message for an invalid scope, which depend on where the scope is."""

    code: str
    beginning: str


_IN_HEADER = _Malformed("AuthorizationHeaderMalformed", "The authorization header is malformed")
_IN_QUERY = _Malformed("AuthorizationQueryParametersError", "Error parsing the X-Amz-Credential parameter")


@dataclass(frozen=True, slots=True)
class Authorization:
    """The authorisation of a request; not trustworthy before `verify`.

    `timestamp` is x-amz-date as sent (`20260131T120000Z`), `epoch_seconds` the same as a number.
    `expires_seconds` is the validity of a presigned URL; None if the signature is in the header.
    """

    access_key: str
    session_token: str | None
    date: str
    region: Region
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    epoch_seconds: int
    expires_seconds: int | None = None


def parse_authorization(request: HttpRequest) -> Authorization:
    """Parse the authorisation of a request.

    Raises Unrouted: MissingAuthenticationToken, IncompleteSignature, SignatureDoesNotMatch for an invalid
    scope, or S3's codes for these.
    """
    protocol = protocol_of(request)
    header = request.headers.get("authorization")
    if not header and "X-Amz-Signature=" in request.query and protocol == "rest-xml":
        return _presigned(request, protocol)
    if not header:
        raise refused(MISSING_TOKEN, protocol)
    fields = _fields(header, protocol)
    timestamp = request.headers.get("x-amz-date", "")
    epoch_seconds = _epoch_seconds(timestamp)
    lacking = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if not fields.get(name)
    ]
    if epoch_seconds is None:
        lacking.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if lacking or epoch_seconds is None:
        raise refused(INCOMPLETE_SIGNATURE, protocol, " ".join([*lacking, _hashed(header)]))
    access_key, date, region, service = _scope(fields["Credential"], timestamp, protocol)
    signed_headers = _signed_headers(request, fields["SignedHeaders"], protocol)
    return Authorization(
        access_key=access_key,
        session_token=request.headers.get("x-amz-security-token"),
        date=date,
        region=_region(region, protocol, _IN_HEADER),
        service=service,
        signed_headers=signed_headers,
        signature=fields["Signature"],
        timestamp=timestamp,
        epoch_seconds=epoch_seconds,
    )


def authorization_of_form(fields: Mapping[str, str]) -> Authorization:
    """Parse the authorisation of a form upload, whose policy is signed; `fields` by lower-case name.

    Raises Unrouted: AuthorizationQueryParametersError, SignatureDoesNotMatch.
    """
    if fields["x-amz-algorithm"] != ALGORITHM:
        raise _bad_parameters('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"', "rest-xml")
    timestamp = fields["x-amz-date"]
    access_key, date, region, service = _scope(fields["x-amz-credential"], timestamp, "rest-xml")
    return Authorization(
        access_key=access_key,
        session_token=fields.get("x-amz-security-token"),
        date=date,
        region=_region(region, "rest-xml", _IN_QUERY),
        service=service,
        signed_headers=(),
        signature=fields["x-amz-signature"],
        timestamp=timestamp,
        epoch_seconds=_epoch_seconds(timestamp) or 0,
        expires_seconds=0,
    )


def verify(
    request: HttpRequest,
    authorization: Authorization,
    secret: str,
    now: float,
    skew_seconds: int = SKEW_SECONDS,
    protocol: Protocol | None = None,
) -> None:
    """Return if the request was signed with the secret within the allowed time.

    Raises Unrouted: SignatureDoesNotMatch, and for S3 RequestTimeTooSkewed, AccessDenied,
    XAmzContentSHA256Mismatch.
    """
    spoken = protocol or protocol_of(request)
    _check_clock(authorization, now, skew_seconds, spoken)
    _check_signature(request, authorization, secret, _payload(request, authorization, spoken), spoken)


def verify_head(
    request: HttpRequest,
    authorization: Authorization,
    secret: str,
    now: float,
    skew_seconds: int,
    protocol: Protocol,
) -> bool:
    """Verify what is possible before the body is read; True if only `check_payload` remains.

    False if the head does not declare the body's hash: then `verify` has to follow. Raises Unrouted like
    `verify`.
    """
    _check_clock(authorization, now, skew_seconds, protocol)
    declared = _declared(request, authorization, protocol)
    if declared is None:
        return False
    _check_signature(request, authorization, secret, declared, protocol)
    return True


def check_payload(request: HttpRequest, authorization: Authorization, protocol: Protocol) -> None:
    """Return if the body has the declared hash. Raises Unrouted: XAmzContentSHA256Mismatch, ..."""
    _payload(request, authorization, protocol)


def unknown_key(protocol: Protocol, access_key: str = "") -> Unrouted:
    """The fault for an unknown access key, or a session token of another key."""
    return refused(UNKNOWN_KEY, protocol, members={"AWSAccessKeyId": access_key} if access_key else None)


def expired_token(protocol: Protocol) -> Unrouted:
    """The fault for an expired session."""
    return refused(EXPIRED_TOKEN, protocol)


def scope_of(authorization: Authorization) -> str:
    """The credential scope, as in the string to sign."""
    return f"{authorization.date}/{authorization.region}/{authorization.service}/{TERMINATOR}"


@lru_cache(maxsize=SIGNING_KEYS_MAX)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The signing key for one day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, TERMINATOR):
        key = hmac.digest(key, part.encode("utf-8"), "sha256")
    return key


def _presigned(request: HttpRequest, protocol: Protocol) -> Authorization:
    """Parse the authorisation in the query of a presigned S3 URL.

    AWS's other services take the signature in a header.
    """
    try:
        query = query_parameters(request.query)
    except Fault as fault:
        raise Unrouted(fault.code, fault.message, protocol, status=fault.status) from None
    fields = {name: query.get(f"X-Amz-{name}", []) for name in PRESIGNED_FIELDS}
    if any(len(values) != 1 for values in fields.values()) or fields["Algorithm"] != [ALGORITHM]:
        raise _bad_parameters(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
            "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
            protocol,
        )
    algorithm, credential, timestamp, expires, signed_headers, signature = (
        fields[name][0] for name in PRESIGNED_FIELDS
    )
    del algorithm
    epoch_seconds = _epoch_seconds(timestamp)
    if epoch_seconds is None:
        raise _bad_parameters(
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"", protocol
        )
    access_key, date, region, service = _scope(credential, timestamp, protocol)
    return Authorization(
        access_key=access_key,
        session_token=query.get("X-Amz-Security-Token", [None])[0],
        date=date,
        region=_region(region, protocol, _IN_QUERY),
        service=service,
        signed_headers=_signed_headers(request, signed_headers, protocol),
        signature=signature,
        timestamp=timestamp,
        epoch_seconds=epoch_seconds,
        expires_seconds=_expires_seconds(expires, protocol),
    )


def _expires_seconds(text: str, protocol: Protocol) -> int:
    try:
        seconds = read_integer(text, INTEGER_BOUNDS["long"])
    except ValueError:
        raise _bad_parameters("X-Amz-Expires should be a number", protocol) from None
    if seconds < 0:
        raise _bad_parameters("X-Amz-Expires must be non-negative", protocol)
    if seconds > EXPIRES_SECONDS_MAX:
        message = (
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be "
            f"less than {EXPIRES_SECONDS_MAX} seconds"
        )
        raise _bad_parameters(message, protocol)
    return seconds


def _bad_parameters(message: str, protocol: Protocol) -> Unrouted:
    return Unrouted("AuthorizationQueryParametersError", message, protocol, status=400)


def _fields(header: str, protocol: Protocol) -> dict[str, str]:
    """The parts of `AWS4-HMAC-SHA256 Credential=.., SignedHeaders=.., Signature=..`."""
    algorithm, _, rest = header.partition(" ")
    if algorithm != ALGORITHM:
        raise refused(INCOMPLETE_SIGNATURE, protocol, f"Unsupported AWS 'algorithm': {_hashed(header)}")
    fields: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals or name in fields:
            raise refused(INCOMPLETE_SIGNATURE, protocol, _not_a_pair(header))
        fields[name] = value
    return fields


def _not_a_pair(header: str) -> str:
    return f"Authorization header holds a part that is not a valid key=value pair. {_hashed(header)}"


def _hashed(header: str) -> str:
    """AWS quotes the offending header by its hash, since it may contain secrets."""
    digest = base64.b64encode(hashlib.sha256(header.encode("utf-8")).digest()).decode("ascii")
    return f"(Hashed with SHA-256 and encoded with Base64) Authorization={digest}"


@lru_cache(maxsize=64)
def _epoch_seconds(timestamp: str) -> int | None:
    """Seconds since the epoch of `20260131T120000Z`; None for any other text."""
    digits = timestamp[:8] + timestamp[9:15]
    if len(timestamp) != 16 or timestamp[8] != "T" or timestamp[15] != "Z" or not digits.isdecimal():
        return None
    try:
        # strptime also knows that February has no 30th.
        return timegm(datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").timetuple())
    except ValueError:
        return None


def _scope(credential: str, timestamp: str, protocol: Protocol) -> tuple[str, str, str, str]:
    parts = credential.split("/")
    if len(parts) != 5:
        message = (
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            f"keyid/date/region/service/term, got '{credential}'"
        )
        raise refused(INCOMPLETE_SIGNATURE, protocol, message)
    access_key, date, region, service, terminator = parts
    if terminator != TERMINATOR:
        message = f"Credential should be scoped with a valid terminator: '{TERMINATOR}'."
        raise refused(INVALID_SIGNATURE, protocol, message)
    if date != timestamp[:8]:
        message = (
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{date}' != '{timestamp[:8]}', from '{timestamp}'."
        )
        raise refused(INVALID_SIGNATURE, protocol, message)
    return access_key, date, region, service


def _region(text: str, protocol: Protocol, malformed: _Malformed) -> Region:
    try:
        return _known_region(text)
    except InvalidPart:
        pass
    if protocol == "rest-xml":  # S3 names the expected region, and clients retry with it
        message = f"{malformed.beginning}; the region '{text}' is wrong; expecting '{S3_REGION}'"
        raise Unrouted(malformed.code, message, protocol, status=400, members={"Region": S3_REGION})
    raise refused(INVALID_SIGNATURE, protocol, "Credential should be scoped to a valid region.")


_known_region = lru_cache(maxsize=256)(Region)


def _signed_headers(request: HttpRequest, listed: str, protocol: Protocol) -> tuple[str, ...]:
    """The names of the signed headers; `host` and every x-amz- header of the request must be among them.

    An intermediary could replace an unsigned x-amz-target by another operation.
    """
    names = tuple(listed.split(";"))
    if "host" not in names:
        message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
        raise refused(INVALID_SIGNATURE, protocol, message)
    listed_names = frozenset(names)
    for name in request.headers:
        if name.startswith("x-amz-") and name not in listed_names:
            raise _not_signed(request, listed_names, name, protocol)
    return names


def _not_signed(request: HttpRequest, signed: frozenset[str], first: str, protocol: Protocol) -> Unrouted:
    if protocol != "rest-xml":
        message = f"'{first}' must be a 'SignedHeader' in the AWS Authorization."
        return refused(INVALID_SIGNATURE, protocol, message)
    names = ", ".join(name for name in request.headers if name.startswith("x-amz-") and name not in signed)
    message = "There were headers present in the request which were not signed"
    return refused(ACCESS_DENIED, protocol, message, members={"HeadersNotSigned": names})


def _check_clock(authorization: Authorization, now: float, skew_seconds: int, protocol: Protocol) -> None:
    age = now - authorization.epoch_seconds
    if authorization.expires_seconds is not None:
        _check_expiry(authorization, authorization.expires_seconds, now, skew_seconds, protocol)
        return
    if abs(age) <= skew_seconds:
        return
    minutes = f"{skew_seconds // 60} min."
    if age > 0:
        message = (
            f"Signature expired: {authorization.timestamp} is now earlier than "
            f"{_amz_date(now - skew_seconds)} ({_amz_date(now)} - {minutes})"
        )
    else:
        message = (
            f"Signature not yet current: {authorization.timestamp} is still later than "
            f"{_amz_date(now + skew_seconds)} ({_amz_date(now)} + {minutes})"
        )
    if protocol == "rest-xml":
        message = "The difference between the request time and the current time is too large."
        members = {
            "RequestTime": authorization.timestamp,
            "ServerTime": write_iso8601(int(now)),
            "MaxAllowedSkewMilliseconds": skew_seconds * 1000,
        }
        raise Unrouted("RequestTimeTooSkewed", message, protocol, status=403, members=members)
    raise refused(INVALID_SIGNATURE, protocol, message)


def _check_expiry(
    authorization: Authorization, expires_seconds: int, now: float, skew_seconds: int, protocol: Protocol
) -> None:
    """S3 denies a URL that has expired or is not valid yet."""
    age = now - authorization.epoch_seconds
    if -skew_seconds <= age <= expires_seconds:
        return
    message = "Request has expired" if age > 0 else "Request is not yet valid"
    members = {
        "X-Amz-Expires": expires_seconds,
        "Expires": write_iso8601(min(authorization.epoch_seconds + expires_seconds, EPOCH_SECONDS_MAX)),
        "ServerTime": write_iso8601(int(now)),
    }
    raise refused(ACCESS_DENIED, protocol, message, members=members)


def _check_signature(
    request: HttpRequest, authorization: Authorization, secret: str, digest: str, protocol: Protocol
) -> None:
    canonical = canonical_request(request, authorization.service, authorization.signed_headers, digest)
    key = signing_key(secret, authorization.date, authorization.region, authorization.service)
    # The received bytes of headers are signed. Only Python's http.client sends as latin-1 what was signed as
    # UTF-8.
    if _is_signed(key, authorization, canonical.encode("latin-1", "replace")):
        return
    if canonical.isascii() or not _is_signed(key, authorization, canonical.encode("utf-8")):
        raise _mismatch(authorization, canonical, protocol)


def _declared(request: HttpRequest, authorization: Authorization, protocol: Protocol) -> str | None:
    """The declared hash of the body, or the word that replaces it; None if there is none."""
    declared = request.headers.get("x-amz-content-sha256")
    if authorization.service == "s3" and authorization.expires_seconds is not None and declared is None:
        declared = presigned_headers.headers_in_query(request).get("x-amz-content-sha256")
        if declared is None:
            return UNSIGNED_PAYLOAD  # the body is not known when a URL is signed
    if authorization.service == "s3" and declared is None:
        message = "Missing required header for this request: x-amz-content-sha256"
        raise Unrouted("InvalidRequest", message, protocol, status=400)
    return declared


def _payload(request: HttpRequest, authorization: Authorization, protocol: Protocol) -> str:
    """The signed value for the body: its hash, or for S3 the word that replaces it."""
    declared = _declared(request, authorization, protocol)
    if authorization.service == "s3" and declared in UNHASHED_PAYLOADS:
        return declared
    digest = hashlib.sha256(request.body).hexdigest()
    # A declared hash is signed, so it must be the body's hash.
    if declared is None or declared == digest:
        return digest
    if authorization.service == "s3":
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        members = {"ClientComputedContentSHA256": declared, "S3ComputedContentSHA256": digest}
        raise Unrouted("XAmzContentSHA256Mismatch", message, protocol, status=400, members=members)
    raise refused(INVALID_SIGNATURE, protocol)


def _is_signed(key: bytes, authorization: Authorization, canonical: bytes) -> bool:
    text = _string_to_sign(authorization, canonical)
    expected = hmac.digest(key, text.encode("utf-8"), "sha256").hex()
    return hmac.compare_digest(expected.encode("ascii"), authorization.signature.encode("utf-8"))


def _string_to_sign(authorization: Authorization, canonical: bytes) -> str:
    digest = hashlib.sha256(canonical).hexdigest()
    return f"{ALGORITHM}\n{authorization.timestamp}\n{scope_of(authorization)}\n{digest}"


def _mismatch(authorization: Authorization, canonical: str, protocol: Protocol) -> Unrouted:
    """S3 returns its own string to sign; it reveals no key."""
    members = {
        "AWSAccessKeyId": authorization.access_key,
        "StringToSign": _string_to_sign(authorization, canonical.encode("latin-1", "replace")),
        "SignatureProvided": authorization.signature,
        "CanonicalRequest": canonical,
    }
    return refused(INVALID_SIGNATURE, protocol, members=members)


def _amz_date(epoch_seconds: float) -> str:
    return datetime.fromtimestamp(epoch_seconds, UTC).strftime("%Y%m%dT%H%M%SZ")
