"""Finds the S3 operation of a request: bucket in host or path, then method, sub-resource and arguments.

    PUT /bucket/key?partNumber=1&uploadId=x     path style
    PUT /key?partNumber=1&uploadId=x            virtual host, Host: bucket.s3.eu-west-1.amazonaws.com

Many operations share a method and a path; the one with the most required arguments that are all given is
chosen. Keys are decoded exactly once, and `.` and `..` in them have no special meaning.
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
        # Older operations, the same on the wire as the ...Configuration operations.
        *("GetBucketLifecycle", "GetBucketNotification", "PutBucketLifecycle", "PutBucketNotification"),
        # Operations with separate endpoints: directory buckets and Object Lambda.
        *("ListDirectoryBuckets", "WriteGetObjectResponse"),
    }
)


def operation_of(request: HttpRequest) -> tuple[str, Mapping[str, str]]:
    """The operation's name and the arguments `Bucket` and `Key`. Raises Unrouted: MethodNotAllowed,
    InvalidURI.
    """
    arguments = _arguments(request)
    query = _query(request)
    for end in _table().get((request.method, len(arguments)), ()):
        if all(query.get(name) == value for name, value in end.fixed) and end.is_given(request, query):
            return end.operation, arguments
    message = "The specified method is not allowed against this resource."
    raise Unrouted("MethodNotAllowed", message, "rest-xml", status=405)


def object_uri(bucket: str, region: str, key: str) -> str:
    """An object's URI at AWS, for which passrole's proxy answers.

    AWS's wildcard certificate covers one label, so a bucket with dots is put in the path.
    """
    service, encoded = f"s3.{region}.amazonaws.com", quote(key, safe="")
    return (
        f"https://{service}/{bucket}/{encoded}" if "." in bucket else f"https://{bucket}.{service}/{encoded}"
    )


def bucket_of_host(host: str) -> str | None:
    """The bucket in a Host header; None if the bucket is in the path."""
    name = host.lower() if host.startswith("[") else host.lower().rsplit(":", 1)[0]
    labels = name.split(".")
    if labels[-1] == "localhost":
        inner = labels[:-2] if labels[-2:-1] == ["s3"] else labels[:-1]
        return ".".join(inner) or None
    if labels[-2:] != ["amazonaws", "com"]:
        return None
    # bucket.s3, bucket.s3.region, bucket.s3.dualstack.region, bucket.s3-region; the bucket may hold dots.
    for index in range(len(labels) - 3, max(len(labels) - 6, -1), -1):
        if labels[index] == "s3" or labels[index].startswith("s3-"):
            return ".".join(labels[:index]) or None
    return None


class _End(NamedTuple):
    """An operation, its fixed query, and its required arguments in query and headers."""

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
    """The operations by method and number of path arguments, those with the most requirements first."""
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
