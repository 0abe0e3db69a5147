"""Transactions may run again: what the services do holds on a store that runs each of them twice."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from tests.conftest import PROGRAMS, Server
from tests.store import repeating

from passrole.store import SqliteStore, Tx, sqlite


class Repeating(Server):
    program = PROGRAMS["repeating"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Repeating(tmp_path_factory.mktemp("repeating") / "data", containers="none")
    yield running
    running.stop()


def committed(folder: Path, fn: Callable[[Tx], object]) -> object:
    async def one() -> object:
        store = SqliteStore(folder)
        try:
            return await store.write(fn)
        finally:
            await store.close()

    return asyncio.run(one())


def test_what_a_transaction_changes_beside_the_rows_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = ["a"]

    def takes(tx: Tx) -> None:
        if waiting:
            tx.run("INSERT INTO definitions VALUES (?, '')", waiting.pop())

    monkeypatch.setattr(sqlite, "_outcomes", repeating.outcomes)
    with pytest.raises(repeating.NotRepeatable):
        committed(tmp_path, takes)
    assert committed(tmp_path, lambda tx: tx.all("SELECT digest FROM definitions")) == []


def test_what_is_written_twice_stands_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_outcomes", repeating.outcomes)
    committed(tmp_path, lambda tx: tx.run("INSERT INTO definitions VALUES ('a', '')"))
    assert committed(tmp_path, lambda tx: tx.all("SELECT digest FROM definitions")) == [("a",)]


def test_objects_are_put_replaced_and_deleted_with_the_folders_of_their_keys(server: Server) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="twice")
    for body in (b"first", b"second"):
        s3.put_object(Bucket="twice", Key="a/b/c", Body=body, Metadata={"of": body.decode()})
    found = s3.get_object(Bucket="twice", Key="a/b/c")
    assert (found["Body"].read(), found["Metadata"]) == (b"second", {"of": "second"})
    s3.put_object(Bucket="twice", Key="a/", Body=b"")
    s3.delete_object(Bucket="twice", Key="a/b/c")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="twice")["Contents"]] == ["a/"]
    s3.delete_object(Bucket="twice", Key="a/")
    s3.delete_bucket(Bucket="twice")
    assert not (server.data / "s3" / "twice").exists()


def test_an_upload_is_completed_once(server: Server) -> None:
    s3, named = server.client("s3"), {"Bucket": "uploads", "Key": "whole"}
    s3.create_bucket(Bucket="uploads")
    upload = s3.create_multipart_upload(**named)["UploadId"]
    etag = s3.upload_part(**named, UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    s3.complete_multipart_upload(**named, UploadId=upload, MultipartUpload=parts)
    assert s3.get_object(**named)["Body"].read() == b"part"
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="uploads")
    with pytest.raises(ClientError, match="NoSuchUpload"):
        s3.abort_multipart_upload(**named, UploadId=upload)


def test_a_conditional_write_that_comes_second_changes_nothing(server: Server) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="once")
    s3.put_object(Bucket="once", Key="k", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="once", Key="k", Body=b"2", IfNoneMatch="*")
    assert s3.get_object(Bucket="once", Key="k")["Body"].read() == b"1"


def test_a_message_is_sent_and_received_once(server: Server) -> None:
    sqs = server.client("sqs")
    queue = sqs.create_queue(QueueName="twice.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for number in range(3):
        sqs.send_message(
            QueueUrl=queue, MessageBody=f"{number}", MessageGroupId="g", MessageDeduplicationId=f"{number}"
        )
    received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in received] == ["0", "1", "2"]
