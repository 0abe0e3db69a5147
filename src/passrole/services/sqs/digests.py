"""MD5s of bodies and of message attributes, which the SDKs compare with their own.

It knows no rows and no calls. The layout is of the developer guide, "SQS message metadata": names
sorted; each name, data type and value behind its length in four bytes, and one byte for the transport.
"""

import hashlib
from collections.abc import Mapping
from typing import TypedDict

_STRING, _BINARY = b"\x01", b"\x02"


class AttributeValue(TypedDict, total=False):
    """One message attribute as AWS spells it; numbers are strings."""

    DataType: str
    StringValue: str
    BinaryValue: bytes


def body_digest(body: str) -> str:
    """The MD5 of the body's UTF-8, in hexadecimal."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def attributes_digest(attributes: Mapping[str, AttributeValue]) -> str:
    """The MD5 of all attributes, in hexadecimal."""
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        value = attributes[name]
        digest.update(_with_length(name.encode()))
        digest.update(_with_length(value["DataType"].encode()))
        if value["DataType"].startswith("Binary"):
            digest.update(_BINARY + _with_length(value["BinaryValue"]))
        else:
            digest.update(_STRING + _with_length(value["StringValue"].encode()))
    return digest.hexdigest()


def _with_length(text: bytes) -> bytes:
    return len(text).to_bytes(4, "big") + text
