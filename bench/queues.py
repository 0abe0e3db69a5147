"""What SendMessage costs one boto3 client: signed, authorised and on the disk when it is answered.

moto answers in the client's own process, without socket, signature, permission or disk. A commit takes
longer while the database's log still grows, so both are told: a new folder, and one that has been used.
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
LARGE = "x" * 1_000_000
FILLING = 20


def rows() -> Iterator[Row]:
    """First on a new folder, then with the log at its full length."""
    peer = Peer("moto in process", Figure(_seconds_of_moto(), "s"))
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        sqs = server.client("sqs")
        queue_url = sqs.create_queue(QueueName="bench")["QueueUrl"]
        first = p50(CALLS, lambda: sqs.send_message(QueueUrl=queue_url, MessageBody=BODY))
        for _ in range(FILLING):
            sqs.send_message(QueueUrl=queue_url, MessageBody=LARGE)
        later = p50(CALLS, lambda: sqs.send_message(QueueUrl=queue_url, MessageBody=BODY))
    budget = Figure(0.0012, "s")
    yield Row("SQS SendMessage through boto3, durable, p50", Figure(later, "s"), peer, budget)
    yield Row("the same while the database's log grows", Figure(first, "s"), peer, budget)


def _seconds_of_moto() -> float:
    with mock_aws():
        sqs = boto3.Session("key", "secret", region_name="us-east-1").client("sqs")
        queue_url = sqs.create_queue(QueueName="bench")["QueueUrl"]
        return p50(CALLS, lambda: sqs.send_message(QueueUrl=queue_url, MessageBody=BODY))
