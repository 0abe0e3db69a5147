"""Whatever arrives, for every operation there is: an answer of AWS's kind, never a failure of ours."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config as ClientConfig
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import Shape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import Server

from passrole.api import table

OPERATIONS = sorted(key for key in table.operations() if key[0] != "passrole")
EXAMPLES = 12
NOT_IMPLEMENTED = 501  # S3's word for a header that asks for more than there is
_SERIALIZER_GAVE_UP = (
    RuntimeError,
    BotoCoreError,
    TypeError,
    ValueError,
    AttributeError,
    KeyError,
    UnicodeError,
)

_texts = st.one_of(
    st.sampled_from(["", "x", "a" * 1_025, "\0", "\U0001f4a5", "..", "*", "${aws:username}", "%00", "a/b:c"]),
    st.sampled_from(
        ["sagemaker-x", "arn:aws:iam::111122223333:role/r", "arn:aws:sqs:us-east-1:1:q", "{}", "[]"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
_wrong = st.sampled_from([None, True, -1, 2**70, 1.5, "text", [], {}, [None], {"": None}])


def values(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a shape, or nearly."""
    made: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
        "string": lambda: st.one_of(st.sampled_from(shape.enum), _texts) if shape.enum else _texts,  # type: ignore[attr-defined]
        "integer": lambda: st.sampled_from([0, 1, 2, 10, -1, 2**31, 2**63]),
        "long": lambda: st.sampled_from([0, 1, 10, -1, 2**63]),
        "double": lambda: st.sampled_from([0.0, -1.5, 1e308]),
        "float": lambda: st.sampled_from([0.0, -1.5, 1e308]),
        "boolean": st.booleans,
        "timestamp": lambda: st.sampled_from([0, 1, 2_000_000_000, 253_402_300_799]),
        "blob": lambda: st.sampled_from([b"", b"x", b"\0\xff", b"{}", b"PK\x03\x04", b"[" * 2_000]),
        "structure": lambda: structures(shape, depth + 1),
        "list": lambda: st.lists(values(shape.member, depth + 1), max_size=2),  # type: ignore[attr-defined]
        "map": lambda: st.dictionaries(_texts, values(shape.value, depth + 1), max_size=2),  # type: ignore[attr-defined]
    }
    return made[shape.type_name]()


def structures(shape: Any, depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """Members of a structure: those that must be there nearly always, the others now and then."""
    if depth > 4 or getattr(shape, "is_document_type", False):
        return st.just({})
    required = {name: values(shape.members[name], depth) for name in shape.required_members}
    optional = {name: values(member, depth) for name, member in shape.members.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)


class Target:
    """A server of these tests alone, whose log is read for what it must not hold."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            access = self.server.access
            session = boto3.Session(
                access["access_key_id"], access["secret_access_key"], region_name="us-east-1"
            )
            config = ClientConfig(
                parameter_validation=False,
                retries={"total_max_attempts": 1},
                read_timeout=30,
                s3={"addressing_style": "path"},
            )
            made = session.client(service, endpoint_url=self.server.url, config=config)  # type: ignore[call-overload]
            self._clients[service] = made
        return self._clients[service]

    @property
    def log(self) -> str:
        return Path(self.server.log.name).read_text(errors="replace")

    def check_well(self) -> None:
        """It still answers, and nothing failed in it."""
        assert self.client("sts").get_caller_identity()["Account"] == self.server.account
        assert "Traceback" not in self.log and "in passrole itself" not in self.log, self.log[-4_000:]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[Target]:
    made = type(server)(tmp_path_factory.mktemp("fuzz") / "data")
    yield Target(made)
    made.stop()


def answered(target: Target, service: str, operation: str, parameters: dict[str, Any]) -> None:
    try:
        target.client(service).__getattribute__(operation)(**parameters)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert status < 500 or status == NOT_IMPLEMENTED, (operation, parameters, error)
        assert error.response["Error"]["Code"], (operation, parameters, error)
    except _SERIALIZER_GAVE_UP as error:
        assert "Connection" not in type(error).__name__ and "Timeout" not in type(error).__name__, error


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_every_operation_answers_whatever_its_parameters_are(
    target: Target, service: str, operation: str
) -> None:
    client = target.client(service)
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
    shape = model.input_shape
    if shape is None or not shape.members:
        return

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(structures(shape), st.none() | st.tuples(st.sampled_from(list(shape.members)), _wrong))
    def ask(parameters: dict[str, Any], spoilt: tuple[str, Any] | None) -> None:
        parameters.pop("WaitTimeSeconds", None)  # waiting would take its time and show nothing more
        answered(target, service, operation, parameters | dict([spoilt] if spoilt else []))

    ask()
    target.check_well()


BODIES = [
    (
        "sagemaker",
        {"x-amz-target": "SageMaker.CreatePipeline"},
        "application/x-amz-json-1.1",
        b'{"PipelineName":"p"}',
    ),
    ("sqs", {"x-amz-target": "AmazonSQS.CreateQueue"}, "application/x-amz-json-1.0", b'{"QueueName":"q"}'),
    (
        "logs",
        {"x-amz-target": "Logs_20140328.CreateLogGroup"},
        "application/x-amz-json-1.1",
        b'{"logGroupName":"g"}',
    ),
    ("iam", {}, "application/x-www-form-urlencoded", b"Action=CreateUser&Version=2010-05-08&UserName=u"),
    ("sqs", {}, "application/x-www-form-urlencoded", b"Action=CreateQueue&Version=2012-11-05&QueueName=q"),
]
SPOILT: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("nothing", lambda body: b""),
    ("cut", lambda body: body[:-3]),
    ("doubled", lambda body: body + b"&" + body),
    ("no-utf8", lambda body: body.replace(b"p", b"\xff").replace(b"q", b"\xff").replace(b"u", b"\xff")),
    ("surrogate", lambda body: body.replace(b'"}', b'\\ud800"}')),
    ("deep-json", lambda body: b"[" * 100_000 + b"]" * 100_000),
    ("deep-object", lambda body: b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    ("deep-form", lambda body: body + b"&" + b".member.1" * 20_000 + b"=1"),
    ("wide-form", lambda body: body + b"".join(b"&Tags.member.%d.Key=k" % n for n in range(5_000))),
    ("huge-index", lambda body: body + b"&Tags.member.99999999999999999999.Key=k"),
    ("number", lambda body: b"1" * 100_000),
    ("xml", lambda body: b"<a><b/></a>"),
    ("nul", lambda body: b"\0" * 100),
]
TYPES = [
    "as-it-is",
    "",
    "text/plain",
    "application/json; charset=\xff",
    "multipart/form-data; boundary=x",
    "application/cbor",
]


def sent(target: Target, service: str, headers: dict[str, str], body: bytes) -> bytes:
    """The raw answer to a signed request."""
    access = target.server.access
    request = AWSRequest(method="POST", url=f"{target.server.url}/", data=body, headers=headers)
    SigV4Auth(
        Credentials(access["access_key_id"], access["secret_access_key"]), service, "us-east-1"
    ).add_auth(request)
    where = urlsplit(target.server.url)
    fields = {**dict(request.headers.items()), "Host": where.netloc, "Content-Length": str(len(body))}
    head = "POST / HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return raw(target, f"{head}Connection: close\r\n\r\n".encode("latin-1") + body, hangs_up=False)


def raw(target: Target, text: bytes, *, hangs_up: bool = True) -> bytes:
    """What the server says to bytes after which nothing comes; `hangs_up`: it is told that nothing will."""
    where = urlsplit(target.server.url)
    with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
        heard = b""
        try:
            connection.sendall(text)
            if hangs_up:
                connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65_536):
                heard += piece
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may hang up before it has heard everything
        return heard


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize("type_", TYPES, ids=lambda text: text.partition(";")[0] or "none")
@pytest.mark.parametrize(("service", "headers", "content", "body"), BODIES, ids=lambda part: "")
def test_spoilt_bodies_are_refused_in_aws_s_way(
    target: Target, service: str, headers: dict[str, str], content: str, body: bytes, type_: str
) -> None:
    for name, spoil in SPOILT:
        told = {**headers, "content-type": content if type_ == "as-it-is" else type_}
        answer = sent(target, service, told, spoil(body))
        assert answer and 200 <= status(answer) < 500, (name, answer[:2_000])
        assert b"Traceback" not in answer
        assert b"x-amzn-requestid" in answer.lower() or b"x-amz-request-id" in answer.lower()
    target.check_well()


LENGTH = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: "
ODD = {
    "nothing": b"",
    "cut-head": b"POST / HTTP/1.1\r\nHost: h\r\nConte",
    "cut-body": LENGTH + b"100\r\n\r\nabc",
    "length-no-number": LENGTH + b"ten\r\n\r\n",
    "length-negative": LENGTH + b"-1\r\n\r\n",
    "two-lengths": LENGTH + b"3\r\nContent-Length: 4\r\n\r\nabcd",
    "length-and-chunks": LENGTH + b"3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunk-no-number": b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    "long-header": b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 10_485_760 + b"\r\n\r\n",
    "many-headers": b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
    "long-path": b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    "no-http": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "old-http": b"GET /\r\n\r\n",
    "odd-method": b"BREW / HTTP/1.1\r\nHost: h\r\n\r\n",
    "nul-path": b"GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_what_is_hardly_http_harms_nobody(target: Target, text: bytes) -> None:
    answer = raw(target, text)
    assert answer == b"" or 400 <= status(answer) < 500, answer[:500]
    target.check_well()


def test_two_targets_are_not_two_operations(target: Target) -> None:
    twice = {"x-amz-target": "SageMaker.ListPipelines,SageMaker.DeletePipeline"}
    answer = sent(target, "sagemaker", {**twice, "content-type": "application/x-amz-json-1.1"}, b"{}")
    assert status(answer) == 400
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["__type"].endswith("UnknownOperationException")
