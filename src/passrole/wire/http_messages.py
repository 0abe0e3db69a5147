"""One HTTP request and one HTTP response, as plain values.

They know no server: the gateway makes the one from what arrived and sends the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What arrived. `raw_path` and `query` are still percent-encoded, the query without its `?`.

    Header names are lower case; a header that came several times is one value joined with commas.
    """

    method: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What to send. Header names are lower case and content-length is among them, except with a 204."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
