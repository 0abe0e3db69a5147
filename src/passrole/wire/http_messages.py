"""An HTTP request and an HTTP response as plain values, independent of any server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A received request. `raw_path` and `query` are still percent-encoded, the query without `?`.

    Header names are lower case; the values of a repeated header are joined with commas.
    """

    method: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response to send. Header names are lower case; content-length is included except with status 204."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
