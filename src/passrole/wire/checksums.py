"""The checksums that S3 knows, as x-amz-checksum-* carries them: base64 of the big-endian digest.

They know no request. CRC32C and CRC64NVME are plain Python, about 10 MB/s: the standard library has neither.
"""

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping
from functools import cache

from passrole.faults import Fault

HEADER_PREFIX = "x-amz-checksum-"


def checksum(algorithm: str, body: bytes) -> str:
    """The checksum of a body; `algorithm` is one of ALGORITHMS, else KeyError."""
    return base64.b64encode(ALGORITHMS[algorithm](body)).decode("ascii")


def mismatch(algorithm: str) -> Fault:
    """The fault for a body whose checksum is another than the one that came with it."""
    message = f"The {algorithm.upper()} you specified did not match the calculated checksum."
    return Fault("BadDigest", message, status=400)


def _crc32(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(4, "big")


def _sha1(body: bytes) -> bytes:
    return hashlib.sha1(body, usedforsecurity=False).digest()


def _sha256(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()


def _reflected_crc(polynomial: int, width_bytes: int) -> Callable[[bytes], bytes]:
    """A CRC over reflected bits that starts from ones and is inverted at its end, as both of these are."""
    ones = (1 << (8 * width_bytes)) - 1

    def crc(body: bytes) -> bytes:
        table = _crc_table(polynomial)
        value = ones
        for byte in body:
            value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
        return (value ^ ones).to_bytes(width_bytes, "big")

    return crc


@cache
def _crc_table(polynomial: int) -> tuple[int, ...]:
    entries = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        entries.append(value)
    return tuple(entries)


ALGORITHMS: Mapping[str, Callable[[bytes], bytes]] = {
    "crc32": _crc32,
    "crc32c": _reflected_crc(0x82F63B78, 4),
    "crc64nvme": _reflected_crc(0x9A6C9329AC4BC9B5, 8),
    "sha1": _sha1,
    "sha256": _sha256,
}
