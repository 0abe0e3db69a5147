"""A server that is told to end answers the calls that it has: nobody is hung up on."""

import http.client
import json
import urllib.parse
from collections.abc import Callable

from tests.conftest import Server
from tests.gateway.test_asgi import send, signed

RECEIVE = {"x-amz-target": "AmazonSQS.ReceiveMessage", "content-type": "application/x-amz-json-1.0"}


def test_a_long_poll_is_answered_at_once(start_server: Callable[..., Server]) -> None:
    server = start_server()
    url = server.client("sqs").create_queue(QueueName="empty")["QueueUrl"]
    body = json.dumps({"QueueUrl": url, "WaitTimeSeconds": 20}).encode()
    where = urllib.parse.urlsplit(server.url)
    waiting = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    waiting.request("POST", "/", body, signed(server, RECEIVE, body, "sqs"))
    later = body.replace(b"20", b"0")  # answered after the first was read
    assert send(server.url, signed(server, RECEIVE, later, "sqs"), later).status == 200
    assert server.leave() == 0
    answer = waiting.getresponse()
    assert (answer.status, json.loads(answer.read())) == (200, {})
    server.start()
