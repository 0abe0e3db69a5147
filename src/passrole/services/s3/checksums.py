"""Checksums of what is written: the ETag's MD5, and those that requests bring.

It knows no file. CRC32, SHA-1 and SHA-256 are computed and compared; CRC32C and CRC64NVME, which Python's
library cannot compute fast enough, are stored and answered without being checked.
"""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from typing import Protocol

from passrole.faults import Fault
from passrole.services.s3.refusals import bad_checksum, bad_md5, invalid_checksum, invalid_md5

ALGORITHMS = {
    "CRC32": "ChecksumCRC32",
    "CRC32C": "ChecksumCRC32C",
    "CRC64NVME": "ChecksumCRC64NVME",
    "SHA1": "ChecksumSHA1",
    "SHA256": "ChecksumSHA256",
}
LENGTHS = {
    "ChecksumCRC32": 4,
    "ChecksumCRC32C": 4,
    "ChecksumCRC64NVME": 8,
    "ChecksumSHA1": 20,
    "ChecksumSHA256": 32,
}


class Hasher(Protocol):
    """As in hashlib."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""

    def digest(self) -> bytes:
        """The digest of all so far."""


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4)


def hasher(name: str) -> Hasher | None:
    """A fresh one for a checksum's member name, or None where it cannot be computed."""
    if name == "ChecksumCRC32":
        return _Crc32()
    if name == "ChecksumSHA1":
        return hashlib.sha1(usedforsecurity=False)
    return hashlib.sha256() if name == "ChecksumSHA256" else None


def given(**values: str | None) -> dict[str, str]:
    """The checksums that a request brings, by member name. Raises InvalidDigest for what is no digest.

    `given(crc32=..., crc32c=..., crc64nvme=..., sha1=..., sha256=...)`
    """
    brought = {ALGORITHMS[name.upper()]: value for name, value in values.items() if value is not None}
    for name, value in brought.items():
        if "-" not in value and len(_decoded(value, _invalid(name))) != LENGTHS[name]:
            raise _invalid(name)
    return brought


def check(computed: Mapping[str, bytes], checksums: Mapping[str, str], content_md5: str | None) -> None:
    """Compare computed checksums, `MD5` among them, with those of the request. Raises BadDigest."""
    if content_md5 is not None:
        digest = _decoded(content_md5, invalid_md5(content_md5))
        if len(digest) != 16:
            raise invalid_md5(content_md5)
        if digest != computed["MD5"]:
            raise bad_md5(content_md5, encoded(computed["MD5"]))
    for name, value in checksums.items():
        if name in computed and encoded(computed[name]) != value:
            raise bad_checksum(name.removeprefix("Checksum"))


def composite(name: str, parts: Sequence[str | None]) -> str | None:
    """A multipart object's checksum: the digest of its parts' digests and their number."""
    digest = hasher(name)
    if digest is None or not all(parts):
        return None
    for part in parts:
        digest.update(_decoded(part or "", _invalid(name)))
    return f"{encoded(digest.digest())}-{len(parts)}"


def etag_of_parts(etags: Sequence[str]) -> str:
    """A multipart object's ETag, without quotes."""
    digest = hashlib.md5(b"".join(bytes.fromhex(etag) for etag in etags), usedforsecurity=False)
    return f"{digest.hexdigest()}-{len(etags)}"


def encoded(digest: bytes) -> str:
    """As S3 writes digests."""
    return base64.b64encode(digest).decode()


def _invalid(name: str) -> Fault:
    return invalid_checksum(f"x-amz-checksum-{name.removeprefix('Checksum').lower()}")


def _decoded(value: str, otherwise: Fault) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise otherwise from None
