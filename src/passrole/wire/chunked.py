r"""Bodies in S3's `aws-chunked` encoding, with or without signed chunks, with or without trailers.

    400;chunk-signature=ad80..\r\n          the chunk's size in hexadecimal, and its signature
    <1024 bytes>\r\n
    0;chunk-signature=b6c6..\r\n
    x-amz-checksum-crc32:wdBDMA==\r\n       trailers, which become headers after they are checked
    x-amz-trailer-signature:d81f..\r\n
    \r\n

It knows no operation. Each signature includes the one before it, the first includes the request's own.
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from passrole.wire import checksums
from passrole.wire.http_messages import HttpRequest
from passrole.wire.refusals import INVALID_SIGNATURE, Unrouted, refused
from passrole.wire.sigv4 import ALGORITHM, Authorization, scope_of, signing_key

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
CHUNK_BYTES_MIN = 8_192
"""The minimum size of all chunks but the last, once there are more than SMALL_CHUNKS_MAX."""
SMALL_CHUNKS_MAX = 1_000
SIZE_DIGITS_MAX = 16
TRAILERS_MAX = 16
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
TRAILER_SIGNATURE = "x-amz-trailer-signature"


def decoded_body(request: HttpRequest, authorization: Authorization, secret: str) -> HttpRequest:
    """The request with its body decoded; unchanged if it is not aws-chunked.

    Call it after `sigv4.verify`. Trailers become headers of the result. Raises Unrouted: IncompleteBody,
    MissingContentLength, MalformedTrailerError, BadDigest, InvalidChunkSizeError, SignatureDoesNotMatch.
    """
    if authorization.service != "s3":
        return request
    kind = request.headers.get("x-amz-content-sha256", "")
    if kind not in (SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER):
        return _without_encoding(request)
    chain = None if kind == UNSIGNED_TRAILER else _Chain(authorization, secret)
    body, rest = _chunks(request.body, chain)
    if len(body) != _decoded_length(request):
        raise _incomplete()
    trailers = _trailers(rest, request, chain) if kind != SIGNED else {}
    _check_sums(trailers, body)
    headers = {**_without_encoding(request).headers, **trailers, "content-length": str(len(body))}
    return replace(request, headers=headers, body=body)


class _Chain:
    """The chain of chunk signatures, each including the one before."""

    def __init__(self, authorization: Authorization, secret: str) -> None:
        self._key = signing_key(secret, authorization.date, authorization.region, authorization.service)
        self._middle = f"{authorization.timestamp}\n{scope_of(authorization)}"
        self._last = authorization.signature

    def check_chunk(self, chunk: bytes, signature: str) -> None:
        digest = hashlib.sha256(chunk).hexdigest()
        self._check(f"{ALGORITHM}-PAYLOAD", f"{EMPTY_SHA256}\n{digest}", signature)

    def check_trailers(self, canonical: str, signature: str) -> None:
        digest = hashlib.sha256(canonical.encode("utf-8")).hexdigest()
        self._check(f"{ALGORITHM}-TRAILER", digest, signature)

    def _check(self, algorithm: str, signed: str, signature: str) -> None:
        text = f"{algorithm}\n{self._middle}\n{self._last}\n{signed}"
        expected = hmac.digest(self._key, text.encode("utf-8"), "sha256").hex()
        if not hmac.compare_digest(expected.encode("ascii"), signature.encode("utf-8")):
            raise refused(INVALID_SIGNATURE, "rest-xml")
        self._last = expected


class _Line(NamedTuple):
    size: int
    signature: str


def _chunks(encoded: bytes, chain: _Chain | None) -> tuple[bytes, bytes]:
    """The decoded body, and what follows the last chunk's line."""
    parts: list[bytes] = []
    offset = 0
    while True:
        if len(parts) > SMALL_CHUNKS_MAX and len(parts[-2]) < CHUNK_BYTES_MIN:
            raise _too_small(len(parts), len(parts[-2]))
        end = encoded.find(b"\r\n", offset, offset + 256)
        if end < 0:
            raise _incomplete()
        size, signature = _chunk_line(encoded[offset:end])
        start, offset = end + 2, end + 2 + size
        chunk = encoded[start:offset]
        if len(chunk) != size:
            raise _incomplete()
        if chain is not None:
            chain.check_chunk(chunk, signature)
        if size == 0:
            return b"".join(parts), encoded[start:]
        if encoded[offset : offset + 2] != b"\r\n":
            raise _incomplete()
        parts.append(chunk)
        offset += 2


def _chunk_line(line: bytes) -> _Line:
    size, _, extension = line.decode("latin-1").partition(";")
    if not size or len(size) > SIZE_DIGITS_MAX or set(size) - set("0123456789abcdefABCDEF"):
        raise _incomplete()
    name, _, signature = extension.partition("=")
    return _Line(int(size, 16), signature if name == "chunk-signature" else "")


def _trailers(rest: bytes, request: HttpRequest, chain: _Chain | None) -> Mapping[str, str]:
    """The trailers; they must be exactly those that x-amz-trailer announces."""
    lines = [line for line in rest.decode("latin-1").replace("\r\n", "\n").split("\n") if line]
    pairs = [line.partition(":") for line in lines[: TRAILERS_MAX + 1]]
    found = {name.strip().lower(): text.strip() for name, _, text in pairs}
    signature = found.pop(TRAILER_SIGNATURE, "")
    announced = {name.strip().lower() for name in request.headers.get("x-amz-trailer", "").split(",")}
    if set(found) != announced - {""} or not all(name.startswith(checksums.HEADER_PREFIX) for name in found):
        message = (
            "The request contained trailing data that was not well-formed or did not conform to our "
            "published schema."
        )
        raise Unrouted("MalformedTrailerError", message, "rest-xml", status=400)
    if chain is not None:
        canonical = "".join(f"{name}:{text}\n" for name, text in sorted(found.items()))
        chain.check_trailers(canonical, signature)
    return found


def _check_sums(trailers: Mapping[str, str], body: bytes) -> None:
    for name, expected in trailers.items():
        algorithm = name.removeprefix(checksums.HEADER_PREFIX)
        if algorithm in checksums.ALGORITHMS and checksums.checksum(algorithm, body) != expected:
            fault = checksums.mismatch(algorithm)
            raise Unrouted(fault.code, fault.message, "rest-xml", status=fault.status)


def _without_encoding(request: HttpRequest) -> HttpRequest:
    """The request without `aws-chunked` in Content-Encoding, which is no encoding of the object."""
    encodings = request.headers.get("content-encoding", "")
    if "aws-chunked" not in encodings:
        return request
    parts = (part for part in encodings.split(",") if part.strip() not in ("", "aws-chunked"))
    headers = {name: text for name, text in request.headers.items() if name != "content-encoding"}
    if remaining := ",".join(parts).strip():
        headers["content-encoding"] = remaining
    return replace(request, headers=headers)


def _decoded_length(request: HttpRequest) -> int:
    text = request.headers.get("x-amz-decoded-content-length", "")
    if not text.isascii() or not text.isdecimal() or len(text) > SIZE_DIGITS_MAX:
        message = "You must provide the Content-Length HTTP header."
        raise Unrouted("MissingContentLength", message, "rest-xml", status=411)
    return int(text)


def _too_small(number: int, size: int) -> Unrouted:
    message = f"Only the last chunk is allowed to have a size less than {CHUNK_BYTES_MIN} bytes"
    members = {"Chunk": str(number), "BadChunkSize": str(size)}
    return Unrouted("InvalidChunkSizeError", message, "rest-xml", status=403, members=members)


def _incomplete() -> Unrouted:
    message = "The request body terminated unexpectedly"
    return Unrouted("IncompleteBody", message, "rest-xml", status=400)
