"""The event with messages of a queue, and the batch item failures in the function's response. Pure.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

Message = Mapping[str, Any]
"""As ReceiveMessage answers it."""

EVENT_BYTES_MAX = 6_291_456  # of a synchronous invocation, which these are
_AROUND_BYTES = len(b'{"Records":[]}')
_TYPED = ("StringValue", "BinaryValue", "DataType")


def event(messages: Sequence[Message], queue_arn: str, region: str) -> bytes:
    """The event, JSON."""
    return orjson.dumps({"Records": [record(message, queue_arn, region) for message in messages]})


def record(message: Message, queue_arn: str, region: str) -> dict[str, Any]:
    """A message as the function gets it."""
    attributes = message.get("MessageAttributes") or {}
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes") or {}),
        "messageAttributes": {name: _attribute(value) for name, value in attributes.items()},
        "md5OfBody": message["MD5OfBody"],
        "md5OfMessageAttributes": message["MD5OfMessageAttributes"] if attributes else None,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }


def parts(messages: Sequence[Message], queue_arn: str, region: str) -> list[list[Message]]:
    """The messages in their order, as many to each part as fit into one event."""
    made: list[list[Message]] = []
    size = 0
    for message in messages:
        needed = len(orjson.dumps(record(message, queue_arn, region))) + 1  # and a comma
        if not made or size + needed > EVENT_BYTES_MAX - _AROUND_BYTES:
            made.append([])
            size = 0
        made[-1].append(message)
        size += needed
    return made


def newest(messages: Sequence[Message]) -> list[Message]:
    """Each message once, with the receipt of the last time it was received, for that alone still counts."""
    return list({message["MessageId"]: message for message in messages}.values())


def failed(messages: Sequence[Message], payload: bytes) -> frozenset[str]:
    """The ids of the messages that a function with ReportBatchItemFailures gives back.

    None of them for an answer that lists none. All of them where it lists one that was not in the batch, or
    cannot be read: Lambda then counts the whole batch as failed.
    """
    everything = frozenset(message["MessageId"] for message in messages)
    try:
        answer = orjson.loads(payload or b"null")
    except orjson.JSONDecodeError:
        return everything
    listed = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if listed is None:
        return frozenset()
    if not isinstance(listed, list):
        return everything
    named = [each.get("itemIdentifier") if isinstance(each, dict) else None for each in listed]
    known = frozenset(each for each in named if isinstance(each, str) and each in everything)
    return known if len(known) == len(set(map(str, named))) else everything


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name[0].lower() + name[1:]: _text(value[name]) for name in _TYPED if name in value}
    return {**shown, "stringListValues": [], "binaryListValues": []}


def _text(value: Any) -> Any:
    """Bytes in base64, as JSON has none."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
