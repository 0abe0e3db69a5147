"""botocore signs, we verify; then one thing is changed at a time."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from passrole.faults import Fault
from passrole.wire import HttpRequest, Route, render_fault, sigv4

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
Sign = Callable[..., HttpRequest]


@pytest.fixture
def sign(client: Any) -> Sign:
    """Sign one of botocore's requests as a client does."""

    def signed(
        request: AWSRequest, service: str, secret: str = SECRET, token: str | None = None
    ) -> HttpRequest:
        SigV4Auth(Credentials(KEY, secret, token), service, "eu-west-1").add_auth(request)
        return client.arrived(request)  # type: ignore[no-any-return]

    return signed


@pytest.fixture
def request_of_sqs(client: Any, sign: Sign) -> HttpRequest:
    parameters = {"QueueUrl": "http://127.0.0.1:4566/1/q", "MessageBody": "ü"}
    return sign(client.request("sqs", "SendMessage", parameters, "json"), "sqs")


def now() -> float:
    return datetime.now(UTC).timestamp()


def verify(request: HttpRequest, secret: str = SECRET, at: float | None = None) -> sigv4.Authorization:
    authorization = sigv4.parse_authorization(request)
    sigv4.verify(request, authorization, secret, now() if at is None else at)
    return authorization


@pytest.mark.parametrize(
    ("service", "protocol", "operation", "parameters"),
    [
        ("sagemaker", "json", "DescribePipeline", {"PipelineName": "p"}),
        ("iam", "query", "CreateRole", {"RoleName": "a b", "AssumeRolePolicyDocument": "{}"}),
        (
            "lambda",
            "rest-json",
            "Invoke",
            {"FunctionName": "arn:aws:lambda:r:1:function:f", "Payload": b"\x00"},
        ),
        ("lambda", "rest-json", "Invoke", {"FunctionName": "f", "Qualifier": "a b+c/ü", "LogType": "Tail"}),
        ("lambda", "rest-json", "ListTags", {"Resource": "a/../b//c"}),
        ("lambda", "rest-json", "UntagResource", {"Resource": "r", "TagKeys": ["b", "a", "a b", "é"]}),
    ],
)
@pytest.mark.parametrize("token", [None, "FwoGZXIvYXdzE/+="])
def test_what_botocore_signs_is_accepted(
    client: Any, sign: Sign, service: str, protocol: str, operation: str, parameters: Any, token: str | None
) -> None:
    request = sign(client.request(service, operation, parameters, protocol), service, token=token)
    authorization = verify(request)
    assert authorization.access_key == KEY
    assert (authorization.region, authorization.service) == ("eu-west-1", service)
    assert authorization.session_token == token


def test_amazons_own_example_is_accepted() -> None:
    """The `get-vanilla-query-order-key-case` case of AWS's Signature Version 4 test suite."""
    signature = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
    request = HttpRequest(
        "GET",
        "/",
        "Param2=value2&Param1=value1",
        {
            "host": "example.amazonaws.com",
            "x-amz-date": "20150830T123600Z",
            "authorization": "AWS4-HMAC-SHA256 "
            "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            f"SignedHeaders=host;x-amz-date, Signature={signature}",
        },
        b"",
    )
    verify(request, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", at=1_440_938_160)


CHANGES: list[Any] = [
    ("method", lambda r: dataclasses.replace(r, method="PUT")),
    ("path", lambda r: dataclasses.replace(r, raw_path="/other")),
    ("query", lambda r: dataclasses.replace(r, query="a=b")),
    ("body", lambda r: dataclasses.replace(r, body=r.body + b" ")),
    ("target", lambda r: with_header(r, "x-amz-target", "AmazonSQS.PurgeQueue")),
    ("host", lambda r: with_header(r, "host", "elsewhere")),
    ("token", lambda r: with_header(r, "x-amz-security-token", "stolen")),
    ("unsigned amz header", lambda r: with_header(r, "x-amz-invocation-type", "Event")),
    ("declared hash", lambda r: with_header(r, "x-amz-content-sha256", "UNSIGNED-PAYLOAD")),
    ("signature", lambda r: with_authorization(r, r"Signature=", "Signature=0")),
    ("signature of no bytes", lambda r: with_authorization(r, r"Signature=", "Signature=é")),
    ("region", lambda r: with_authorization(r, "eu-west-1", "us-east-1")),
    ("service", lambda r: with_authorization(r, "/sqs/", "/iam/")),
]


def with_header(request: HttpRequest, name: str, value: str) -> HttpRequest:
    return dataclasses.replace(request, headers={**request.headers, name: value})


def with_authorization(request: HttpRequest, old: str, new: str) -> HttpRequest:
    changed = request.headers["authorization"].replace(old, new)
    assert changed != request.headers["authorization"]
    return with_header(request, "authorization", changed)


@pytest.mark.parametrize(("what", "change"), CHANGES)
def test_one_change_and_the_signature_does_not_match(
    request_of_sqs: HttpRequest, what: str, change: Callable[[HttpRequest], HttpRequest]
) -> None:
    verify(request_of_sqs)
    with pytest.raises(Fault) as caught:
        verify(change(request_of_sqs))
    assert caught.value.code == "InvalidSignatureException", what


def test_a_wrong_secret_is_told_in_amazons_words(request_of_sqs: HttpRequest) -> None:
    with pytest.raises(Fault, match="The request signature we calculated does not match") as caught:
        verify(request_of_sqs, "another secret")
    assert SECRET not in caught.value.message


@pytest.mark.parametrize(
    ("offset", "message"),
    [
        (299, None),
        (-299, None),
        (301, r"Signature expired: {m} is now earlier than \d{{8}}T\d{{6}}Z \(\d{{8}}T\d{{6}}Z - 5 min\.\)"),
        (
            -301,
            r"Signature not yet current: {m} is still later than "
            r"\d{{8}}T\d{{6}}Z \(\d{{8}}T\d{{6}}Z \+ 5 min\.\)",
        ),
    ],
)
def test_a_request_is_good_for_five_minutes(
    request_of_sqs: HttpRequest, offset: int, message: str | None
) -> None:
    signed_at = sigv4.parse_authorization(request_of_sqs).epoch_seconds
    if message is None:
        verify(request_of_sqs, at=signed_at + offset)
        return
    timestamp = request_of_sqs.headers["x-amz-date"]
    with pytest.raises(Fault, match=message.format(m=timestamp)):
        verify(request_of_sqs, at=signed_at + offset)


SCOPE = "AKIA/20260131/r/s/aws4_request"
GOOD = f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature=00"


@pytest.mark.parametrize(
    ("authorization", "code", "message"),
    [
        ("", "MissingAuthenticationToken", "Missing Authentication Token"),
        ("Basic eDp5", "IncompleteSignature", "Unsupported AWS 'algorithm'"),
        ("AWS4-HMAC-SHA256", "IncompleteSignature", "not a valid key=value pair"),
        ("AWS4-HMAC-SHA256 x", "IncompleteSignature", "not a valid key=value pair"),
        (GOOD + ", Signature=11", "IncompleteSignature", "not a valid key=value pair"),
        (GOOD.replace(", Signature=00", ""), "IncompleteSignature", "requires 'Signature' parameter."),
        (GOOD.replace(SCOPE, ""), "IncompleteSignature", "requires 'Credential' parameter."),
        (GOOD.replace("/r/", "/"), "IncompleteSignature", "exactly 5 slash-delimited elements"),
        (GOOD.replace("aws4_request", "x"), "SignatureDoesNotMatch", "valid terminator: 'aws4_request'"),
        (
            GOOD.replace("20260131", "20260130"),
            "SignatureDoesNotMatch",
            "Date in Credential scope does not match",
        ),
        (GOOD.replace("host;", ""), "SignatureDoesNotMatch", "'Host' or ':authority' must be"),
        (GOOD.replace(";x-amz-date", ""), "SignatureDoesNotMatch", "'x-amz-date' must be"),
    ],
)
def test_an_authorization_that_cannot_be_used_is_refused(authorization: str, code: str, message: str) -> None:
    headers = {
        "host": "h",
        "x-amz-date": "20260131T000000Z",
        "content-type": "application/x-www-form-urlencoded",
        "authorization": authorization,
    }
    with pytest.raises(Fault) as caught:
        sigv4.parse_authorization(HttpRequest("POST", "/", "", headers, b""))
    assert caught.value.code == code
    assert message in caught.value.message


@pytest.mark.parametrize(
    "timestamp", ["", "20260230T000000Z", "2026-01-31T00:00:00Z", "20260131T0000000", "²" * 16]
)
def test_a_date_that_is_none_is_refused(timestamp: str) -> None:
    headers = {"host": "h", "x-amz-date": timestamp, "authorization": GOOD}
    with pytest.raises(Fault, match="'X-Amz-Date' or a 'Date' header"):
        sigv4.parse_authorization(HttpRequest("POST", "/", "", headers, b""))


@pytest.mark.parametrize(
    ("found", "refusal", "code", "status"),
    [
        (
            Route("sagemaker", "ListPipelines", "json", {}),
            sigv4.unknown_key,
            "UnrecognizedClientException",
            400,
        ),
        (Route("sagemaker", "ListPipelines", "json", {}), sigv4.expired_token, "ExpiredTokenException", 400),
        (Route("sqs", "ListQueues", "json", {}), sigv4.unknown_key, "InvalidClientTokenId", 403),
        (Route("sqs", "ListQueues", "query", {}), sigv4.unknown_key, "InvalidClientTokenId", 403),
        (Route("iam", "GetRole", "query", {}), sigv4.expired_token, "ExpiredToken", 403),
        (Route("lambda", "Invoke", "rest-json", {}), sigv4.unknown_key, "UnrecognizedClientException", 403),
    ],
)
def test_keys_that_are_unknown_or_over_are_refused_as_each_protocol_spells_it(
    client: Any, found: Route, refusal: Callable[..., Fault], code: str, status: int
) -> None:
    response = render_fault(found, refusal(found.protocol), "r")
    read = client.read(found.service, found.operation, response, found.protocol)
    assert (read["Error"]["Code"], response.status) == (code, status)
