"""Errors in Smithy's RPC v2 CBOR, the protocol of some services that passrole does not support.

https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

from passrole.wire.errors import WireError
from passrole.wire.http_messages import HttpResponse

_MAP, _TEXT = 0xA0, 0x60
_LENGTHS = ((24, 0, 0x00), (1 << 8, 1, 0x18), (1 << 16, 2, 0x19), (1 << 32, 4, 0x1A))
"""For lengths below a bound: the number of bytes of the length, and the value added to the type's byte."""


def render_error(error: WireError, request_id: str) -> HttpResponse:
    """The response to a failed call; clients take the code from `__type`."""
    pairs = (("__type", error.type_name), (error.message_key, error.message))
    body = bytes((_MAP | len(pairs),)) + b"".join(_text(text) for pair in pairs for text in pair)
    headers = [
        ("smithy-protocol", "rpc-v2-cbor"),
        ("x-amzn-requestid", request_id),
        ("content-type", "application/cbor"),
        ("content-length", str(len(body))),
    ]
    return HttpResponse(error.status, headers, body)


def _text(text: str) -> bytes:
    raw = text.encode(errors="replace")
    size, head = next((size, head) for bound, size, head in _LENGTHS if len(raw) < bound)
    if size == 0:
        return bytes((_TEXT | len(raw),)) + raw
    return bytes((_TEXT | head,)) + len(raw).to_bytes(size, "big") + raw
