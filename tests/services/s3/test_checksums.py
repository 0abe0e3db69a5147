"""Digests as S3 spells them, compared with figures that were computed elsewhere."""

import pytest

from passrole.faults import Fault
from passrole.services.s3 import checksums

# "123456789": the check value of every catalogue of CRCs, and what `shasum` prints.
CHECKS = {
    "ChecksumCRC32": "cbf43926",
    "ChecksumSHA1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    "ChecksumSHA256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_digest_is_the_same_in_one_piece_or_many(name: str) -> None:
    hasher = checksums.hasher(name)
    assert hasher is not None
    for piece in (b"1234", b"", b"56789"):
        hasher.update(piece)
    assert hasher.digest().hex() == CHECKS[name]


def test_parts_make_an_etag_that_tells_their_number() -> None:
    one = "c4ca4238a0b923820dcc509a6f75849b"  # of "1"
    assert checksums.etag_of_parts([one]) == "46d1741e8075da4ac72c71d8130fcb71-1"


def test_what_cannot_be_computed_makes_no_checksum_of_parts() -> None:
    assert checksums.composite("ChecksumCRC32C", ["AAAAAA=="]) is None
    assert checksums.composite("ChecksumCRC32", ["AAAAAA==", None]) is None


@pytest.mark.parametrize("value", ["", "AAAA", "AAAAAAA=", "é", "AAAAAA==\n!"])
def test_what_is_no_digest_is_refused(value: str) -> None:
    with pytest.raises(Fault, match="InvalidDigest"):
        checksums.given(crc32=value)
