"""Hostile requests: each is refused before it costs anything, and nobody gets an internal failure.

A request is answered before its body has come wherever the head alone shows that it is to be refused: the
tests send such heads and nothing more.
"""

import hashlib
import json
import socket
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.conftest import Server

from passrole.gateway.connections import HEAD_BYTES_MAX
from passrole.runtimes.processes import resident_bytes_alone
from passrole.wire import body_limits

MIB = 1_048_576
UNFINISHED = 25
UNFINISHED_BYTES = 60 * MIB
GROWTH_BYTES_MAX = 100 * MIB
FORM = "application/x-www-form-urlencoded"


class InChunks(S3SigV4Auth):
    """Signs a body in chunks that have no signatures."""

    def payload(self, request: AWSRequest) -> str:
        return "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def target(name: str) -> dict[str, str]:
    return {"x-amz-target": name, "content-type": "application/x-amz-json-1.1"}


def nobody(server: Server) -> Credentials:
    return Credentials("AKIAABCDEFGHIJKLMNOP", "a" * 40)


def forger(server: Server) -> Credentials:
    """Who knows the administrator's key id, and no secret."""
    return Credentials(server.access["access_key_id"], "a" * 40)


def admin(server: Server) -> Credentials:
    return Credentials(server.access["access_key_id"], server.access["secret_access_key"])


@pytest.fixture(scope="module")
def stranger(server: Server) -> Credentials:
    """A user without any permission."""
    iam = server.client("iam")
    iam.create_user(UserName="load-stranger")
    key = iam.create_access_key(UserName="load-stranger")["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def head(
    server: Server,
    who: Credentials | None,
    service: str,
    headers: Mapping[str, str],
    length: int,
    *,
    path: str = "/",
    method: str = "POST",
    body: bytes = b"",
    auth: type[SigV4Auth] | None = None,
) -> bytes:
    """A request's head that announces a body of a length; the signature is over `body`."""
    request = AWSRequest(method=method, url=server.url + path, data=body, headers=dict(headers))
    if who is not None:
        auth = auth or (S3SigV4Auth if service == "s3" else SigV4Auth)
        auth(who, service, server.region).add_auth(request)
    fields = {**dict(request.headers.items()), "Host": urlsplit(server.url).netloc}
    fields["Content-Length"] = str(length)
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def connected(server: Server) -> socket.socket:
    where = urlsplit(server.url)
    return socket.create_connection((where.hostname, where.port), timeout=30)


def answered(server: Server, sent: bytes) -> bytes:
    """What the server says to bytes after which the client sends nothing, and waits."""
    with connected(server) as connection:
        connection.sendall(sent)
        heard = connection.recv(65_536)
        while heard and not _is_whole(heard):
            heard += connection.recv(65_536)
        return heard


def _is_whole(heard: bytes) -> bool:
    top, found, rest = heard.partition(b"\r\n\r\n")
    lengths = [
        line.split(b":")[1] for line in top.lower().split(b"\r\n") if line.startswith(b"content-length")
    ]
    return bool(found) and bool(lengths) and len(rest) >= int(lengths[0])


PIPELINE = target("SageMaker.CreatePipeline")
DELETE = "/bucket?delete"
CREATE = "/2015-03-31/functions"
INVOKE = f"{CREATE}/f/invocations"
BY_HEAD = [
    (None, "s3", {}, 60 * MIB, "PUT", "/b/k", b"<Code>AccessDenied</Code>"),
    (None, "sagemaker", PIPELINE, 60 * MIB, "POST", "/", b"MissingAuth"),
    (nobody, "s3", {}, 60 * MIB, "PUT", "/b/k", b"InvalidAccessKeyId"),
    (nobody, "sagemaker", PIPELINE, MIB, "POST", "/", b"UnrecognizedClient"),
    (nobody, "iam", {"content-type": FORM}, MIB, "POST", "/", b"InvalidClientTokenId"),
    (forger, "s3", {}, 60 * MIB, "PUT", "/b/k", b"SignatureDoesNotMatch"),
    (admin, "sagemaker", PIPELINE, 19 * MIB, "POST", "/", b"HTTP/1.1 413"),
    (admin, "sagemaker", target("SageMaker.ListPipelines"), 2 * MIB, "POST", "/", b"exceeded 1662976 bytes."),
    (admin, "sagemaker", target("SageMaker.Nothing"), 60 * MIB, "POST", "/", b"UnknownOperation"),
    (admin, "events", target("AWSEvents.PutEvents"), 12 * MIB, "POST", "/", b"HTTP/1.1 413"),
    (admin, "sqs", target("AmazonSQS.SendMessageBatch"), 12 * MIB, "POST", "/", b"HTTP/1.1 413"),
    (admin, "iam", {"content-type": FORM}, 12 * MIB, "POST", "/", b"HTTP/1.1 413"),
    (admin, "s3", {}, 12 * MIB, "POST", DELETE, b"MaxMessageLengthExceeded"),
    (admin, "s3", {}, 71_000_000, "PUT", "/b/k", b"EntityTooLarge"),
    (
        admin,
        "lambda",
        {},
        7 * MIB,
        "POST",
        INVOKE,
        b"6291456 bytes for the InvokeFunction",
    ),
    (
        admin,
        "lambda",
        {},
        71_000_000,
        "POST",
        "/2015-03-31/functions",
        b"70167211 bytes for the CreateFunction",
    ),
]


@pytest.mark.parametrize(
    ("who", "service", "headers", "length", "method", "path", "said"), BY_HEAD, ids=range(len(BY_HEAD))
)
def test_what_the_head_shows_to_be_wrong_is_refused_before_the_body_comes(
    server: Server,
    who: object,
    service: str,
    headers: Mapping[str, str],
    length: int,
    method: str,
    path: str,
    said: bytes,
) -> None:
    credentials = who(server) if callable(who) else None
    told = answered(server, head(server, credentials, service, headers, length, path=path, method=method))
    assert said in told, told[:500]
    assert b"HTTP/1.1 5" not in told


def test_who_asks_before_sending_a_body_is_told_not_to_and_that_the_connection_ends(server: Server) -> None:
    told = answered(server, head(server, None, "s3", {"Expect": "100-continue"}, 60 * MIB, method="PUT"))
    assert b"100 Continue" not in told
    assert b"connection: close" in told.lower()


def test_unfinished_bodies_of_strangers_are_held_nowhere(server: Server) -> None:
    before = resident_bytes_alone(server.process.pid)
    connections = [connected(server) for _ in range(UNFINISHED)]
    try:
        for connection in connections:
            connection.sendall(head(server, None, "s3", {}, UNFINISHED_BYTES, method="PUT", path="/b/k"))
            for _ in range(8):
                connection.sendall(b"x" * MIB)
        assert resident_bytes_alone(server.process.pid) - before < GROWTH_BYTES_MAX
    finally:
        for connection in connections:
            connection.close()


def _bodies() -> Iterator[tuple[str, dict[str, str], str, bytes]]:
    """Service, headers, path and a body that is small enough to be read, and made to cost much."""
    yield "sagemaker", PIPELINE, "/", b'{"X":[' + b"[]," * 1_000_000 + b"[]]}"
    yield "sagemaker", PIPELINE, "/", b'{"Tags":[' + b'{"Key":""},' * 200_000 + b"{}]}"
    yield "sagemaker", PIPELINE, "/", b'{"X":' * 900 + b"1" + b"}" * 900
    yield "events", target("AWSEvents.PutEvents"), "/", b'{"Entries":[' + b"{}," * 90_000 + b"{}]}"
    yield "logs", target("Logs_20140328.PutLogEvents"), "/", b'{"logEvents":[' + b"{}," * 90_000 + b"{}]}"
    yield "s3", {}, DELETE, b"<Delete>" + b"<Object><Key>a</Key></Object>" * 30_000 + b"</Delete>"
    yield "s3", {}, DELETE, b"<Delete>" + b"<a/>" * 500_000 + b"</Delete>"
    yield "s3", {}, DELETE, b"<Delete><a " + b'b="c" ' * 500_000 + b"/></Delete>"
    yield "iam", {"content-type": FORM}, "/", b"Action=TagRole&" + b"Tags.member.1.Key=a&" * 30_000
    yield (
        "sqs",
        {"content-type": FORM},
        "/",
        b"Action=SendMessage&" + b"&".join(b"A.%d" % number + b".a" * 35 + b"=a" for number in range(19_000)),
    )
    yield "sqs", {"content-type": FORM}, "/", b"Action=SendMessage&MessageBody=" + b"%41" * 1_000_000


@pytest.mark.parametrize(
    ("service", "headers", "path", "body"), list(_bodies()), ids=range(len(list(_bodies())))
)
def test_bodies_that_are_made_to_cost_much_are_refused_as_the_senders_fault(
    server: Server, stranger: Credentials, service: str, headers: Mapping[str, str], path: str, body: bytes
) -> None:
    sent = head(server, stranger, service, headers, len(body), path=path, body=body) + body
    status = int(answered(server, sent).split(b" ", 2)[1])
    assert 400 <= status < 500


def test_tiny_chunks_are_refused(server: Server) -> None:
    body = b"1\r\na\r\n" * 100_000 + b"0\r\n\r\n"
    told = {"x-amz-decoded-content-length": "100000"}
    who = admin(server)
    sent = head(server, who, "s3", told, len(body), path="/b/k", method="PUT", auth=InChunks)
    heard = answered(server, sent + body)
    assert b"InvalidChunkSizeError" in heard
    assert b"<BadChunkSize>1</BadChunkSize>" in heard


def test_a_body_that_is_not_the_one_that_was_signed_is_not_parsed(server: Server) -> None:
    honest, other = b"{}", b"{]"
    assert len(honest) == len(other)
    sent = head(server, admin(server), "sagemaker", PIPELINE, len(other), body=honest) + other
    assert b"InvalidSignatureException" in answered(server, sent)


def test_a_declared_hash_must_be_the_bodys(server: Server) -> None:
    declared = {"x-amz-content-sha256": hashlib.sha256(b"honest").hexdigest()}
    sent = head(server, admin(server), "s3", declared, 6, path="/b/k", method="PUT", body=b"honest")
    assert b"XAmzContentSHA256Mismatch" in answered(server, sent + b"other!")


def test_a_head_that_does_not_end_is_refused(server: Server) -> None:
    heard = answered(server, b"GET / HTTP/1.1\r\nX: " + b"x" * (HEAD_BYTES_MAX + 1))
    assert heard.startswith(b"HTTP/1.1 431 ")


def test_the_largest_legal_bodies_are_read(server: Server) -> None:
    """Whatever way their text is escaped: none is refused for its length."""
    definition = json.dumps({"Version": "2020-12-01", "Metadata": {"a": "é" * 900_000}, "Steps": []})
    body = json.dumps({"PipelineName": "p", "PipelineDefinition": definition}).encode()
    assert len(body) > 5 * MIB
    sent = head(server, admin(server), "sagemaker", PIPELINE, len(body), body=body) + body
    assert b"Value null at 'roleArn'" in answered(server, sent)
    keys = "".join(f"<Object><Key>{'&amp;' * 1_000}{number}</Key></Object>" for number in range(1_000))
    body = f"<Delete>{keys}</Delete>".encode()
    sent = head(server, admin(server), "s3", {}, len(body), path="/no-such-bucket?delete", body=body) + body
    assert b"NoSuchBucket" in answered(server, sent)
    assert body_limits.bytes_max("s3", "PutObject") > 64 * MIB
