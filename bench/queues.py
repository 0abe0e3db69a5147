"""What SendMessage costs one boto3 client: signed, authorised and on the disk when it is answered.

moto answers in the client's own process, without socket, signature, permission or disk.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import boto3
from moto import mock_aws

from bench.measure import p50
from bench.server import Server
from bench.table import Figure, Peer, Row

CALLS = 400
BODY = "x" * 200


def rows() -> Iterator[Row]:
    """One row."""
    peer = Peer("moto in process", Figure(_seconds_of_moto(), "s"))
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        sqs = server.client("sqs")
        queue_url = sqs.create_queue(QueueName="bench")["QueueUrl"]
        seconds = p50(CALLS, lambda: sqs.send_message(QueueUrl=queue_url, MessageBody=BODY))
    yield Row("SQS SendMessage through boto3, durable, p50", Figure(seconds, "s"), peer, Figure(0.0012, "s"))


def _seconds_of_moto() -> float:
    with mock_aws():
        sqs = boto3.Session("key", "secret", region_name="us-east-1").client("sqs")
        queue_url = sqs.create_queue(QueueName="bench")["QueueUrl"]
        return p50(CALLS, lambda: sqs.send_message(QueueUrl=queue_url, MessageBody=BODY))
