"""The faults of authentication and authorisation, common to all services, and their codes in each protocol.

JSON services return Coral's exception names with status 400, query services and SQS the older codes with 403,
Lambda the exception names with 403. This is from errors that users of the SDKs report, such as
`UnrecognizedClientException ... status code: 400` (json), `403` (lambda), `InvalidClientTokenId ... 403`
(query).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from passrole.faults import Fault
from passrole.wire.descriptions import Protocol, is_query_compatible


class Refusal(NamedTuple):
    """One kind of refusal: its code in the JSON protocols and in query, and AWS's message."""

    exception: str
    code: str
    message: str


ACCESS_DENIED = Refusal("AccessDeniedException", "AccessDenied", "Access denied.")
EXPIRED_TOKEN = Refusal(
    "ExpiredTokenException", "ExpiredToken", "The security token included in the request is expired"
)
INCOMPLETE_SIGNATURE = Refusal("IncompleteSignatureException", "IncompleteSignature", "")
INVALID_SIGNATURE = Refusal(
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
    "Access Key and signing method. Consult the service documentation for details.",
)
MISSING_TOKEN = Refusal(
    "MissingAuthenticationTokenException", "MissingAuthenticationToken", "Missing Authentication Token"
)
UNKNOWN_KEY = Refusal(
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "The security token included in the request is invalid.",
)

REFUSALS = (
    ACCESS_DENIED,
    EXPIRED_TOKEN,
    INCOMPLETE_SIGNATURE,
    INVALID_SIGNATURE,
    MISSING_TOKEN,
    UNKNOWN_KEY,
)
_BY_SPELLING = {spelling: refusal for refusal in REFUSALS for spelling in refusal[:2]}


_IN_S3: Mapping[Refusal, tuple[str, int, str]] = {
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html: code, status, message.
    ACCESS_DENIED: ("AccessDenied", 403, "Access Denied"),
    EXPIRED_TOKEN: ("ExpiredToken", 400, "The provided token has expired."),
    INCOMPLETE_SIGNATURE: (
        "AuthorizationHeaderMalformed",
        400,
        "The authorization header that you provided is not valid.",
    ),
    INVALID_SIGNATURE: (
        "SignatureDoesNotMatch",
        403,
        "The request signature we calculated does not match the signature you provided. "
        "Check your key and signing method.",
    ),
    MISSING_TOKEN: ("AccessDenied", 403, "Access Denied"),
    UNKNOWN_KEY: (
        "InvalidAccessKeyId",
        403,
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
}


class Unrouted(Fault):
    """A fault that occurs before the operation is known; `protocol` is the one to render it in."""

    def __init__(
        self,
        code: str,
        message: str,
        protocol: Protocol,
        *,
        status: int | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code, message, status=status, members=members)
        self.protocol = protocol


def refused(
    refusal: Refusal,
    protocol: Protocol,
    message: str | None = None,
    *,
    members: Mapping[str, Any] | None = None,
) -> Unrouted:
    """The fault for a refusal, with an optional `message` instead of the usual one; `members` for S3 only."""
    if protocol == "rest-xml":
        code, status, usual = _IN_S3[refusal]
        text = usual if message is None else message
        return Unrouted(code, text, protocol, status=status, members=members)
    return Unrouted(code_of(refusal, protocol), refusal.message if message is None else message, protocol)


def by_spelling(code: str) -> Refusal | None:
    """The refusal with this code in any protocol, or None."""
    return _BY_SPELLING.get(code)


def code_of(refusal: Refusal, protocol: Protocol) -> str:
    """The refusal's code in the protocol."""
    if protocol == "rest-xml":
        return _IN_S3[refusal][0]
    return refusal.code if protocol == "query" else refusal.exception


def status_of(refusal: Refusal, service: str, protocol: Protocol) -> int:
    """The HTTP status of a refusal by the service (empty if it is not known yet)."""
    if protocol == "rest-xml":
        return _IN_S3[refusal][1]
    if refusal is INCOMPLETE_SIGNATURE and protocol == "query":
        return 400
    return 400 if protocol == "json" and not is_query_compatible(service) else 403
