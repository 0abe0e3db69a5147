"""S3's signatures: botocore signs in headers and in URLs, we verify; then one thing is changed at a time."""

import dataclasses
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from passrole.faults import Fault
from passrole.wire import HttpRequest, parse, presigned_headers, route, sigv4

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEYS = ("k", "a/../b//./c", "ü +&?%41", "a~b(c)!'*", "/k", "..")


def signed(client: Any, key: str = "k", token: str | None = None, *, expires: int | None) -> HttpRequest:
    request = client.request("s3", "PutObject", {"Bucket": "b", "Key": key, "Body": b"data"}, "rest-xml")
    credentials = Credentials(KEY, SECRET, token)
    if expires is None:
        S3SigV4Auth(credentials, "s3", "eu-west-1").add_auth(request)
        return client.arrived(request)  # type: ignore[no-any-return]
    request.data = b""  # a URL is signed without the body
    S3SigV4QueryAuth(credentials, "s3", "eu-west-1", expires).add_auth(request)
    arrived: HttpRequest = client.arrived(request)
    return dataclasses.replace(arrived, body=b"data")


def verify(request: HttpRequest, secret: str = SECRET, after: float = 0) -> sigv4.Authorization:
    authorization = sigv4.parse_authorization(request)
    sigv4.verify(request, authorization, secret, authorization.epoch_seconds + after)
    return authorization


@pytest.mark.parametrize("expires", [None, 60])
@pytest.mark.parametrize("token", [None, "FwoGZXIvYXdzE/+="])
@pytest.mark.parametrize("key", KEYS)
def test_what_botocore_signs_is_accepted_and_names_the_same_key(
    client: Any, key: str, token: str | None, expires: int | None
) -> None:
    request = signed(client, key, token, expires=expires)
    authorization = verify(request)
    assert (authorization.access_key, authorization.session_token) == (KEY, token)
    assert authorization.expires_seconds == expires
    found = route(request, authorization.service)
    parameters = parse(found, request)
    assert (found.operation, parameters["Key"], parameters["Body"]) == ("PutObject", key, b"data")


CHANGES: list[Any] = [
    (60, "SignatureDoesNotMatch", lambda r: dataclasses.replace(r, method="DELETE")),
    (60, "SignatureDoesNotMatch", lambda r: dataclasses.replace(r, raw_path="/b/other")),
    (60, "SignatureDoesNotMatch", lambda r: query(r, "X-Amz-Expires=60", "X-Amz-Expires=6000")),
    (60, "SignatureDoesNotMatch", lambda r: dataclasses.replace(r, query=r.query + "&versionId=x")),
    (60, "SignatureDoesNotMatch", lambda r: query(r, "X-Amz-Signature=", "X-Amz-Signature=0")),
    (60, "AuthorizationQueryParametersError", lambda r: query(r, "X-Amz-Expires=60", "X-Amz-Expires=x")),
    (60, "AuthorizationQueryParametersError", lambda r: query(r, "X-Amz-Expires=60", "X-Amz-Expires=-1")),
    (60, "AuthorizationQueryParametersError", lambda r: query(r, "X-Amz-Expires=60", "")),
    (60, "AuthorizationQueryParametersError", lambda r: query(r, "X-Amz-Date=2", "X-Amz-Date=x")),
    (604_801, "AuthorizationQueryParametersError", lambda r: r),
    (None, "XAmzContentSHA256Mismatch", lambda r: dataclasses.replace(r, body=b"other")),
    (None, "SignatureDoesNotMatch", lambda r: header(r, "x-amz-content-sha256", "UNSIGNED-PAYLOAD")),
    (None, "SignatureDoesNotMatch", lambda r: dataclasses.replace(r, raw_path="/b/./k")),
]


def query(request: HttpRequest, old: str, new: str) -> HttpRequest:
    assert old in request.query
    return dataclasses.replace(request, query=request.query.replace(old, new))


def header(request: HttpRequest, name: str, value: str) -> HttpRequest:
    return dataclasses.replace(request, headers={**request.headers, name: value})


@pytest.mark.parametrize(("expires", "code", "change"), CHANGES)
def test_one_change_and_it_is_refused(
    client: Any, expires: int | None, code: str, change: Callable[[HttpRequest], HttpRequest]
) -> None:
    with pytest.raises(Fault) as caught:
        verify(change(signed(client, expires=expires)))
    assert caught.value.code == code


def test_a_url_is_good_until_it_expires(client: Any) -> None:
    request = signed(client, expires=3600)
    verify(request, after=3600)
    with pytest.raises(Fault, match="AccessDenied: Request has expired"):
        verify(request, after=3601)
    with pytest.raises(Fault, match="Request is not yet valid"):
        verify(request, after=-301)


@pytest.mark.parametrize("date", ["9999", "0001"])
def test_a_url_of_a_far_year_is_refused_whatever_its_end(client: Any, date: str) -> None:
    request = signed(client, expires=604_800)
    year = str(datetime.now(UTC).year)
    far = dataclasses.replace(
        request, query=request.query.replace(f"={year}", f"={date}").replace(f"%2F{year}", f"%2F{date}")
    )
    last = dataclasses.replace(far, query=re.sub(date + r"\d{4}", f"{date}1231", far.query))
    authorization = sigv4.parse_authorization(last)
    with pytest.raises(Fault, match=r"Request is not yet valid|Request has expired"):
        sigv4.verify(last, authorization, SECRET, datetime.now(UTC).timestamp())


@pytest.mark.parametrize("expires", [None, 60])
def test_many_unsigned_headers_are_told_without_much_ado(client: Any, expires: int | None) -> None:
    request = signed(client, expires=expires)
    headers = {**request.headers, **{f"x-amz-{number:x}": "" for number in range(2_700)}}
    many, names = dataclasses.replace(request, headers=headers), "%3Ba" * 15_000
    if expires is None:
        signs = headers["authorization"].replace("SignedHeaders=", "SignedHeaders=" + "a;" * 15_000)
        many = dataclasses.replace(many, headers={**headers, "authorization": signs})
    else:
        many = query(many, "SignedHeaders=host", f"SignedHeaders=host{names}")
    began = time.thread_time()
    with pytest.raises(Fault, match="headers present in the request which were not signed"):
        sigv4.parse_authorization(many)
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize("name", ["a%0D%0Aset-cookie", "a%3Ab", "%D0%BA", "a%20b", "%00"])
def test_a_parameter_that_no_header_can_be_named_is_refused(name: str) -> None:
    request = HttpRequest("PUT", "/b/k", f"x-amz-meta-{name}=1", {}, b"")
    with pytest.raises(Fault, match="InvalidArgument"):
        presigned_headers.with_headers_of_query(request)


def test_a_request_of_another_time_is_too_skewed(client: Any) -> None:
    with pytest.raises(Fault, match="RequestTimeTooSkewed"):
        verify(signed(client, expires=None), after=301)


def test_a_wrong_secret_is_refused(client: Any) -> None:
    with pytest.raises(Fault, match="SignatureDoesNotMatch"):
        verify(signed(client, expires=60), secret="another")


@pytest.mark.parametrize("value", ["É", "\u4f60\u597d", "caf\xe9 and more"])
@pytest.mark.parametrize("sent_as", ["utf-8", "latin-1"])
@pytest.mark.parametrize("name", ["x-amz-meta-a", "content-disposition"])
def test_headers_beyond_ascii_are_signed_as_utf8_and_sent_in_either_way(
    name: str, value: str, sent_as: str
) -> None:
    try:
        raw = value.encode(sent_as)
    except UnicodeEncodeError:
        pytest.skip("latin-1 has no such letter")
    request = AWSRequest("PUT", "http://b.s3.localhost/k", {name: value}, b"data")
    S3SigV4Auth(Credentials(KEY, SECRET), "s3", "eu-west-1").add_auth(request)
    headers = {each.lower(): text for each, text in request.headers.items()}
    headers |= {"host": "b.s3.localhost", name: raw.decode("latin-1")}
    verify(HttpRequest("PUT", "/k", "", headers, b"data"))
    with pytest.raises(Fault, match="SignatureDoesNotMatch"):
        verify(HttpRequest("PUT", "/k", "", {**headers, name: raw.decode("latin-1") + "!"}, b"data"))


def test_headers_in_the_query_count_and_those_of_the_signature_do_not() -> None:
    query = (
        "X-Amz-Algorithm=a&X-Amz-Date=d&X-Amz-Signature=s&X-Amz-Security-Token=t&X-Amz-Acl=private"
        "&x-amz-meta-team=%C3%A9&x-amz-copy-source=b%2Fk&response-expires=0&x-id=PutObject"
    )
    request = HttpRequest("PUT", "/b/k", query, {"host": "h"}, b"")
    meant = presigned_headers.with_headers_of_query(request)
    assert meant.headers == {
        "host": "h",
        "x-amz-acl": "private",
        "x-amz-copy-source": "b/k",
        "x-amz-meta-team": "\xc3\xa9",
    }
    assert route(meant, "s3").operation == "CopyObject"


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("x-amz-acl=a&x-amz-acl=b", {}),
        ("x-amz-acl=a&X-Amz-Acl=a", {}),
        ("x-amz-acl=a", {"x-amz-acl": "b"}),
    ],
)
def test_a_header_that_is_said_twice_is_refused(query: str, headers: dict[str, str]) -> None:
    with pytest.raises(Fault) as caught:
        presigned_headers.with_headers_of_query(HttpRequest("PUT", "/b/k", query, headers, b""))
    assert (caught.value.code, caught.value.members["ArgumentName"]) == ("InvalidArgument", "x-amz-acl")


def test_a_refusal_shows_what_was_signed_and_which_header_was_not(client: Any) -> None:
    request = signed(client, expires=None)
    with pytest.raises(Fault) as caught:
        verify(request, secret="another")
    assert caught.value.members["AWSAccessKeyId"] == KEY
    assert caught.value.members["CanonicalRequest"].startswith("PUT\n/b/k\n")
    with pytest.raises(Fault) as caught:
        verify(header(request, "x-amz-meta-a", "1"))
    assert caught.value.code == "AccessDenied"
    assert caught.value.members == {"HeadersNotSigned": "x-amz-meta-a"}
