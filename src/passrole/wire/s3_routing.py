"""Which S3 operation a request asks for: bucket in host or path, then method, sub-resource and arguments.

    PUT /bucket/key?partNumber=1&uploadId=x     path style
    PUT /key?partNumber=1&uploadId=x            virtual host, Host: bucket.s3.eu-west-1.amazonaws.com

It knows no other service. Many operations share a method and a path; the one that asks for the most, and
is given all of it, is meant. Keys are decoded exactly once, and `.` and `..` in them mean nothing here.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple
from urllib.parse import quote, unquote

from passrole.faults import Fault
from passrole.wire.descriptions import operation_model, operations
from passrole.wire.forms import query_parameters
from passrole.wire.http_messages import HttpRequest
from passrole.wire.refusals import Unrouted
from passrole.wire.shapes import wire_name

UNREACHABLE = frozenset(
    {
        # Older twins, the same on the wire as the ...Configuration operations.
        *("GetBucketLifecycle", "GetBucketNotification", "PutBucketLifecycle", "PutBucketNotification"),
        # These have endpoints of their own: directory buckets' and Object Lambda's.
        *("ListDirectoryBuckets", "WriteGetObjectResponse"),
    }
)


def operation_of(request: HttpRequest) -> tuple[str, Mapping[str, str]]:
    """The operation's name and the arguments `Bucket` and `Key`. Raises Unrouted."""
    arguments = _arguments(request)
    query = _query(request)
    for end in _table().get((request.method, len(arguments)), ()):
        if all(query.get(name) == value for name, value in end.fixed) and end.is_given(request, query):
            return end.operation, arguments
    message = "The specified method is not allowed against this resource."
    raise Unrouted("MethodNotAllowed", message, "rest-xml", status=405)


def object_uri(bucket: str, region: str, key: str) -> str:
    """An object's URI at AWS, where passrole's proxy answers.

    AWS's certificate is for one name before the dot, so a bucket with dots stands in the path.
    """
    service, encoded = f"s3.{region}.amazonaws.com", quote(key, safe="")
    return (
        f"https://{service}/{bucket}/{encoded}" if "." in bucket else f"https://{bucket}.{service}/{encoded}"
    )


def bucket_of_host(host: str) -> str | None:
    """The bucket that a Host header names; None where the bucket is in the path."""
    name = host.lower() if host.startswith("[") else host.lower().rsplit(":", 1)[0]
    labels = name.split(".")
    if labels[-1] == "localhost":
        inner = labels[:-2] if labels[-2:-1] == ["s3"] else labels[:-1]
        return ".".join(inner) or None
    if labels[-2:] != ["amazonaws", "com"]:
        return None
    # bucket.s3, bucket.s3.region, bucket.s3.dualstack.region, bucket.s3-region; the bucket may hold dots.
    for place in range(len(labels) - 3, max(len(labels) - 6, -1), -1):
        if labels[place] == "s3" or labels[place].startswith("s3-"):
            return ".".join(labels[:place]) or None
    return None


class _End(NamedTuple):
    """An operation, the query that it is known by, and the arguments that it cannot do without."""

    operation: str
    fixed: tuple[tuple[str, list[str]], ...]
    in_query: tuple[str, ...]
    in_headers: tuple[str, ...]

    def is_given(self, request: HttpRequest, query: Mapping[str, list[str]]) -> bool:
        return all(name in query for name in self.in_query) and all(
            name in request.headers for name in self.in_headers
        )


@cache
def _table() -> Mapping[tuple[str, int], list[_End]]:
    """The operations by method and number of path arguments, those that ask for most first."""
    table: dict[tuple[str, int], list[_End]] = {}
    for name in sorted(operations("s3") - UNREACHABLE):
        described = operation_model("s3", "rest-xml", name)
        path, _, query = described.http["requestUri"].partition("?")
        shape = described.input_shape
        required = {key: shape.members[key] for key in shape.required_members} if shape is not None else {}
        places = {
            location: tuple(
                wire_name(shape, key).lower() if location == "header" else wire_name(shape, key)
                for key, shape in required.items()
                if shape.serialization.get("location") == location
            )
            for location in ("querystring", "header")
        }
        fixed = tuple(query_parameters(query).items())
        end = _End(name, fixed, places["querystring"], places["header"])
        table.setdefault((described.http["method"], path.count("{")), []).append(end)
    for ends in table.values():
        ends.sort(key=lambda end: (len(end.fixed), len(end.in_query) + len(end.in_headers)), reverse=True)
    return table


def _arguments(request: HttpRequest) -> Mapping[str, str]:
    bucket = bucket_of_host(request.headers.get("host", ""))
    path = request.raw_path.removeprefix("/")
    if bucket is None:
        encoded, _, path = path.partition("/")
        bucket = _decoded(encoded)
        if not bucket and path:
            raise _bad_uri()
    if not bucket:
        return {}
    return {"Bucket": bucket, "Key": _decoded(path)} if path else {"Bucket": bucket}


def _query(request: HttpRequest) -> Mapping[str, list[str]]:
    try:
        return query_parameters(request.query)
    except Fault:
        raise _bad_uri() from None


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise _bad_uri() from None


def _bad_uri() -> Unrouted:
    return Unrouted("InvalidURI", "Couldn't parse the specified URI.", "rest-xml", status=400)
