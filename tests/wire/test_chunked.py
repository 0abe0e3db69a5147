"""Bodies in chunks arrive whole; what is short, changed or unannounced does not arrive at all."""

import contextlib
import dataclasses
import hashlib
import hmac
from base64 import b64decode
from io import BytesIO

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum
from hypothesis import given, settings
from hypothesis import strategies as st

from passrole.arns import Region
from passrole.faults import Fault
from passrole.wire import HttpRequest, checksums
from passrole.wire.chunked import decoded_body
from passrole.wire.sigv4 import Authorization

# Amazon's own examples, from the S3 API reference: 65 KiB and 1 KiB of `a`.
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
FIRST, SECOND, LAST = (
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
)
SIGNED = (
    b"10000;chunk-signature=" + FIRST.encode() + b"\r\n" + b"a" * 65536 + b"\r\n"
    b"400;chunk-signature=" + SECOND.encode() + b"\r\n" + b"a" * 1024 + b"\r\n"
    b"0;chunk-signature=" + LAST.encode() + b"\r\n\r\n"
)


def authorization(service: str = "s3") -> Authorization:
    return Authorization(
        access_key="AKIAIOSFODNN7EXAMPLE",
        session_token=None,
        date="20130524",
        region=Region("us-east-1"),
        service=service,
        signed_headers=("host",),
        signature="4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        timestamp="20130524T000000Z",
        epoch_seconds=1_369_353_600,
    )


def sent(body: bytes, kind: str, length: int | str, **headers: str) -> HttpRequest:
    spelled = {name.replace("_", "-"): text for name, text in headers.items()}
    return HttpRequest(
        "PUT",
        "/b/k",
        "",
        {
            "x-amz-content-sha256": kind,
            "x-amz-decoded-content-length": str(length),
            "content-encoding": "aws-chunked",
            **spelled,
        },
        body,
    )


def decoded(request: HttpRequest, secret: str = SECRET) -> HttpRequest:
    return decoded_body(request, authorization(), secret)


def test_amazons_own_example_is_accepted() -> None:
    request = decoded(sent(SIGNED, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", 66560))
    assert request.body == b"a" * 66560
    assert request.headers["content-length"] == "66560"
    assert "content-encoding" not in request.headers


@pytest.mark.parametrize(
    ("body", "length", "code"),
    [
        (SIGNED.replace(b"aaa\r\n400", b"aab\r\n400"), 66560, "SignatureDoesNotMatch"),
        (SIGNED.replace(FIRST.encode(), SECOND.encode()), 66560, "SignatureDoesNotMatch"),
        (SIGNED.replace(LAST.encode(), b"0" * 64), 66560, "SignatureDoesNotMatch"),
        (SIGNED[:-100], 66560, "IncompleteBody"),
        (SIGNED[:1000], 66560, "IncompleteBody"),
        (b"", 0, "IncompleteBody"),
        (SIGNED.replace(b"400;", b"x00;"), 66560, "IncompleteBody"),
        (SIGNED.replace(b"400;", b"-1;"), 66560, "IncompleteBody"),
        (SIGNED, 66561, "IncompleteBody"),
        (SIGNED, "", "MissingContentLength"),
        (SIGNED, "²", "MissingContentLength"),
    ],
)
def test_one_change_and_it_is_refused(body: bytes, length: int | str, code: str) -> None:
    with pytest.raises(Fault) as caught:
        decoded(sent(body, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", length))
    assert caught.value.code == code


def test_what_botocore_sends_over_tls_arrives_with_its_checksum() -> None:
    wrapper = AwsChunkedWrapper(
        BytesIO(b"hello" * 1000), Crc32Checksum, "x-amz-checksum-crc32", chunk_size=999
    )
    request = decoded(
        sent(
            wrapper.read(),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            5000,
            x_amz_trailer="x-amz-checksum-crc32",
            content_encoding="gzip,aws-chunked",
        )
    )
    assert request.body == b"hello" * 1000
    assert request.headers["x-amz-checksum-crc32"] == checksums.checksum("crc32", b"hello" * 1000)
    assert request.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("announced", "trailer", "code"),
    [
        ("x-amz-checksum-crc32", b"x-amz-checksum-crc32:AAAAAA==\r\n", "BadDigest"),
        ("x-amz-checksum-crc32", b"", "MalformedTrailerError"),
        ("", b"x-amz-checksum-crc32:AAAAAA==\r\n", "MalformedTrailerError"),
        ("x-amz-acl", b"x-amz-acl:public-read\r\n", "MalformedTrailerError"),
    ],
)
def test_a_trailer_that_is_wrong_or_unannounced_is_refused(announced: str, trailer: bytes, code: str) -> None:
    body = b"2\r\nhi\r\n0\r\n" + trailer + b"\r\n"
    with pytest.raises(Fault) as caught:
        decoded(sent(body, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", 2, x_amz_trailer=announced))
    assert caught.value.code == code


def test_signed_trailers_are_held_to_their_signature() -> None:
    trailer = f"x-amz-checksum-sha256:{checksums.checksum('sha256', b'hi')}"
    good = _signed_with_trailer(b"hi", trailer)
    kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    request = decoded(sent(good, kind, 2, x_amz_trailer="x-amz-checksum-sha256"))
    assert request.body == b"hi"
    with pytest.raises(Fault, match="SignatureDoesNotMatch"):
        decoded(sent(good, kind, 2, x_amz_trailer="x-amz-checksum-sha256"), secret="another")
    unsigned = good[: good.index(b"x-amz-trailer-signature")] + b"\r\n"
    with pytest.raises(Fault, match="SignatureDoesNotMatch"):
        decoded(sent(unsigned, kind, 2, x_amz_trailer="x-amz-checksum-sha256"))


def _signed_with_trailer(chunk: bytes, trailer: str) -> bytes:
    """A body of one chunk and one trailer, signed by the letter of the S3 API reference."""
    key = f"AWS4{SECRET}".encode()
    for part in ("20130524", "us-east-1", "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    scope = "20130524T000000Z\n20130524/us-east-1/s3/aws4_request"
    empty, last, body = hashlib.sha256(b"").hexdigest(), authorization().signature, b""
    for data in (chunk, b""):
        digest = hashlib.sha256(data).hexdigest()
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{scope}\n{last}\n{empty}\n{digest}"
        last = hmac.digest(key, text.encode(), "sha256").hex()
        body += f"{len(data):x};chunk-signature={last}\r\n".encode() + data + (b"\r\n" if data else b"")
    digest = hashlib.sha256(f"{trailer}\n".encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256-TRAILER\n{scope}\n{last}\n{digest}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return body + f"{trailer}\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode()


def test_other_bodies_and_other_services_are_left_as_they_are() -> None:
    plain = sent(b"x", "UNSIGNED-PAYLOAD", 1)
    assert decoded(plain).body == plain.body
    unencoded = dataclasses.replace(plain, headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    assert decoded(unencoded) is unencoded
    other = sent(b"x", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", 1)
    assert decoded_body(other, authorization("lambda"), SECRET) is other


@pytest.mark.parametrize("kind", ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"])
@pytest.mark.parametrize(
    ("sent_as", "kept"),
    [
        ("aws-chunked", None),
        ("gzip, aws-chunked", "gzip"),
        ("aws-chunked,gzip", "gzip"),
        ("deflate, gzip, aws-chunked", "deflate, gzip"),
        ("deflate, gzip", "deflate, gzip"),
    ],
)
def test_the_ways_encoding_does_not_stay_with_the_object(kind: str, sent_as: str, kept: str | None) -> None:
    body = b"x" if kind == "UNSIGNED-PAYLOAD" else b"1\r\nx\r\n0\r\n\r\n"
    request = sent(body, kind, 1)
    request = dataclasses.replace(request, headers={**request.headers, "content-encoding": sent_as})
    assert decoded(request).headers.get("content-encoding") == kept


@settings(max_examples=60, deadline=None)
@given(
    body=st.binary() | st.lists(st.sampled_from([b"1", b"0", b";", b"\r\n", b"a:b", b"\xff"])).map(b"".join),
    kind=st.sampled_from(
        ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"]
    ),
    length=st.integers(0, 5),
    trailer=st.text(st.characters(max_codepoint=255), max_size=5),
)
def test_random_bodies_are_decoded_or_refused(body: bytes, kind: str, length: int, trailer: str) -> None:
    with contextlib.suppress(Fault):
        decoded(sent(body, kind, length, x_amz_trailer=trailer))


@pytest.mark.parametrize(
    ("algorithm", "check"),
    [
        ("crc32", "cbf43926"),
        ("crc32c", "e3069283"),
        ("crc64nvme", "ae8b14860a799888"),
        ("sha1", hashlib.sha1(b"123456789").hexdigest()),
        ("sha256", hashlib.sha256(b"123456789").hexdigest()),
    ],
)
def test_the_nine_digits_have_the_check_value_of_the_crc_catalogue(algorithm: str, check: str) -> None:
    assert b64decode(checksums.checksum(algorithm, b"123456789")).hex() == check
