"""Forms as strangers write them: nobody has vouched for a form before it is read."""

import time

import pytest

from passrole.faults import Fault
from passrole.wire import HttpRequest, post_forms

SECONDS_MAX = 2.0  # of this thread's own time; what is read in its square takes several times that
PART = b"--x\r\nContent-Disposition: form-data; %b\r\n\r\nv\r\n"
COSTLY = [
    ('multipart/form-data; boundary="' + ";" * 60_000, b""),
    ("multipart/form-data" + '; a="' * 12_000, b""),
    ("multipart/form-data; " + " " * 60_000, b""),
    ("multipart/form-data; boundary=x", (PART % (b'name="' + b";" * 4_000)) * 999),
    ("multipart/form-data; boundary=x", (PART % (b'name="' + b"\\" * 4_000)) * 999),
]
NO_BOUNDARIES = [
    "multipart/form-data",
    "multipart/form-data; boundary*0=a; boundary*=b",
    "multipart/form-data; boundary*" + "9" * 5_000 + "=a",
    "multipart/form-data; boundary*=nobody''x",
    'multipart/form-data; a="; boundary=x"',
]
NAMES = [
    # Content-Disposition                                      name      file name
    (b'name="file"; filename="a;b.txt"',                       "file",   "a;b.txt"),
    (b'filename="name=k"; name=file',                          "file",   "name=k"),
    (b'NAME = "file" ; FileName = a b.txt',                    "file",   "a b.txt"),
    (rb'name="file"; filename="C:\d\a.txt"',                   "file",   r"C:\d\a.txt"),
    (rb'name="file"; filename="say \"a\".txt"',                "file",   'say "a".txt'),
]  # fmt: skip


def read(kind: str, body: bytes) -> post_forms.Form:
    return post_forms.read(HttpRequest("POST", "/b", "", {"content-type": kind}, body))


@pytest.mark.parametrize(("kind", "body"), COSTLY, ids=range(len(COSTLY)))
def test_what_is_made_to_cost_much_is_refused_at_once(kind: str, body: bytes) -> None:
    began = time.thread_time()
    with pytest.raises(Fault, match="MalformedPOSTRequest"):
        read(kind, body)
    assert time.thread_time() - began < SECONDS_MAX


@pytest.mark.parametrize("kind", NO_BOUNDARIES, ids=range(len(NO_BOUNDARIES)))
def test_a_form_without_a_boundary_is_refused(kind: str) -> None:
    with pytest.raises(Fault, match="MalformedPOSTRequest"):
        read(kind, b"--x\r\n")


@pytest.mark.parametrize(("written", "name", "file_name"), NAMES, ids=range(len(NAMES)))
def test_names_are_read_in_quotes_or_not(written: bytes, name: str, file_name: str) -> None:
    form = read("multipart/form-data; boundary=x", (PART % written) + b"--x--")
    assert (name, form.file_name, form.file) == ("file", file_name, b"v")


@pytest.mark.parametrize("before", [0, 1, 2, 3, 4, 5])
def test_a_delimiter_is_found_wherever_it_stands(before: int) -> None:
    content = b"\r\n--" * (post_forms.PIECE_BYTES // 4) + b"a" * before
    body = (PART % b'name="file"').replace(b"v\r\n", content + b"\r\n") + b"--x--"
    assert read("multipart/form-data; boundary=x", body).file == content
