"""Servers of one database behind the example's balancer are restarted one by one, and no caller notices."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.balancer import balanced
from tests.cli.pipelines import daily_pipeline
from tests.conftest import Server
from tests.eventually import eventually
from tests.postgres import Cluster

NODES = 3
ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def nodes(postgres: Cluster, server: Server, tmp_path: Path) -> Iterator[list[Server]]:
    """Three servers; the S3 that they share is another server."""
    shared = {
        "store": postgres.create("rolling"),
        "s3_endpoint": server.url,
        "s3_access_key_id": server.access["access_key_id"],
        "s3_secret_access_key": server.access["secret_access_key"],
    }
    (tmp_path / "nodes").mkdir()
    running = [Server(tmp_path / "nodes" / str(number), **shared) for number in range(NODES)]
    yield running
    for each in running:
        each.stop()


def client(service: str, url: str, access: dict[str, str]) -> Any:
    keys = (access["access_key_id"], access["secret_access_key"])
    session = boto3.Session(*keys, region_name=access["region"])
    return session.client(service, endpoint_url=url, config=ONCE)  # type: ignore[call-overload]


def test_no_call_fails_while_servers_are_restarted_one_by_one(nodes: list[Server], tmp_path: Path) -> None:
    first = nodes[0]
    assert [node.access for node in nodes] == [first.access] * NODES
    daily_pipeline.deployed(first, "rolling")
    with balanced(nodes, tmp_path) as url:
        sqs, sagemaker = client("sqs", url, first.access), client("sagemaker", url, first.access)
        queue = sqs.create_queue(QueueName="load")["QueueUrl"]
        ends, sent, begun = threading.Event(), list[str](), list[str]()

        def call() -> None:  # an error fails the test, by the numbers below
            while not ends.is_set():
                sent.append("begins")
                sqs.send_message(QueueUrl=queue, MessageBody="x")
                sent[-1] = "answered"
                begun.append(
                    sagemaker.start_pipeline_execution(PipelineName="rolling")["PipelineExecutionArn"]
                )

        thread = threading.Thread(target=call)
        thread.start()
        for node in nodes:
            before = len(begun)
            assert node.leave() == 0
            node.start()
            eventually(lambda before=before: len(begun) > before + 3)  # type: ignore[misc]
        assert thread.is_alive()
        ends.set()
        thread.join()
        assert set(sent) == {"answered"}
        for arn in begun:
            daily_pipeline.waits(first, arn)  # its function has run, whichever server it was
