"""A queue: what is sent to it by calls or by rules, and whoever receives, handles and deletes."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError
from tests.chaos.caller import Caller, code
from tests.chaos.told import Receipt

VISIBILITY_SECONDS = 5
Handle = Callable[[str], None]


class Mailbox:
    """A queue by its name; a name that ends in .fifo is a FIFO queue's."""

    def __init__(self, caller: Caller, name: str) -> None:
        self.name, self._caller, self._told = name, caller, caller.told
        attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        made = caller.until_told("sqs.create_queue", QueueName=name, Attributes=attributes)
        self.path = "/" + made["QueueUrl"].split("/", 3)[3]
        self.url: str = made["QueueUrl"]
        self.arn: str = caller.until_told(
            "sqs.get_queue_attributes", QueueUrl=self.url, AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]

    def send(self, body: str, **more: Any) -> None:
        """Sent until it is acknowledged; twice where an answer was lost and nothing tells them apart."""
        self._caller.until_told("sqs.send_message", QueueUrl=self.url, MessageBody=body, **more)
        with self._told.lock:
            self._told.sent[self.name].add(body)

    def receive(self, text: Callable[[Mapping[str, Any]], str], handle: Handle = lambda _: None) -> None:
        """A few messages: noted as `text` has them, handled, deleted."""
        asked = time.monotonic()
        try:
            answer = self._caller.once(
                "sqs.receive_message",
                QueueUrl=self.url,
                MaxNumberOfMessages=5,
                VisibilityTimeout=VISIBILITY_SECONDS,
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
        except Exception:
            self._told.lost_receipt(self.name, asked)
            raise
        if answer["ResponseMetadata"].get("RetryAttempts"):
            self._told.lost_receipt(self.name, asked)
        messages = answer.get("Messages", ())
        for message in messages:  # all of them before the first is handled, which may take a while
            count = int(message["Attributes"]["ApproximateReceiveCount"])
            receipt = Receipt(message["ReceiptHandle"], count)
            self._told.message(self.name, message["MessageId"], receipt, text(message), asked)
        for message in messages:
            handle(message["Body"])
            self._delete(message)

    def _delete(self, message: Mapping[str, Any]) -> None:
        try:
            self._caller.until_told(
                "sqs.delete_message", QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"]
            )
        except ClientError as error:  # it was somebody else's turn meanwhile
            self._told.failure(f"sqs.delete_message: {code(error)}")
        else:
            self._told.deletion(self.name, message["MessageId"], message["ReceiptHandle"])


def body(message: Mapping[str, Any]) -> str:
    """The text of a message."""
    return str(message["Body"])
