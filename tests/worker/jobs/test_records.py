"""The payloads that an object makes: no record is cut, lost or turned over."""

import io
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.worker.jobs.records import BadData, TooLarge, payloads

MAGIC = 0xCED7230A


def _record_io(content: bytes) -> bytes:
    return struct.pack("<II", MAGIC, len(content)) + content + bytes(-len(content) % 4)


def _tf_record(content: bytes) -> bytes:
    return struct.pack("<QI", len(content), 1) + content + struct.pack("<I", 2)


def _line(content: bytes) -> bytes:
    return content.replace(b"\n", b"").replace(b"\r", b"") + b"\n"


WRAPPED = {"RecordIO": _record_io, "TFRecord": _tf_record, "Line": _line}


def _bodies(content: bytes, split: str, bytes_max: int, *, is_single: bool = False) -> list[bytes]:
    found = payloads(io.BytesIO(content), split, bytes_max, is_single=is_single, filtered=None)
    return [each.body for each in found]


@pytest.mark.parametrize("split", WRAPPED)
@given(contents=st.lists(st.binary(max_size=20), max_size=20))
def test_payloads_are_the_object_in_whole_records(split: str, contents: list[bytes]) -> None:
    wrapped = [WRAPPED[split](each) for each in contents]
    found = _bodies(b"".join(wrapped), split, 64)
    assert b"".join(found) == b"".join(wrapped)
    assert all(len(body) <= 64 for body in found)
    assert len(found) <= len(wrapped)


@pytest.mark.parametrize(("split", "wrap"), [("RecordIO", _record_io), ("TFRecord", _tf_record)])
def test_a_single_record_has_lost_what_wraps_it(split: str, wrap: Callable[[bytes], bytes]) -> None:
    whole = wrap(b"abcde") + wrap(b"")
    assert _bodies(whole, split, 64, is_single=True) == [b"abcde", b""]


def test_an_object_that_is_not_split_is_one_payload() -> None:
    assert _bodies(b"a\nb", "None", 3) == [b"a\nb"]
    with pytest.raises(TooLarge):
        _bodies(b"a\nb", "None", 2)


def test_a_line_without_its_end_is_the_last() -> None:
    assert _bodies(b"a\r\nb", "Line", 64, is_single=True) == [b"a", b"b"]


@pytest.mark.parametrize("split", WRAPPED)
def test_a_record_larger_than_a_payload_is_refused(split: str) -> None:
    with pytest.raises(TooLarge):
        _bodies(WRAPPED[split](b"x" * 100), split, 50)


@pytest.mark.parametrize(
    ("split", "content"),
    [
        ("RecordIO", b"no record"),
        ("RecordIO", _record_io(b"abc")[:-2]),
        ("RecordIO", struct.pack("<II", MAGIC, 1 << 29)),
        ("TFRecord", _tf_record(b"abc")[:-1]),
        ("TFRecord", b"short"),
    ],
)
def test_what_has_no_records_is_refused(split: str, content: bytes) -> None:
    with pytest.raises(BadData):
        _bodies(content, split, 1 << 30)
