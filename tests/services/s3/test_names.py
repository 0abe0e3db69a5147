"""Every key either is a path below its bucket's folder, and this key's alone, or is refused."""

from pathlib import PurePosixPath

from hypothesis import given, settings
from hypothesis import strategies as st

from passrole.faults import Fault
from passrole.services.s3 import names

KEYS = st.one_of(st.text("./a\0\\é~", max_size=12), st.text(max_size=20))


@settings(max_examples=300)
@given(KEYS)
def test_a_key_that_is_not_refused_leads_below_its_folder(key: str) -> None:
    try:
        path = names.segments(key)
    except Fault as fault:
        assert fault.code in ("InvalidRequest", "KeyTooLongError")
        return
    assert "/".join(path) + ("/" if names.is_marker(key) else "") == key
    below = PurePosixPath("/bucket", *path)
    assert below.parts == ("/", "bucket", *path)
    assert not {"", ".", ".."} & set(path)


def test_what_is_no_text_is_no_key() -> None:
    for key in ("\ud800", "a/\udcff"):
        try:
            names.segments(key)
        except Fault as fault:
            assert fault.code == "InvalidRequest"
            assert fault.message.isascii()
        else:
            raise AssertionError


def test_arns_name_neither_region_nor_account() -> None:
    assert names.bucket_arn("b") == "arn:aws:s3:::b"
    assert names.object_arn("b", "a/é") == "arn:aws:s3:::b/a/é"
