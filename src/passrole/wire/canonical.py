"""The canonical request of signature version 4, which is independent of changes by senders and proxies.

It knows no key.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from collections.abc import Sequence
from urllib.parse import quote

from passrole.wire.forms import query_parameters
from passrole.wire.http_messages import HttpRequest


def canonical_request(request: HttpRequest, service: str, signed_headers: Sequence[str], digest: str) -> str:
    """The text that is hashed and signed; `digest` replaces the body. Headers are bytes as latin-1."""
    headers = request.headers
    lines = "\n".join(f"{name}:{_trimmed(headers.get(name, ''))}" for name in signed_headers)
    path = _canonical_path(request.raw_path, service)
    return (
        f"{request.method}\n{path}\n{_canonical_query(request.query)}\n"
        f"{lines}\n\n{';'.join(signed_headers)}\n{digest}"
    )


def _trimmed(text: str) -> str:
    """A header with single spaces; beyond ASCII, `split` alone would take some bytes for spaces."""
    return " ".join(text.split() if text.isascii() else filter(None, text.split(" ")))


def _canonical_path(raw_path: str, service: str) -> str:
    """The path without `.` and `..`, encoded once more; for S3, whose paths are keys, unchanged."""
    if service == "s3":
        return quote(raw_path, safe="/%~")
    if raw_path in ("", "/"):
        return "/"
    segments: list[str] = []
    for segment in raw_path.split("/"):
        if segment == "..":
            if segments:
                segments.pop()
        elif segment not in ("", "."):
            segments.append(segment)
    path = "/" + "/".join(segments) + ("/" if segments and raw_path.endswith("/") else "")
    return quote(path, safe="/~")


def _canonical_query(query: str) -> str:
    if not query:
        return ""
    pairs = [
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, values in query_parameters(query).items()
        if name != "X-Amz-Signature"
        for value in values
    ]
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))
