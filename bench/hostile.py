"""How long health waits, and how much memory is added, while hostile requests come in.

The caller is a user without any permission, or nobody at all. All requests are made beforehand, sent one
after another over loopback, and end: nothing is left behind. Health is asked from a process of its own,
for a client that sends much would keep its own thread waiting.
"""

import json
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench.server import Server
from bench.table import Figure, Row

MIB = 1_048_576
UNFINISHED = 25
HEALTH_SECONDS_MAX = 0.1
MEMORY_BYTES_MAX = 256 * MIB
JSON = "application/x-amz-json-1.1"
FORM = {"content-type": "application/x-www-form-urlencoded"}

_ASK_HEALTH = """
import http.client, select, sys, time
connection = http.client.HTTPConnection(sys.argv[1], timeout=60)
longest = 0
while not select.select([sys.stdin], [], [], 0.005)[0]:
    began = time.perf_counter()
    connection.request("GET", "/_passrole/health")
    connection.getresponse().read()
    longest = max(longest, time.perf_counter() - began)
print(longest)
"""


def rows() -> Iterator[Row]:
    """The longest wait for health, and the most memory that was added."""
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        requests = list(_requests(server, _stranger(server)))
        place = urlsplit(server.url).netloc
        command = [sys.executable, "-c", _ASK_HEALTH, place]
        before = most = server.resident_bytes
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asking:  # noqa: S603
            for request in requests:
                _send(place, request)
                most = max(most, server.resident_bytes)
            _send_unfinished(place)
            most = max(most, server.resident_bytes)
            longest = float(asking.communicate("enough")[0])
    yield Row(
        "hostile requests: longest wait for health",
        Figure(longest, "s"),
        None,
        Figure(HEALTH_SECONDS_MAX, "s"),
    )
    yield Row(
        "hostile requests: memory added",
        Figure(most - before, "bytes"),
        None,
        Figure(MEMORY_BYTES_MAX, "bytes"),
    )


def _stranger(server: Server) -> Credentials:
    iam: Any = server.client("iam")
    iam.create_user(UserName="stranger")
    key = iam.create_access_key(UserName="stranger")["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def _requests(server: Server, who: Credentials) -> Iterator[bytes]:
    """Signed requests, whole."""
    create = {"x-amz-target": "SageMaker.CreatePipeline", "content-type": JSON}
    put = {"x-amz-target": "AWSEvents.PutEvents", "content-type": JSON}
    tags, entries = [{"Key": "k" * 20, "Value": "v"}], [{"Source": "a", "Detail": "{}"}]
    named = {"PipelineName": "p", "PipelineDefinition": "{"}
    yield _signed(server, who, "sagemaker", create, json.dumps(named | {"Tags": tags * 475_000}).encode())
    yield _signed(server, who, "sagemaker", create, json.dumps(named | {"Tags": tags * 120_000}).encode())
    yield _signed(server, who, "sagemaker", create, b'{"X":[' + b"[]," * 2_000_000 + b"[]]}")
    yield _signed(server, who, "events", put, json.dumps({"Entries": entries * 500_000}).encode())
    yield _signed(server, who, "events", put, json.dumps({"Entries": entries * 40_000}).encode())
    for count in (400_000, 150_000):
        keys = b"<Object><Key>a</Key></Object>" * count
        yield _signed(server, who, "s3", {}, b"<Delete>" + keys + b"</Delete>", "/bucket?delete")
    deep = b"&".join(b"A.%d" % number + b".a" * 35 + b"=a" for number in range(19_000))
    yield _signed(server, who, "sqs", FORM, b"Action=SendMessage&" + deep)
    yield _signed(server, who, "sqs", FORM, b"Action=SendMessage&MessageBody=" + b"%41" * 2_000_000)


def _signed(
    server: Server, who: Credentials, service: str, headers: dict[str, str], body: bytes, path: str = "/"
) -> bytes:
    request = AWSRequest(method="POST", url=server.url + path, data=body, headers=headers)
    (S3SigV4Auth if service == "s3" else SigV4Auth)(who, service, "us-east-1").add_auth(request)
    fields = {**dict(request.headers.items()), "Host": urlsplit(server.url).netloc}
    fields |= {"Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _send(place: str, request: bytes) -> None:
    """Until the answer is there."""
    host, _, port = place.rpartition(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request)
        while connection.recv(MIB):
            pass


def _send_unfinished(place: str) -> None:
    """Unsigned bodies that announce more than comes, all at once."""
    head = b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (62 * MIB)
    request = head + b"x" * (60 * MIB)
    threads = [threading.Thread(target=_send, args=(place, request)) for _ in range(UNFINISHED)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
