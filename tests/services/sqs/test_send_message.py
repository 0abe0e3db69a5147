"""SendMessage and SendMessageBatch."""

from collections.abc import Mapping
from typing import Any

import pytest

WORD = {"DataType": "String", "StringValue": "Bar"}


def test_send_message_answers_with_id_and_digests(sqs: Any) -> None:
    url = sqs.queue()
    answer = sqs.send(url, "msg", message_attributes={"Foo": WORD})
    assert len(answer.pop("MessageId")) == 36
    assert answer == {
        "MD5OfMessageBody": "6e2baaf3b97dbeef01c0043275f9a0e7",
        "MD5OfMessageAttributes": "ae7155c6026991b6d54b11589678bf9c",
    }
    answer = sqs.send(url, "msg", message_system_attributes={"AWSTraceHeader": WORD})
    assert answer.keys() == {"MessageId", "MD5OfMessageBody", "MD5OfMessageSystemAttributes"}


def test_send_message_to_a_fifo_queue_answers_with_a_growing_number(sqs: Any) -> None:
    url = sqs.fifo()
    first, second = (sqs.send(url, body, "g")["SequenceNumber"] for body in "ab")
    assert len(first) == len(second) == 20
    assert first < second


@pytest.mark.parametrize(
    "parameters, code, message",
    [
        ({"message_body": ""}, "MissingParameter", "The request must contain the parameter MessageBody."),
        (
            {"delay_seconds": 901},
            "InvalidParameterValue",
            "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
        ),
        (
            {"message_deduplication_id": "x"},
            "InvalidParameterValue",
            "Value x for parameter MessageDeduplicationId is invalid."
            " Reason: The request include parameter that is not valid for this queue type.",
        ),
        (
            {"message_body": "x" * 1_025},
            "InvalidParameterValue",
            "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
        ),
        (
            {"message_body": "x" * 1_014, "message_attributes": {"Foo": WORD}},
            "InvalidParameterValue",
            "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
        ),
    ],
)
def test_send_message_refuses(sqs: Any, parameters: Mapping[str, Any], code: str, message: str) -> None:
    url = sqs.queue(MaximumMessageSize="1024")
    refusal = sqs.refusal(lambda: sqs.send_message(**{"queue_url": url, "message_body": "x", **parameters}))
    assert refusal == (code, message)
    assert sqs.counts(url) == (0, 0, 0)


@pytest.mark.parametrize(
    "parameters, code, message",
    [
        ({}, "MissingParameter", "The request must contain the parameter MessageGroupId."),
        (
            {"message_group_id": "g"},
            "InvalidParameterValue",
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId"
            " provided explicitly",
        ),
        (
            {"message_group_id": "g", "message_deduplication_id": "d", "delay_seconds": 2},
            "InvalidParameterValue",
            "Value 2 for parameter DelaySeconds is invalid."
            " Reason: The request include parameter that is not valid for this queue type.",
        ),
    ],
)
def test_send_message_to_a_fifo_queue_refuses(
    sqs: Any, parameters: Mapping[str, Any], code: str, message: str
) -> None:
    url = sqs.fifo(ContentBasedDeduplication="false")
    refusal = sqs.refusal(lambda: sqs.send_message(queue_url=url, message_body="x", **parameters))
    assert refusal == (code, message)
    assert sqs.counts(url) == (0, 0, 0)


def test_the_largest_message_is_as_large_as_the_queue_allows(sqs: Any) -> None:
    url = sqs.queue()
    sqs.send(url, "x" * 1_048_576)
    assert len(sqs.bodies(url)[0]) == 1_048_576


def test_the_senders_delay_goes_before_the_queues(sqs: Any) -> None:
    url = sqs.queue(DelaySeconds="60")
    sqs.send(url, "queue's")
    sqs.send(url, "own", delay_seconds=30)
    sqs.send(url, "none", delay_seconds=0)
    assert sqs.bodies(url) == ["none"]
    sqs.later(29)
    assert sqs.bodies(url) == []
    sqs.later(1)
    assert sqs.bodies(url) == ["own", "none"]
    sqs.later(29)
    assert sqs.bodies(url) == []
    sqs.later(1)
    assert sqs.bodies(url) == ["queue's", "own", "none"]


def test_a_batch_sends_what_it_can(sqs: Any) -> None:
    url = sqs.queue()
    answer = sqs.send_message_batch(
        queue_url=url,
        entries=[
            {"Id": "good", "MessageBody": "msg", "MessageAttributes": {"Foo": WORD}},
            {"Id": "bad", "MessageBody": "x", "DelaySeconds": 901},
            {"Id": "late", "MessageBody": "y", "DelaySeconds": 900},
        ],
    )
    assert [(told["Id"], told["MD5OfMessageBody"]) for told in answer["Successful"]] == [
        ("good", "6e2baaf3b97dbeef01c0043275f9a0e7"),
        ("late", "415290769594460e2e485922904f345d"),
    ]
    assert [(told["Id"], told["Code"], told["SenderFault"]) for told in answer["Failed"]] == [
        ("bad", "InvalidParameterValue", True)
    ]
    assert sqs.counts(url) == (1, 0, 1)


def test_a_batch_is_as_long_as_one_message_may_be(sqs: Any) -> None:
    url = sqs.queue()
    entries = [{"Id": str(n), "MessageBody": "x" * 524_288} for n in range(2)]
    assert len(sqs.send_message_batch(queue_url=url, entries=entries)["Successful"]) == 2
    entries[0]["MessageBody"] += "x"
    assert sqs.refusal(lambda: sqs.send_message_batch(queue_url=url, entries=entries)) == (
        "BatchRequestTooLong",
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.",
    )


def test_a_batch_to_a_fifo_queue_is_refused_where_one_entry_has_no_group(sqs: Any) -> None:
    url = sqs.fifo()
    entries = [{"Id": "a", "MessageBody": "x", "MessageGroupId": "g"}, {"Id": "b", "MessageBody": "y"}]
    refusal = sqs.refusal(lambda: sqs.send_message_batch(queue_url=url, entries=entries))
    assert refusal == ("MissingParameter", "The request must contain the parameter MessageGroupId.")
    assert sqs.counts(url) == (0, 0, 0)


def test_a_batch_keeps_its_order_in_a_group(sqs: Any) -> None:
    url = sqs.fifo()
    entries = [{"Id": b, "MessageBody": b, "MessageGroupId": "g"} for b in "dcba"]
    sqs.send_message_batch(queue_url=url, entries=entries)
    assert sqs.bodies(url) == ["d", "c", "b", "a"]
