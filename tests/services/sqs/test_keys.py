"""Queues that have a key: KMS decides who may send to them and receive from them."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.policies import allowing
from tests.refusals import refusal

BOTH = ("sqs:SendMessage", "sqs:ReceiveMessage")
Make = Callable[..., str]


@pytest.fixture
def key(server: Server) -> str:
    return str(server.client("kms").create_key()["KeyMetadata"]["Arn"])


@pytest.fixture
def queue(server: Server, key: str) -> str:
    attributes = {"KmsMasterKeyId": key}
    return str(server.client("sqs").create_queue(QueueName=new_name("q"), Attributes=attributes)["QueueUrl"])


def test_a_queue_shows_its_key_until_it_is_taken_away(server: Server, queue: str, key: str) -> None:
    sqs = server.client("sqs")
    shown = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["KmsMasterKeyId"])
    assert shown["Attributes"] == {"KmsMasterKeyId": key}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": ""})
    shown = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["KmsMasterKeyId"])
    assert "Attributes" not in shown
    server.client("sqs", allowing(*BOTH)).send_message(QueueUrl=queue, MessageBody="m")


def test_who_sends_makes_and_decrypts_a_data_key_and_who_receives_decrypts_it(
    server: Server, queue: str, key: str
) -> None:
    entries = [{"Id": "1", "MessageBody": "m"}]
    sender = server.client("sqs", allowing(*BOTH, "kms:GenerateDataKey", "kms:Decrypt"))
    sender.send_message(QueueUrl=queue, MessageBody="m")
    assert "Failed" not in sender.send_message_batch(QueueUrl=queue, Entries=entries)
    for allowed, action in ((), "GenerateDataKey"), (("kms:GenerateDataKey",), "Decrypt"):
        client = server.client("sqs", allowing(*BOTH, *allowed))
        for call, given in (
            (client.send_message, {"MessageBody": "m"}),
            (client.send_message_batch, {"Entries": entries}),
        ):
            code, message = refusal(call, QueueUrl=queue, **given)
            assert code == "KMS.AccessDeniedException"
            assert f"kms:{action} on resource: {key}" in message
    neither = server.client("sqs", allowing(*BOTH, "kms:GenerateDataKey"))
    code, message = refusal(neither.receive_message, QueueUrl=queue)
    assert code == "KMS.AccessDeniedException" and f"kms:Decrypt on resource: {key}" in message
    receiver = server.client("sqs", allowing(*BOTH, "kms:Decrypt"))
    (received,) = receiver.receive_message(QueueUrl=queue)["Messages"]
    assert received["Body"] == "m"


def test_who_waits_for_the_first_message_decrypts_it_too(server: Server, queue: str, key: str) -> None:
    waits, neither = threading.Event(), server.client("sqs", allowing(*BOTH))
    neither.meta.events.register("before-send.sqs.ReceiveMessage", lambda **_: waits.set())
    with ThreadPoolExecutor(1) as pool:
        received = pool.submit(refusal, neither.receive_message, QueueUrl=queue, WaitTimeSeconds=20)
        assert waits.wait(20)
        server.client("sqs").send_message(QueueUrl=queue, MessageBody="m")
        code, message = received.result(60)
    assert code == "KMS.AccessDeniedException" and f"kms:Decrypt on resource: {key}" in message
    (left,) = server.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert left["Body"] == "m"


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"kms:ViaService": "sqs.{region}.amazonaws.com"}, True),
        ({"kms:ViaService": "s3.{region}.amazonaws.com"}, False),
        ({"kms:EncryptionContext:aws:sqs:arn": "{arn}"}, True),
        ({"kms:EncryptionContext:aws:sqs:arn": "{arn}-other"}, False),
    ],
)
def test_the_call_of_sqs_has_its_condition_keys(
    server: Server, queue: str, key: str, condition: dict[str, str], allowed: bool
) -> None:
    arn = f"arn:aws:sqs:{server.region}:{server.account}:{queue.rpartition('/')[2]}"
    wanted = {name: value.format(region=server.region, arn=arn) for name, value in condition.items()}
    policy: dict[str, Any] = allowing(*BOTH)
    use = {"Effect": "Allow", "Action": "kms:*", "Resource": key, "Condition": {"StringEquals": wanted}}
    policy["Statement"].append(use)
    client = server.client("sqs", policy)
    if allowed:
        client.send_message(QueueUrl=queue, MessageBody="m")
        assert client.receive_message(QueueUrl=queue)["Messages"]
    else:
        assert refusal(client.send_message, QueueUrl=queue, MessageBody="m")[0] == "KMS.AccessDeniedException"


def test_the_keys_own_policy_decides_too(server: Server, queue: str, key: str) -> None:
    root = {"AWS": f"arn:aws:iam::{server.account}:root"}
    everything = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "kms:GenerateDataKey", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [everything, deny]}
    server.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    code, _ = refusal(server.client("sqs").send_message, QueueUrl=queue, MessageBody="m")
    assert code == "KMS.AccessDeniedException"


def test_a_key_that_cannot_be_used_is_refused_by_its_state(server: Server, queue: str, key: str) -> None:
    sqs = server.client("sqs")
    server.client("kms").disable_key(KeyId=key)
    assert refusal(sqs.send_message, QueueUrl=queue, MessageBody="m")[0] == "KMS.DisabledException"
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": "alias/not-here"})
    assert refusal(sqs.send_message, QueueUrl=queue, MessageBody="m")[0] == "KMS.NotFoundException"
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
    client = server.client("sqs", allowing(*BOTH))
    client.send_message(QueueUrl=queue, MessageBody="m")
    assert client.receive_message(QueueUrl=queue)["Messages"]
